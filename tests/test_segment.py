import cv2
import numpy as np
import pytest

from hanzi_core.image.binarise import Polarity
from hanzi_core.image.segment import Box, Direction, find_characters, merge_boxes, split_box
from tests.written_page import photograph, write_page

LINES = ["我们的国家很大", "明天他要去北京", "一二三八川小心"]


def counts(page):
    return [sum(box.line == line for box in page.boxes) for line in range(3)]


@pytest.mark.parametrize("ruling", ["", "lines", "squares"])
@pytest.mark.parametrize("skew_deg", [0, 3, -5])
@pytest.mark.parametrize("columns", [False, True])
def test_every_character_of_a_photographed_page_is_found(ruling: str, skew_deg: float, columns: bool) -> None:
    written = write_page(LINES, columns=columns, ruling=ruling if not (columns and ruling == "lines") else "")
    page = find_characters(photograph(written, skew_deg, shadow=0.5))
    assert page.direction is (Direction.COLUMNS if columns else Direction.ROWS)
    assert counts(page) == [7, 7, 7]


def test_columns_are_read_from_the_right_and_lines_from_the_top() -> None:
    columns = find_characters(write_page(LINES, columns=True)).boxes
    assert columns[0].left > columns[-1].left and columns[0].top < columns[6].top
    rows = find_characters(write_page(LINES)).boxes
    assert rows[0].left < rows[6].left and rows[0].top < rows[-1].top


@pytest.mark.parametrize("text", ["木", "川", "人大", "你好"])
@pytest.mark.parametrize("columns", [False, True])
def test_few_characters(text: str, columns: bool) -> None:
    assert len(find_characters(write_page([text], columns=columns)).boxes) == len(text)


def test_white_chalk_on_a_blackboard() -> None:
    page = find_characters(255 - write_page(LINES), polarity=Polarity.FOUND)
    assert counts(page) == [7, 7, 7]
    assert page.cut(page.boxes[0]).mean() > 128  # dark on light, whatever it was


@pytest.mark.parametrize("level", [0, 128, 255])
def test_nothing_is_found_where_nothing_is_written(level: int) -> None:
    assert find_characters(np.full((300, 400), level, np.uint8)).boxes == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (3, 4000)])
def test_odd_pictures(shape: tuple[int, int]) -> None:
    find_characters(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def test_a_large_photo_is_shrunk_before_anything_else() -> None:
    page = find_characters(cv2.resize(write_page(LINES), None, fx=8, fy=8))
    assert max(page.picture.shape) == 1600
    assert counts(page) == [7, 7, 7]


def test_a_wrong_box_is_split_and_merged() -> None:
    page = find_characters(write_page(["明天"]))
    whole = merge_boxes(list(page.boxes))
    left, right = split_box(page.ink, whole)
    assert (left.left, right.right) == (whole.left, whole.right)
    assert abs(left.right - (page.boxes[0].right + page.boxes[1].left) / 2) < 12
    assert split_box(np.zeros((4, 4), np.uint8), Box(0, 0, 0, 4, 4))[0].right == 2


def test_a_cut_shows_one_character_alone() -> None:
    page = find_characters(write_page(["明天"], ruling="lines"))
    cut = page.cut(page.boxes[0])
    assert cut[0].min() == 255  # neither ruling nor neighbour reaches the edge
    assert cut.min() < 120
