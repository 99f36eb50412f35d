"""The Evaluation page under a finger, and after a look at another page."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hanzi_core.bundle import BUILT_IN, Bundle, write_description
from hanzi_core.workspace import Workspace
from tests.browser.conftest import open_page, window
from tests.conftest import run_command
from tests.runs import make_dataset

pytestmark = pytest.mark.browser


@pytest.fixture
def _mistaken(place: Workspace, tmp_path: Path) -> None:
    """An evaluation of a model that calls 口 日 and 日 口."""
    make_dataset(place, tmp_path / "three", count=15)
    folder, known = place.models / "twin", Bundle.open(BUILT_IN)
    shutil.copytree(BUILT_IN, folder)
    swapped = {"口": "日", "日": "口"}
    write_description(folder, known.card, tuple(swapped.get(label, label) for label in known.labels))
    done = run_command(place.root, "evaluate", "twin", "--dataset", "three", "--part", "validation")
    assert done.returncode == 0, done.stderr


def choose_validation(page: Page) -> None:
    page.get_by_role("combobox", name="Part").click()
    page.get_by_role("option", name="validation").click()
    expect(page.get_by_text("口 taken for 日")).to_be_visible()


def drag(page: Page, down: tuple[float, float], up: tuple[float, float]) -> None:
    """A finger on the glass."""
    fingers = page.context.new_cdp_session(page)
    for kind, part in [("touchStart", 0.0), *(("touchMove", step / 10) for step in range(1, 11))]:
        x, y = (start + part * (end - start) for start, end in zip(down, up, strict=True))
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        page.wait_for_timeout(30)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.usefixtures("_mistaken")
def test_a_finger_moves_the_heatmap_in_its_box_and_the_page(chromium: Browser, address: str) -> None:
    with window(chromium, 320, 640, has_touch=True, is_mobile=True) as page:
        page.goto(f"{address}/evaluation?model=twin&dataset=three")
        choose_validation(page)
        box = page.locator(".st-key-wide-heatmap")
        box.locator(".nsewdrag").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        box.evaluate("each => each.scrollIntoView({block: 'center'})")
        place = box.bounding_box()
        assert place
        drag(page, (250, place["y"] + 150), (120, place["y"] + 150))
        page.wait_for_function("document.querySelector('.st-key-wide-heatmap').scrollLeft > 20")
        before = page.get_by_test_id("stMain").evaluate("each => each.scrollTop")
        drag(page, (160, place["y"] + 100), (160, place["y"] + 220))
        page.wait_for_function(
            "before => document.querySelector('[data-testid=stMain]').scrollTop < before", arg=before
        )


@pytest.mark.usefixtures("_mistaken")
def test_a_finger_moves_the_page_past_a_chart_and_a_tap_reads_it(chromium: Browser, address: str) -> None:
    with window(chromium, 390, 640, has_touch=True, is_mobile=True) as page:
        page.goto(f"{address}/evaluation?model=twin&dataset=three")
        choose_validation(page)
        page.get_by_role("tab", name="Confidence").tap()
        chart = page.locator(".st-key-coverage .nsewdrag")
        chart.wait_for()
        chart.evaluate("each => each.scrollIntoView({block: 'center'})")
        place = chart.bounding_box()
        assert place
        page.touchscreen.tap(place["x"] + 100, place["y"] + 100)
        expect(page.locator(".st-key-coverage .hoverlayer").get_by_text("Coverage")).to_be_visible()
        before = page.get_by_test_id("stMain").evaluate("each => each.scrollTop")
        drag(page, (160, place["y"] + 60), (160, place["y"] + 180))
        page.wait_for_function(
            "before => document.querySelector('[data-testid=stMain]').scrollTop < before", arg=before
        )


@pytest.mark.usefixtures("_mistaken")
@pytest.mark.parametrize(
    ("tab", "order"), [("Confusions", "The most frequent first."), ("Characters", "The worst first.")]
)
def test_the_buttons_of_a_table_cover_no_tab(chromium: Browser, address: str, tab: str, order: str) -> None:
    with window(chromium, 390, 844, has_touch=True, is_mobile=True) as page:
        page.goto(f"{address}/evaluation?model=twin&dataset=three")
        choose_validation(page)
        page.get_by_role("tab", name=tab).tap()
        expect(page.get_by_text(order)).to_be_visible()
        table = page.get_by_role("tabpanel", name=tab).get_by_test_id("stDataFrame")
        table.wait_for()
        place = table.bounding_box()
        assert place and place["height"] < 150, "three rows at most, and none that is empty"
        page.touchscreen.tap(place["x"] + 80, place["y"] + 50)
        buttons = page.get_by_test_id("stElementToolbar").filter(has=page.get_by_role("button", name="Search"))
        expect(buttons).to_be_visible()
        shown, last = buttons.bounding_box(), page.get_by_role("tab", name="Compare").bounding_box()
        assert shown and last
        assert shown["y"] >= last["y"] + last["height"]


@pytest.mark.usefixtures("_mistaken")
def test_the_part_is_kept_while_another_page_is_looked_at(page: Page, address: str) -> None:
    page.goto(f"{address}/evaluation?model=twin&dataset=three")
    choose_validation(page)
    open_page(page, "Models")
    open_page(page, "Evaluation")
    expect(page.get_by_role("combobox", name="Part")).to_have_value("validation")
    expect(page.get_by_text("口 taken for 日")).to_be_visible()
