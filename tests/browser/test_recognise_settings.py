"""What is set on the Recognise page: the pad, and what counts; and why an answer was given."""

import re
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Error, Locator, Page, expect

from hanzi_core.dataset.importing import ImportConfig, import_dataset
from hanzi_core.strokes.frequency import frequencies_per_million
from hanzi_core.workspace import Workspace
from tests.browser.conftest import open_page
from tests.browser.pad import best, canvas, draw
from tests.errands import until
from tests.handwriting import write_collection
from tests.runs import silent

pytestmark = pytest.mark.browser


def seen(pad: Locator) -> np.ndarray:
    """The pad as it is on the screen: ``(height, width, 3)``, blue, green, red."""
    picture = cv2.imdecode(np.frombuffer(pad.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    return picture.astype(int)[4:-4, 4:-4]  # without its border


def guide_pixels(page: Page) -> int:
    blue, _, red = np.moveaxis(seen(canvas(page)), -1, 0)
    return int(np.count_nonzero(red - blue > 12))


def ink_pixels(page: Page) -> int:
    return int(np.count_nonzero(seen(canvas(page)).max(axis=2) < 80))


def at_its_end(slider: Locator) -> bool:
    """Whether the slider stands at 32, once the arrow is pressed often enough.

    A slider that the page draws anew at that moment loses what was pressed, so this is asked again and again.
    """
    for _ in range(28):
        slider.press("ArrowRight")
    return slider.input_value() == "32"


def shows_plain(page: Page, ink: int) -> bool:
    """Whether the pad shows that much ink and no guide; not, while one canvas takes the place of another."""
    try:
        return ink_pixels(page) == pytest.approx(ink, rel=0.1) and guide_pixels(page) == 0
    except Error:
        return False


def test_guide_and_pen_are_set_and_the_drawing_stays(screen: Page) -> None:
    draw(screen, "一")
    expect(best(screen, "一")).to_be_visible()
    assert guide_pixels(screen) > 1000
    thin = ink_pixels(screen)
    screen.get_by_role("button", name="Settings").click()
    screen.get_by_text("Guide lines").click()
    pen = screen.get_by_role("slider", name="Pen width")
    until(lambda: at_its_end(pen))
    screen.keyboard.press("Escape")
    expect(pen).to_be_hidden()
    screen.wait_for_timeout(1500)  # the pad is told of the pen, and draws anew
    expect(best(screen, "一")).to_be_visible()
    until(lambda: shows_plain(screen, thin))  # what was drawn stays as it was
    # A button that the page draws anew between press and release is not clicked: the slider's last runs come first.
    expect(screen.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    screen.get_by_role("button", name="Clear").click()
    expect(screen.get_by_text("Draw one character")).to_be_visible()
    draw(screen, "一")
    expect(best(screen, "一")).to_be_visible()
    assert ink_pixels(screen) > 1.4 * thin


def test_settings_are_as_they_were_whenever_they_are_opened(desktop: Page) -> None:
    desktop.get_by_role("tab", name="Upload").click()
    expect(desktop.get_by_role("button", name="Paste a picture")).to_be_visible()
    desktop.get_by_role("button", name="Settings").click()
    pen = desktop.get_by_role("slider", name="Pen width")
    expect(pen).to_have_value("14")
    expect(desktop.get_by_role("switch", name="Guide lines")).to_be_checked()
    prefer(desktop, "Rare characters")
    desktop.get_by_text("Guide lines").click()
    pen.press("ArrowRight")
    desktop.keyboard.press("Escape")
    expect(pen).to_be_hidden()
    for page in ("Models", "Recognise"):
        open_page(desktop, page)
    desktop.get_by_role("tab", name="Upload").click()
    expect(desktop.get_by_role("button", name="Paste a picture")).to_be_visible()
    desktop.get_by_role("button", name="Settings").click()
    expect(pen).to_have_value("15")
    expect(desktop.get_by_role("switch", name="Guide lines")).not_to_be_checked()
    expect(desktop.get_by_role("combobox", name="In doubt prefer")).to_have_value("Rare characters")


def test_only_what_counts_is_offered(desktop: Page) -> None:
    draw(desktop, "木")
    expect(best(desktop, "木")).to_be_visible()
    desktop.get_by_role("button", name="Settings").click()
    desktop.get_by_role("combobox", name="Characters that count").click()
    desktop.get_by_role("option", name="My own list").click()
    desktop.get_by_role("textbox", name="My list").fill("人 本")
    desktop.get_by_role("textbox", name="My list").press("Control+Enter")
    expect(best(desktop, "本")).to_be_visible()
    expect(desktop.locator(".choice")).to_have_count(1)
    expect(desktop.locator(".choice")).to_contain_text("人")


def choices(page: Page) -> list[str]:
    return page.locator(".choice b").all_inner_texts()


def prefer(page: Page, what: str) -> None:
    page.get_by_role("combobox", name="In doubt prefer").click()
    page.get_by_role("option", name=what).click()


def test_common_or_rare_characters_are_preferred_in_doubt(desktop: Page) -> None:
    draw(desktop, "人")
    expect(best(desktop, "人")).to_be_visible()
    expect(desktop.get_by_text("2 strokes, recognised in")).to_be_visible()
    common_first = choices(desktop)
    desktop.get_by_role("button", name="Settings").click()
    prefer(desktop, "What the model has learned")
    until(lambda: choices(desktop) != common_first)
    learned = choices(desktop)
    assert rises(learned, common_first)
    prefer(desktop, "Rare characters")
    until(lambda: choices(desktop) not in (learned, common_first))
    assert rises(choices(desktop), learned)
    prefer(desktop, "Common characters")
    until(lambda: choices(desktop) == common_first)


def rises(rare: list[str], common: list[str]) -> bool:
    """Some change places from ``rare`` to ``common``, and the more frequent rise; what is not listed comes last."""
    rate = frequencies_per_million()

    def place(label: str, listed: list[str]) -> int:
        return listed.index(label) if label in listed else len(listed)

    turned = [
        (a, b)
        for a, b in permutations({*rare, *common}, 2)
        if place(a, common) < place(b, common) and place(a, rare) > place(b, rare)
    ]
    return bool(turned) and all(rate.get(a, 0) > rate.get(b, 0) for a, b in turned)


def test_why_this_answer(screen: Page) -> None:
    draw(screen, "木")
    expect(best(screen, "木")).to_be_visible()
    screen.get_by_text("Why this answer?").click()
    expect(screen.get_by_text("Red speaks for 木, blue against")).to_be_visible()
    alike = screen.get_by_text(re.compile("To this model 木 looks like"))
    expect(alike).to_be_visible()
    assert len(alike.inner_text().split()) > 8
    views = screen.locator(".st-key-views-why").get_by_role("img")
    boxes = [views.nth(number).bounding_box() for number in (0, 1)]
    assert boxes[0] and boxes[1] and boxes[0]["y"] == boxes[1]["y"], "side by side"


def test_back_is_one_step_and_each_page_keeps_its_own_choice(
    desktop: Page, address: str, place: Workspace, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        write_collection(tmp_path / name, "人木", 12)
        import_dataset(place, ImportConfig(location=tmp_path / name, name=name), silent)
    choose_dataset = desktop.get_by_role("combobox", name="Dataset").first
    open_page(desktop, "Datasets")
    choose_dataset.click()
    desktop.get_by_role("option", name="second").click()
    expect(desktop).to_have_url(f"{address}/datasets?dataset=second")
    open_page(desktop, "Evaluation")
    expect(desktop).to_have_url(f"{address}/evaluation?model=builtin&dataset=first&part=test")
    desktop.go_back()
    expect(desktop.get_by_role("heading", name="Datasets", level=1)).to_be_visible()
    expect(desktop).to_have_url(f"{address}/datasets?dataset=second")
    expect(choose_dataset).to_have_value("second")
    open_page(desktop, "Models")
    open_page(desktop, "Datasets")
    expect(choose_dataset).to_have_value("second")


def test_what_a_page_writes_while_it_opens_is_not_in_the_address_of_the_page_before(
    desktop: Page, address: str
) -> None:
    open_page(desktop, "Models")
    desktop.evaluate("""() => {  // as Streamlit does now and then: first the parameters, then the page they are of
        const push = history.pushState;
        history.pushState = (state, unused, url) => {
            if (/hand/.test(url)) push({}, "", location.pathname + "?model=builtin");
            push(state, unused, url);
        };
    }""")
    open_page(desktop, "Handwriting")
    expect(desktop).to_have_url(re.compile("/hand"))
    back = """() => new Promise((found) => {
        addEventListener("popstate", () => found(location.href), { once: true });
        history.back();
    })"""
    assert desktop.evaluate(back) == f"{address}/models"
