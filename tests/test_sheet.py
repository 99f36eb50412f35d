import cv2
import numpy as np
import pytest

from hanzi_core.image.segment import find_characters
from hanzi_core.image.sheet import find_sheet, straighten_sheet
from tests.handwriting import draw
from tests.written_page import photograph, photograph_with_matrix, place_after, write_page, write_page_with_places

LINES = ["我们的国家很大", "明天他要去北京", "一二三八川小心"]


@pytest.mark.parametrize("desk", [30, 90, 170])
@pytest.mark.parametrize("ruling", ["", "squares"])
def test_every_character_of_a_sheet_on_a_desk_is_found_where_it_is(desk: int, ruling: str) -> None:
    paper, places = write_page_with_places(LINES, ruling=ruling)
    photo, matrix = photograph_with_matrix(paper, 2, 0.3, 1, desk)
    page = find_characters(photo)
    assert [sum(box.line == line for box in page.boxes) for line in range(3)] == [7, 7, 7]
    for box, place in zip(page.boxes, places, strict=True):
        there = place_after(place, page.matrix @ matrix)
        assert abs((box.left + box.right - there.left - there.right) / 2) < 12
        assert abs((box.top + box.bottom - there.top - there.bottom) / 2) < 12


def test_a_slanted_sheet_becomes_a_rectangle() -> None:
    photo, matrix = photograph_with_matrix(np.full((500, 400), 255, np.uint8), seed=3, desk=60)
    straight, back = straighten_sheet(photo)
    corners = np.array([[20, 20, 1], [380, 20, 1], [380, 480, 1], [20, 480, 1]]) @ (back @ matrix).T
    x, y = (corners[:, :2] / corners[:, 2:]).T
    assert abs(x[0] - x[3]) < 12 and abs(x[1] - x[2]) < 12 and abs(y[0] - y[1]) < 12 and abs(y[2] - y[3]) < 12
    assert straight.min() > 120  # nothing of the desk is left


@pytest.mark.parametrize("shadow", [0.0, 0.5, 0.8])
def test_a_page_without_an_edge_stays_whole_however_dark_its_shadow(shadow: float) -> None:
    assert find_sheet(photograph(write_page(LINES), 3, shadow)) is None


@pytest.mark.parametrize("character", "口日中一木")
@pytest.mark.parametrize("side_px", [64, 400, 900])
@pytest.mark.parametrize("light_ink", [False, True])
def test_a_single_character_is_no_sheet(character: str, side_px: int, light_ink: bool) -> None:
    paper = draw(character, np.random.default_rng(4), side_px)
    paper = cv2.erode(paper, np.ones((side_px // 20 + 1,) * 2, np.uint8))  # as thick as with a brush
    assert find_sheet(255 - paper if light_ink else paper) is None


def test_a_white_stroke_with_four_corners_is_no_sheet_and_a_strip_that_is_written_on_is_one() -> None:
    strip = np.full((240, 640), 20, np.uint8)
    strip[50:190, 60:580] = 235
    assert find_sheet(strip) is None
    strip[80:160, 140:150] = strip[115:125, 100:200] = 60
    assert find_sheet(strip) is not None


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (40, 3000), (500, 500)])
def test_odd_pictures(shape: tuple[int, int]) -> None:
    assert find_sheet(np.full(shape, 200, np.uint8)) is None
    straighten_sheet(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
