import cv2
import numpy as np
import pytest

from hanzi_core.image.binarise import Polarity
from hanzi_core.image.segment import Box, Direction, find_characters, merge_boxes, split_box
from tests.written_page import darkened, photograph, write_page, write_page_with_places

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


@pytest.mark.parametrize("edge", ["hand", "lens", "frame"])
def test_paper_with_a_dark_edge_is_not_taken_for_ink(edge: str) -> None:
    page = find_characters(darkened(photograph(write_page(LINES)), edge))
    assert counts(page) == [7, 7, 7]


@pytest.mark.parametrize("board", [0, 60, 90])
def test_chalk_on_a_board_is_light_ink(board: int) -> None:
    chalk = (board + (255 - photograph(write_page(LINES)).astype(float)) * 0.6).astype(np.uint8)
    assert counts(find_characters(chalk)) == [7, 7, 7]


def test_columns_are_read_from_the_right_and_lines_from_the_top() -> None:
    columns = find_characters(write_page(LINES, columns=True)).boxes
    assert columns[0].left > columns[-1].left and columns[0].top < columns[6].top
    rows = find_characters(write_page(LINES)).boxes
    assert rows[0].left < rows[6].left and rows[0].top < rows[-1].top


@pytest.mark.parametrize("text", ["木", "川", "人大", "你好", "一", "二", "一一一"])
@pytest.mark.parametrize("columns", [False, True])
def test_few_characters(text: str, columns: bool) -> None:
    assert len(find_characters(write_page([text], columns=columns)).boxes) == len(text)


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        (["春眠不觉晓", "一", "处处闻啼鸟"], Direction.FOUND),
        (["春眠不觉晓", "一一", "处处闻啼鸟"], Direction.FOUND),
        (["永国春明学", "校家风人一", "一"], Direction.FOUND),
        (["一", "二", "三"], Direction.ROWS),
        (["一", "大小"], Direction.ROWS),
    ],
)
def test_lines_of_nothing_but_level_strokes(text: list[str], direction: Direction) -> None:
    page = find_characters(write_page(text), direction)
    assert [sum(box.line == line for box in page.boxes) for line in range(len(text))] == [len(line) for line in text]


def test_a_level_stroke_is_not_cut_for_a_dot_beside_it() -> None:
    page = np.full((200, 400), 245, np.uint8)
    page[100:106, 60:220] = 40
    page[100:124, 240:262] = 40
    assert max(box.right - box.left for box in find_characters(page, Direction.ROWS).boxes) >= 160


@pytest.mark.parametrize("below", [6, 20, 45])
@pytest.mark.parametrize(("length", "thick"), [(200, 1), (270, 2), (270, 4)])
def test_a_short_rule_below_a_text_is_no_character(below: int, length: int, thick: int) -> None:
    written, places = write_page_with_places(LINES)
    foot = round(max(place.bottom for place in places)) + below
    written[foot : foot + thick, 64 : 64 + length] = 60
    for turned in (written, np.ascontiguousarray(written.T[:, ::-1])):
        page = find_characters(turned)
        assert counts(page) == [7, 7, 7]


def test_a_blank_to_be_filled_in_is_no_character() -> None:
    written, places = write_page_with_places(["我们的国家", "姓名"])
    foot, begin = round(max(place.bottom for place in places)) - 4, round(places[-1].right) + 20
    written[foot : foot + 2, begin : begin + 240] = 60
    assert [sum(box.line == line for box in find_characters(written).boxes) for line in range(2)] == [5, 2]


def test_a_slanting_hair_below_a_text_is_no_line() -> None:
    """It has too little ink in any row to belong to a line."""
    written = np.full((500, 1000), 255, np.uint8)
    for top in range(30, 270, 80):
        for left in range(40, 880, 60):
            cv2.rectangle(written, (left, top), (left + 40, top + 40), 0, 10)
    cv2.line(written, (262, 480), (362, 440), 0, 1)
    assert len(counts(find_characters(written))) == 3


@pytest.mark.parametrize("direction", list(Direction))
def test_a_line_of_one_pixel_beside_a_block(direction: Direction) -> None:
    random = np.random.default_rng(0)
    for _ in range(60):
        gray = np.full((int(random.integers(60, 200)), int(random.integers(200, 900))), 245, np.uint8)
        middle, length = gray.shape[0] // 2, int(random.integers(60, gray.shape[1] // 2 - 20))
        gray[middle, 30 : 30 + length] = 20
        gray[middle + random.integers(-1, 2), 30 + random.integers(0, length)] = 20
        gray[max(2, middle - 40) : middle - 20, 30:60] = 20
        assert len(find_characters(gray, direction).boxes) < 6


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


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("ruling", ["", "lines"])
def test_a_scroll_is_read_to_its_end(columns: bool, ruling: str) -> None:
    lines = ["我们的国家很大明天他要去北京"] * 40 if columns else ["我们的国家很大明天他要去北京" * 5] * 3
    scroll = write_page(lines, columns=columns, ruling="" if columns else ruling, size_px=90)
    page = find_characters(scroll)
    assert max(page.picture.shape) > 1600
    assert page.picture.size < 1.3e6
    assert len(page.boxes) == sum(map(len, lines))


@pytest.mark.parametrize("style", ["neat", "brush"])
def test_level_strokes_of_many_small_characters_are_no_ruling(style: str) -> None:
    written = write_page(["我们的国家很大明天他要去北京"[:12] * 4] * 25, style=style)
    page = find_characters(written)
    ink = np.count_nonzero(page.picture < 128)
    assert np.count_nonzero(page.ink) > 0.95 * ink


def test_a_wrong_box_is_split_and_merged() -> None:
    page = find_characters(write_page(["明天"]))
    whole = merge_boxes(list(page.boxes))
    left, right = split_box(page.ink, whole)
    assert (left.left, right.right) == (whole.left, whole.right)
    assert abs(left.right - (page.boxes[0].right + page.boxes[1].left) / 2) < 12
    assert split_box(np.zeros((4, 4), np.uint8), Box(0, 0, 0, 4, 4))[0].right == 2


def test_on_a_page_of_columns_the_right_half_of_a_wide_box_comes_first() -> None:
    ink = np.zeros((100, 200), np.uint8)
    ink[:, :80] = ink[:, 120:] = 255
    first, second = split_box(ink, Box(0, 0, 0, 200, 100), Direction.COLUMNS)
    assert first.left == second.right
    upper, lower = split_box(np.ascontiguousarray(ink.T), Box(0, 0, 0, 100, 200), Direction.COLUMNS)
    assert upper.bottom == lower.top


def test_a_cut_shows_one_character_alone() -> None:
    page = find_characters(write_page(["明天"], ruling="lines"))
    cut = page.cut(page.boxes[0])
    assert cut[0].min() == 255  # neither ruling nor neighbour reaches the edge
    assert cut.min() < 120
