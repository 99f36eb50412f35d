"""Recognise in a real browser, with mouse and finger, at the widths of a desktop, a tablet and a phone."""

import contextlib
import re
import shutil
from pathlib import Path

import numpy as np
import psutil
import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from hanzi_core.bundle import BUILT_IN, CARD, Bundle, write_description
from hanzi_core.jobs import list_jobs
from hanzi_core.recognition.corrections import Corrections
from hanzi_core.recognition.prototypes import TaughtCharacters
from hanzi_core.workspace import Workspace
from pages.parts import candidates, copy_button
from pages.parts.in_order import IN_ORDER
from tests.browser.conftest import WIDTHS, Starter, open_page, window
from tests.browser.pad import best, canvas, draw, text
from tests.errands import until
from tests.handwriting import STROKES
from tests.handwriting import draw as draw_picture

pytestmark = pytest.mark.browser


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
    expect(screen.get_by_text("4 strokes, recognised")).to_be_visible()  # the last stroke is known
    screen.get_by_role("button", name="Clear").click()
    expect(screen.get_by_text("Draw one character")).to_be_visible()
    screen.get_by_role("button", name="Backspace").click()
    expect(text(screen)).to_have_value("人")
    screen.get_by_role("button", name="Copy").click()
    expect(screen.get_by_role("button", name="Copied")).to_be_visible()
    assert screen.evaluate("navigator.clipboard.readText()") == "人"


def test_a_double_click_writes_once(desktop: Page) -> None:
    for written in ("木", "木木"):
        draw(desktop, "木")
        best(desktop, "木").dblclick()
        expect(desktop.get_by_text("Draw one character")).to_be_visible()
        desktop.wait_for_timeout(600)  # the second click is heard
        expect(text(desktop)).to_have_value(written)


def test_what_was_drawn_and_written_outlives_the_server(page: Page, serve: Starter, workspace: Workspace) -> None:
    page.goto(serve(workspace).url)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("slider", name="Pen width").press("ArrowRight")
    page.keyboard.press("Escape")
    page.locator(".st-key-pad-canvas-15").wait_for()
    draw(page, "人")
    expect(page.get_by_text("2 strokes, recognised")).to_be_visible()  # the last stroke is known
    best(page, "人").click()
    expect(text(page)).to_have_value("人")
    draw(page, "木")
    expect(page.get_by_text("4 strokes, recognised")).to_be_visible()
    serve.kill_all()
    expect(page.get_by_role("dialog", name="Connection error")).to_be_visible()
    serve(workspace)
    expect(page.get_by_role("dialog")).not_to_be_visible()
    page.wait_for_timeout(3000)  # the pad has told what it shows by now
    best(page, "木").click()
    expect(text(page)).to_have_value("人木")
    page.get_by_role("button", name="Backspace").click()
    expect(text(page)).to_have_value("人")


def test_a_finger_hits_everything(chromium: Browser, address: str) -> None:
    with window(chromium, 390, 844, has_touch=True, is_mobile=True) as page:
        page.goto(address)
        draw(page, "木")
        page.get_by_role("button", name="It should be").click()
        expect(page.get_by_role("radio", name="本")).to_be_visible()
        hit = page.locator(":is(button, [role=tab]):visible:not([tabindex='-1'])").all()
        sizes = {each.inner_text() or each.get_attribute("aria-label"): each.bounding_box() for each in hit}
        assert len(sizes) > 20
        assert {name for name, box in sizes.items() if box and min(box["width"], box["height"]) < 43.9} == set()


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


def test_the_open_tab_is_open_again_after_a_look_at_another_page(desktop: Page) -> None:
    desktop.get_by_role("tab", name="Corrections").click()
    expect(desktop.get_by_text("Nothing has been corrected yet")).to_be_visible()
    open_page(desktop, "Models")
    open_page(desktop, "Recognise")
    expect(desktop.get_by_role("tab", name="Corrections")).to_have_attribute("aria-selected", "true")
    expect(desktop.get_by_text("Nothing has been corrected yet")).to_be_visible()


def test_keys(desktop: Page) -> None:
    draw(desktop, "十")
    expect(best(desktop, "十")).to_be_visible()
    desktop.keyboard.press("Control+z")
    expect(best(desktop, "一")).to_be_visible()
    desktop.keyboard.press("Control+y")
    expect(best(desktop, "十")).to_be_visible()
    desktop.keyboard.press("Escape")
    expect(desktop.get_by_text("Draw one character")).to_be_visible()


def test_keys_in_a_text_field_are_the_field_s(desktop: Page) -> None:
    draw(desktop, "十")
    expect(best(desktop, "十")).to_be_visible()
    desktop.get_by_role("button", name="It should be").click()
    field = desktop.get_by_role("textbox", name="Or another")
    field.press_sequentially("ab")
    for key in ("Control+z", "Control+y", "Escape"):
        desktop.keyboard.press(key)
    expect(field).not_to_be_visible()  # Esc has closed the dialog, as it does everywhere
    desktop.wait_for_timeout(600)
    expect(best(desktop, "十")).to_be_visible()
    desktop.keyboard.press("Control+z")
    expect(best(desktop, "一")).to_be_visible()


def test_the_stroke_order_rests_after_three_rounds_and_goes_on_when_pointed_at(desktop: Page) -> None:
    draw(desktop, "人")
    expect(best(desktop, "人")).to_be_visible()
    shown = desktop.get_by_role("img", name="人")
    strokes = "each.getAnimations({ subtree: true })"
    assert shown.evaluate(f"each => {strokes}.map(one => one.effect.getTiming().iterations)") == [3, 3]
    shown.evaluate(f"each => {strokes}.forEach(one => one.finish())")
    shown.hover()
    handle = shown.element_handle()
    desktop.wait_for_function(f"each => {strokes}.every(one => one.playState === 'running')", arg=handle)


def test_correct(screen: Page, place: Workspace) -> None:
    draw(screen, "大")
    expect(screen.locator(".best")).to_be_visible()
    screen.get_by_role("button", name="It should be").click()
    screen.get_by_role("textbox", name="Or another").fill("太")
    keep = screen.get_by_role("button", name="Keep as correction")
    expect(keep).to_be_in_viewport(ratio=1)
    keep.click()
    expect(screen.get_by_text("Kept in the dataset Corrections as 太")).to_be_in_viewport(ratio=1)
    kept = Corrections(place).all()
    assert [each.label for each in kept] == ["太"]
    assert len(kept[0].strokes) == len(STROKES["大"])
    screen.get_by_role("button", name="Undo the correction").click()
    expect(screen.get_by_role("button", name="Undo the correction")).not_to_be_visible()
    assert Corrections(place).all() == []


def test_one_click_lets_the_model_learn_its_corrections(desktop: Page, place: Workspace) -> None:
    written = draw_picture("木", np.random.default_rng(0))
    Corrections(place).add(written, "囘", [], Bundle.open(BUILT_IN).card)
    desktop.get_by_role("tab", name="Corrections").click()
    beside = desktop.get_by_role("button", name="Export as zip"), desktop.get_by_role("link", name="See the dataset")

    def are_in_line() -> bool:
        middles = [box["y"] + box["height"] / 2 for each in beside if (box := each.bounding_box())]
        return len(middles) == 2 and middles[0] == pytest.approx(middles[1], abs=2)

    until(are_in_line, 90)  # the page may still be growing above one of them
    desktop.get_by_role("button", name="Fine-tune “Built-in” on them").click()
    expect(desktop.get_by_role("heading", level=1, name="Training")).to_be_visible()
    (job,) = list_jobs(place, "train")
    expect(desktop).to_have_url(re.compile(f"run={job.id}"))
    expect(desktop.get_by_text("Built-in + Corrections", exact=True)).to_be_visible()
    expect(desktop.get_by_text(re.compile("starting|running")).first).to_be_visible()
    until(lambda: job.process() is not None, 90)
    process = job.process()
    assert process
    process.kill()  # that it learns is what tests/test_training_rehearsal.py sees to


def test_teach(screen: Page, place: Workspace) -> None:
    screen.get_by_role("tab", name="Teach").click()
    for number in (1, 2, 3):
        draw(screen, "日")
        screen.get_by_role("button", name=f"Take drawing {number} of 3").click()
        expect(screen.get_by_test_id("stImage").locator("img")).to_have_count(number)
    screen.get_by_role("button", name="Teach", exact=True).click()
    expect(screen.get_by_text("cannot name a character")).to_be_visible()
    screen.get_by_role("textbox", name="Name").fill("☀")
    screen.get_by_role("button", name="Teach", exact=True).click()
    expect(screen.get_by_role("button", name="Delete")).to_be_visible()
    expect(screen.get_by_text("cannot name a character")).not_to_be_visible()
    assert [each.label for each in TaughtCharacters(place).all()] == ["☀"]
    screen.get_by_role("tab", name="Draw").click()
    draw(screen, "日")
    expect(best(screen, "☀")).to_be_visible()


def test_a_long_name_that_was_taught_leaves_the_candidates_in_place(screen: Page, place: Workspace) -> None:
    drawings = [draw_picture("日", np.random.default_rng(seed)) for seed in range(3)]
    TaughtCharacters(place).add("一个很长很长的名字" * 5, drawings)
    draw(screen, "日")
    expect(best(screen, "一个很长")).to_be_visible()
    height = screen.locator(".candidates").bounding_box()
    assert height and height["height"] < 350


def test_the_end_of_a_long_text_is_seen(screen: Page) -> None:
    text(screen).fill("写一行字" * 20)
    text(screen).press("Enter")
    draw(screen, "一")
    best(screen, "一").click()
    expect(text(screen)).to_have_value("写一行字" * 20 + "一")
    until(lambda: text(screen).evaluate("each => each.scrollLeft + each.clientWidth >= each.scrollWidth - 1"))


def test_an_element_that_is_told_late_shows_what_is_true(desktop: Page) -> None:
    words = {"label": "Copy", "done": "Copied", "field": ""}
    shown = desktop.evaluate(
        """async ([script, now, before]) => {
            const file = new Blob([script], { type: "text/javascript" });
            const { default: show } = await import(URL.createObjectURL(file));
            const parentElement = document.createElement("div");
            parentElement.innerHTML = "<button></button>";
            for (const data of [now, before]) show({ data, parentElement });
            return parentElement.querySelector("button").disabled;
        }""",
        [copy_button._JS, {**words, "text": "木", "told": 2.0}, {**words, "text": "", "told": 1.0}],
    )
    assert shown is False
    assert IN_ORDER in candidates._JS
    text(desktop).fill("人")
    text(desktop).press("Enter")
    expect(desktop.get_by_role("button", name="Copy")).to_be_enabled()
    text(desktop).fill("")
    text(desktop).press("Enter")
    expect(desktop.get_by_role("button", name="Copy")).to_be_disabled()


def test_a_broken_model_says_so_and_another_answers(chromium: Browser, address: str, place: Workspace) -> None:
    broken = Path(shutil.copytree(BUILT_IN, place.models / "broken"))
    write_description(broken, Bundle.open(BUILT_IN).card, ("一", "二"))
    with window(chromium) as page:
        page.goto(address + "/?model=broken")
        expect(page.get_by_text("does not fit together")).to_be_visible()
        draw(page, "木")
        expect(best(page, "木")).to_be_visible()


def test_settings_show_the_model_that_answers(chromium: Browser, address: str, place: Workspace) -> None:
    mine = Path(shutil.copytree(BUILT_IN, place.models / "mine"))
    (mine / CARD).write_text(Bundle.open(BUILT_IN).card.model_copy(update={"name": "My model"}).model_dump_json())
    with window(chromium) as page:
        page.goto(address + "/?model=mine")
        page.get_by_role("tab", name="Upload").click()
        expect(page.get_by_role("button", name="Paste a picture")).to_be_visible()
        page.get_by_role("button", name="Settings").click()
        expect(page.get_by_role("combobox", name="Model")).to_have_value("My model")


@pytest.mark.parametrize("screen", WIDTHS, indirect=True)
def test_pad_and_candidates_are_seen_together(screen: Page) -> None:
    draw(screen, "木")
    expect(best(screen, "木")).to_be_visible()
    screen.mouse.wheel(0, -2000)
    screen.wait_for_timeout(300)
    assert screen.viewport_size
    must_fit = [canvas(screen), best(screen, "木"), screen.locator(".choice").nth(5)]
    if screen.viewport_size["width"] > 640:
        must_fit += [screen.get_by_role("button", name="Clear"), screen.locator(".choice").last]
    for each in must_fit:
        box = each.bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= screen.viewport_size["height"]
        assert box["x"] + box["width"] <= screen.viewport_size["width"]


def test_a_scribble_gets_no_proud_answer(desktop: Page) -> None:
    box = canvas(desktop).bounding_box()
    assert box
    random = np.random.default_rng(5)
    for _ in range(6):
        points = random.uniform(0.1, 0.9, (9, 2)) * [box["width"], box["height"]] + [box["x"], box["y"]]
        desktop.mouse.move(*points[0])
        desktop.mouse.down()
        for point in points[1:]:
            desktop.mouse.move(*point, steps=6)
        desktop.mouse.up()
        desktop.wait_for_timeout(200)
    expect(desktop.get_by_text("6 strokes, recognised in")).to_be_visible()
    expect(desktop.get_by_text("Not sure")).to_be_visible()


@pytest.mark.long
def test_twenty_sessions_at_once(chromium: Browser, serve: Starter, place: Workspace) -> None:
    server = serve(place)
    characters = [*"木人中大口日十三二一"] * 2
    with contextlib.ExitStack() as windows:
        pages = [windows.enter_context(window(chromium, 900, 800)) for _ in characters]
        for page in pages:
            page.goto(server.url)
        for page, character in zip(pages, characters, strict=True):
            canvas(page).wait_for()
            draw(page, character)
        for page, character in zip(pages, characters, strict=True):
            expect(best(page, character)).to_be_visible()
    memory_mib = psutil.Process(server.process.pid).memory_info().rss / 2**20
    assert memory_mib < 300


def test_a_page_left_with_a_stroke_on_its_way_loses_nothing(desktop: Page) -> None:
    for strokes, page in enumerate(("Datasets", "Models", "Training"), 1):
        canvas(desktop).hover(position={"x": 100, "y": 80 * strokes})  # once it stays where it is
        pad = canvas(desktop).bounding_box()
        assert pad
        desktop.mouse.down()
        desktop.mouse.move(pad["x"] + 300, pad["y"] + 80 * strokes, steps=6)
        desktop.mouse.up()
        for name in (page, "Recognise"):
            open_page(desktop, name)
        expect(desktop.get_by_text(re.compile(f"^{strokes} strokes?, recognised"))).to_be_visible()


def leave_with_a_late_word(page: Page, address: str) -> list[str]:
    """Draw, and open Handwriting so that the server hears of the drawing after that; the faults that this brings."""
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    told: list[bytes] = []
    late: list[bytes] = []

    def on_socket(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def from_page(word: bytes | str) -> None:
            server.send(word)
            assert isinstance(word, bytes)
            asked = BackMsg.FromString(word)
            if asked.rerun_script.fragment_id and not asked.rerun_script.is_auto_rerun:
                told.append(word)
            elif late and asked.HasField("rerun_script"):
                server.send(late.pop())  # the next page begins, and forty hands take a while

        socket.on_message(from_page)
        server.on_message(socket.send)

    page.route_web_socket(re.compile("_stcore/stream"), on_socket)
    page.goto(address)
    draw(page, "一")
    expect(best(page, "一")).to_be_visible()
    late.append(told[-1])
    open_page(page, "Handwriting")
    for _ in range(20):
        if faults:
            break
        page.wait_for_timeout(500)
    return faults


def test_a_page_that_hears_late_of_the_one_before_is_loaded_anew(chromium: Browser, address: str) -> None:
    for _ in range(5):  # it does no harm where the next page is through by then: once or twice of eight
        context = chromium.new_context(locale="en-GB")
        page = context.new_page()
        faults = leave_with_a_late_word(page, address)
        if faults:
            break
        context.close()
    assert [fault for fault in faults if "delta path" in fault]
    expect(page.get_by_role("textbox", name="Character", exact=True)).to_have_value("永")
    context.close()
