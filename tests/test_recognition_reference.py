from xml.etree import ElementTree

import pytest

from hanzi_core.recognition.reference import readings, stroke_count, stroke_order_svg


def test_readings_have_tones_and_the_usual_one_comes_first() -> None:
    assert readings("木") == ("mù",)
    assert readings("好")[0] == "hǎo" and "hào" in readings("好")


@pytest.mark.parametrize("label", ["", "A", "☃", "木木"])
def test_what_is_no_character_has_no_reading(label: str) -> None:
    assert readings(label) == ()


def test_strokes_are_counted_and_drawn_in_order() -> None:
    assert stroke_count("木") == 4
    svg = stroke_order_svg("木", 100)
    assert svg
    root = ElementTree.fromstring(svg)
    faint, inked = root.findall("{http://www.w3.org/2000/svg}g")
    assert len(faint) == len(inked) == 4
    assert svg.count("@keyframes") == 4
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")  # nothing is fetched


def test_a_character_that_the_library_lacks_is_passed_over() -> None:
    assert stroke_count("☃") is None
    assert stroke_order_svg("☃", 100) is None
