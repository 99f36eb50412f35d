"""Recognise in a real browser, with mouse and finger, at the widths of a desktop, a tablet and a phone."""

import io
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from hanzi_core.recognition.corrections import Corrections
from hanzi_core.recognition.prototypes import TaughtCharacters
from hanzi_core.workspace import Workspace
from tests.browser.conftest import Starter, window
from tests.handwriting import STROKES
from tests.written_page import photograph, write_page

pytestmark = pytest.mark.browser

WIDTHS = {"desktop": (1280, 900), "tablet": (820, 1180), "phone": (390, 844)}


@pytest.fixture
def place(trained: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the trained workspace: corrections and teaching write into it."""
    return Workspace.open(shutil.copytree(trained.root, tmp_path / "place"))


@pytest.fixture(params=WIDTHS)
def screen(chromium: Browser, serve: Starter, place: Workspace, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page at each width; a script's fault, a console error or a sideways scroll fails the test."""
    width, height = WIDTHS[request.param]
    touch = request.param != "desktop"
    faults: list[str] = []
    with window(chromium, width, height, has_touch=touch, is_mobile=touch) as page:
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(serve(place).url)
        canvas(page).wait_for()
        yield page
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The fonts and the statistics of a closed network are not ours to mend.
    assert [fault for fault in faults if "ERR_NAME_NOT_RESOLVED" not in fault and "ERR_INTERNET" not in fault] == []


def canvas(page: Page) -> Locator:
    return page.locator("canvas.upper-canvas:visible")


def draw(page: Page, character: str) -> None:
    """Draw with the finger where there is one, else with the mouse."""
    pad = canvas(page)
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


def _touch(finger, points: list[tuple[float, float]]) -> None:
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


def test_draw_undo_clear_choose_and_copy(screen: Page) -> None:
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    draw(screen, "人")
    expect(best(screen, "人")).to_be_visible()
    before = screen.evaluate("window.scrollY")
    expect(screen.locator(".choice")).to_have_count(9)
    for name in ("Undo", "Redo", "Clear"):
        size = screen.get_by_role("button", name=name).bounding_box()
        assert size and min(size["width"], size["height"]) >= 43.9
    screen.wait_for_timeout(600)  # the last stroke is known
    screen.get_by_role("button", name="Undo").click()
    screen.get_by_role("button", name="Redo").click()
    expect(screen.get_by_role("button", name="Redo")).to_be_disabled()
    expect(best(screen, "人")).to_be_visible()
    assert screen.evaluate("window.scrollY") == before  # a finger on the pad does not scroll the page
    best(screen, "人").click()
    expect(text(screen)).to_have_value("人")
    expect(screen.get_by_text("Draw one character")).to_be_visible()  # and the pad is ready for the next
    draw(screen, "木")
    best(screen, "木").click()
    expect(text(screen)).to_have_value("人木")
    draw(screen, "中")
    expect(best(screen, "中")).to_be_visible()
    screen.get_by_role("button", name="Clear").click()
    expect(screen.get_by_text("Draw one character")).to_be_visible()
    screen.get_by_role("button", name="Backspace").click()
    expect(text(screen)).to_have_value("人")
    screen.get_by_role("button", name="Copy").click()
    expect(screen.get_by_role("button", name="Copied")).to_be_visible()
    assert screen.evaluate("navigator.clipboard.readText()") == "人"


def photo() -> bytes:
    """Two lines, uneven light, turned by a quarter as phones store it."""
    picture = Image.fromarray(photograph(write_page(["大木人口", "日中十三"], seed=3), 2, 0.5)).rotate(90, expand=True)
    turned = Image.Exif()
    turned[0x0112] = 6
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=turned, quality=90)
    return file.getvalue()


def test_a_photo_of_two_lines(screen: Page) -> None:
    screen.get_by_role("tab", name="Upload").click()
    upload = screen.locator("input[type=file]").first
    upload.set_input_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    page_text = screen.locator(".st-key-page-text")
    expect(page_text).to_be_visible()
    lines = page_text.get_by_test_id("stText").inner_text().split("\n")
    assert [len(line) for line in lines] == [4, 4]


@pytest.fixture
def desktop(chromium: Browser, serve: Starter, place: Workspace) -> Iterator[Page]:
    with window(chromium) as page:
        page.goto(serve(place).url)
        canvas(page).wait_for()
        yield page


def test_a_drawing_survives_a_page_change_and_a_language_switch(desktop: Page) -> None:
    draw(desktop, "木")
    expect(best(desktop, "木")).to_be_visible()
    navigation = desktop.get_by_test_id("stSidebarNav")
    navigation.get_by_role("link", name="Models").click()
    expect(desktop.get_by_role("heading", level=1, name="Models")).to_be_visible()
    navigation.get_by_role("link", name="Recognise").click()
    expect(best(desktop, "木")).to_be_visible()
    desktop.get_by_role("button", name="Undo").click()  # the strokes are there one by one, not just their picture
    expect(desktop.get_by_role("button", name="Redo")).to_be_enabled()
    desktop.get_by_role("button", name="Redo").click()
    expect(desktop.get_by_role("button", name="Redo")).to_be_disabled()
    desktop.get_by_text("简体中文").click()
    expect(best(desktop, "木")).to_be_visible()


def test_keys(desktop: Page) -> None:
    draw(desktop, "十")
    expect(best(desktop, "十")).to_be_visible()
    desktop.keyboard.press("Control+z")
    expect(best(desktop, "一")).to_be_visible()
    desktop.keyboard.press("Control+y")
    expect(best(desktop, "十")).to_be_visible()
    desktop.keyboard.press("Escape")
    expect(desktop.get_by_text("Draw one character")).to_be_visible()


def test_correct(desktop: Page, place: Workspace) -> None:
    draw(desktop, "大")
    expect(desktop.locator(".best")).to_be_visible()
    desktop.get_by_role("button", name="It should be").click()
    desktop.get_by_role("textbox", name="Or another").fill("太")
    desktop.get_by_role("button", name="Keep as correction").click()
    expect(desktop.get_by_text("Kept in the dataset Corrections")).to_be_visible()
    kept = Corrections(place).all()
    assert [each.label for each in kept] == ["太"]
    assert len(kept[0].strokes) == len(STROKES["大"])
    desktop.get_by_role("button", name="Undo the last correction").click()
    expect(desktop.get_by_role("button", name="Undo the last correction")).not_to_be_visible()
    assert Corrections(place).all() == []


def test_teach(desktop: Page, place: Workspace) -> None:
    desktop.get_by_role("tab", name="Teach").click()
    for number in (1, 2, 3):
        draw(desktop, "日")
        desktop.get_by_role("button", name=f"Take drawing {number} of 3").click()
        expect(desktop.get_by_test_id("stImage").locator("img")).to_have_count(number)
    desktop.get_by_role("textbox", name="Name").fill("☀")
    desktop.get_by_role("button", name="Teach", exact=True).click()
    expect(desktop.get_by_role("button", name="Delete")).to_be_visible()
    assert [each.label for each in TaughtCharacters(place).all()] == ["☀"]
    desktop.get_by_role("tab", name="Draw").click()
    draw(desktop, "日")
    expect(best(desktop, "☀")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.png", b"", "is empty"),
        ("text.png", b"no picture", "cannot be read as a picture"),
        ("paper.png", b"%PDF-1.7 rubbish", "cannot be read as a picture"),
    ],
)
def test_what_is_no_picture_is_one_sentence(desktop: Page, name: str, content: bytes, says: str) -> None:
    desktop.get_by_role("tab", name="Upload").click()
    desktop.locator("input[type=file]").first.set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )
    expect(desktop.get_by_test_id("stAlert").filter(has_text=says)).to_be_visible()


def test_a_broken_model_says_so_and_another_answers(chromium: Browser, serve: Starter, place: Workspace) -> None:
    bundle = next(place.jobs.glob("train-*/bundle"))
    broken = Path(shutil.copytree(bundle, place.models / "broken"))
    (broken / "labels.json").write_text('["一", "二"]')
    with window(chromium) as page:
        page.goto(serve(place).url + "/?model=broken")
        expect(page.get_by_text("does not fit together")).to_be_visible()
        draw(page, "木")
        expect(best(page, "木")).to_be_visible()
