"""One character, or a page of them?"""

import pytest

from hanzi_core.image.segment import find_characters
from hanzi_core.recognition import Preferences, Recogniser
from hanzi_core.recognition.reading import shows_several
from tests.written_page import write_page


@pytest.mark.parametrize(("character", "seed", "boxes"), [("心", 8, 2), ("心", 14, 3), ("八", 2, 2), ("八", 11, 3)])
def test_parts_that_lie_apart_are_one_character_where_they_are_read_as_one(
    built_in: Recogniser, character: str, seed: int, boxes: int
) -> None:
    page = find_characters(write_page([character], size_px=90, seed=seed))
    assert len(page.boxes) == boxes
    assert not shows_several(built_in, page, Preferences())


@pytest.mark.parametrize("lines", [["人口"], ["大木"], ["明天上午"], ["大", "木", "人"]])
def test_characters_that_are_read_one_by_one_are_several(built_in: Recogniser, lines: list[str]) -> None:
    page = find_characters(write_page(lines, size_px=90))
    assert shows_several(built_in, page, Preferences())
