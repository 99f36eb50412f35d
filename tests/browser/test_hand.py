"""The Handwriting page in a real browser."""

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
