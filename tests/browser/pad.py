"""Drawing on the pad of the Recognise page, with the mouse or a finger."""

import re
from itertools import pairwise

from playwright.sync_api import CDPSession, Locator, Page

from tests.handwriting import STROKES


def canvas(page: Page) -> Locator:
    return page.locator("canvas.upper-canvas:visible")


def draw(page: Page, character: str) -> None:
    """Draw with the finger where there is one, else with the mouse."""
    pad = canvas(page)
    page.wait_for_timeout(400)  # the pad of another tab is gone
    pad.scroll_into_view_if_needed()
    page.wait_for_timeout(400)  # scrolling and layout come to rest
    box = pad.bounding_box()
    assert box
    finger = page.context.new_cdp_session(page) if page.evaluate("navigator.maxTouchPoints > 0") else None
    for stroke in STROKES[character]:
        points = [
            (box["x"] + (0.1 + 0.8 * x) * box["width"], box["y"] + (0.1 + 0.8 * y) * box["height"]) for x, y in stroke
        ]
        if finger:
            _touch(finger, points)
        else:
            page.mouse.move(*points[0])
            page.mouse.down()
            for point in points[1:]:
                page.mouse.move(*point, steps=6)
            page.mouse.up()
        page.wait_for_timeout(150)


def _touch(finger: CDPSession, points: list[tuple[float, float]]) -> None:
    def send(kind: str, at: list[dict[str, float]]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    send("touchStart", [{"x": points[0][0], "y": points[0][1]}])
    for (x1, y1), (x2, y2) in pairwise(points):
        for step in range(1, 7):
            send("touchMove", [{"x": x1 + (x2 - x1) * step / 6, "y": y1 + (y2 - y1) * step / 6}])
    send("touchEnd", [])


def best(page: Page, character: str) -> Locator:
    return page.locator(".best", has_text=re.compile(f"^{character}"))


def text(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Text")
