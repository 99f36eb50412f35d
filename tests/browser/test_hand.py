"""The Handwriting page in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import WIDTHS, window

pytestmark = pytest.mark.browser


def test_what_stands_in_a_row_is_in_line(chromium: Browser, address: str) -> None:
    for name, (width, height) in WIDTHS.items():
        with window(chromium, width, height) as page:
            page.goto(f"{address}/hand")
            expect(page.get_by_role("img", name="永 40")).to_be_visible()
            labels = [page.get_by_test_id("stMain").get_by_text(text, exact=True) for text in ("Character", "Style")]
            character, style = [box for label in labels if (box := label.bounding_box())]
            button = page.get_by_role("button", name="Other writers").bounding_box()
            assert button
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if name != "phone":
                assert style["y"] == pytest.approx(character["y"], abs=1)
            if name == "desktop":
                assert button["y"] == pytest.approx(character["y"] + 28, abs=3), "in line with the fields"


def test_what_was_chosen_is_there_again_after_a_look_at_another_page_and_in_another_language(
    chromium: Browser, address: str
) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 1000}, locale="en")
    page.goto(f"{address}/hand")
    page.get_by_role("radio", name="Running").click()
    page.get_by_role("combobox", name="Characters").click()
    page.get_by_role("option", name="The 600 most frequent").click()
    expect(page.get_by_text("12,000 pictures")).to_be_visible()
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    page.get_by_role("link", name="Handwriting").click()
    expect(page.get_by_role("radio", name="Running")).to_be_checked()
    expect(page.get_by_text("12,000 pictures")).to_be_visible()
    page.get_by_role("radio", name="简体中文").click()
    expect(page.get_by_role("radio", name="行书")).to_be_checked()
    expect(page.get_by_text("12,000 张图片")).to_be_visible()
    expect(page.get_by_role("combobox")).to_have_value(re.compile("^最常用的 600 字"))
    page.close()
