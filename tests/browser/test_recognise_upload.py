"""Pictures on the Recognise page: files of every kind, the clipboard, the camera, pages of characters, many at once."""

import base64
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from hanzi_core.jobs import list_jobs
from hanzi_core.recognition.batch import COLUMNS
from hanzi_core.recognition.corrections import Corrections
from hanzi_core.workspace import Workspace
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.conftest import WIDTHS, open_page, window
from tests.browser.pad import best, canvas
from tests.collection import zipped
from tests.handwriting import STROKES
from tests.handwriting import draw as written
from tests.written_page import photograph_with_matrix, write, write_page

pytestmark = pytest.mark.browser


def photo() -> bytes:
    """Two lines on a sheet on a desk, uneven light, turned by a quarter as phones store it."""
    page = write_page(["大木人口", "日中十三"], seed=3)
    picture = Image.fromarray(photograph_with_matrix(page, 2, 0.5, 0, desk=80)[0]).rotate(90, expand=True)
    turned = Image.Exif()
    turned[0x0112] = 6
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=turned, quality=90)
    return file.getvalue()


def picture(character: str = "木", side_px: int = 200, seed: int = 0) -> bytes:
    return encoded(written(character, np.random.default_rng(seed), side_px))


def encoded(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def upload(page: Page, content: bytes, name: str = "picture.png") -> None:
    page.get_by_role("tab", name="Upload").click()
    page.locator("input[type=file]").first.set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


def lines(page: Page) -> list[str]:
    shown = page.locator(".st-key-page-text")
    expect(shown).to_be_visible()
    return shown.get_by_test_id("stText").inner_text().split("\n")


def test_a_photo_of_two_lines(screen: Page) -> None:
    upload(screen, photo(), "photo.jpg")
    read = lines(screen)
    assert [len(line) for line in read] == [4, 4]
    assert sum(a == b for a, b in zip("".join(read), "大木人口日中十三", strict=True)) >= 6


def says(word: Locator) -> str:
    """What stands over a word of Streamlit's."""
    expect(word).to_have_css("font-size", "0px")
    return str(word.evaluate("each => getComputedStyle(each, '::after').content")).strip('"')


def test_streamlit_s_own_words_are_in_the_reader_s_language(desktop: Page) -> None:
    desktop.get_by_text("简体中文").click()
    desktop.get_by_role("tab", name="上传").click()
    assert says(desktop.get_by_test_id("stFileUploaderDropzone").get_by_role("button").locator("p")) == "上传"
    open_page(desktop, "模拟手写")
    desktop.get_by_label("数据集名称").fill("永")
    assert says(desktop.get_by_text("Press Enter to apply")) == "按回车键应用"
    desktop.get_by_role("combobox").first.fill("永")
    assert says(desktop.get_by_text("No results")) == "没有匹配的选项"


def test_boxes_are_merged_split_and_deleted(desktop: Page) -> None:
    upload(desktop, photo(), "photo.jpg")
    assert [len(line) for line in lines(desktop)] == [4, 4]
    text = desktop.locator(".st-key-page-text").get_by_test_id("stText")
    choose_rows(desktop, 0, 1)
    desktop.get_by_role("button", name="Merge").click()
    expect(text).to_have_text(pattern(3, 4))
    choose_rows(desktop, 0)
    desktop.get_by_role("button", name="Cut in two").click()
    expect(text).to_have_text(pattern(4, 4))
    choose_rows(desktop, 2, 3)
    desktop.get_by_role("button", name="Delete").click()
    expect(text).to_have_text(pattern(2, 4))


def test_two_that_were_taken_for_one_are_read_apart_when_it_is_said(desktop: Page) -> None:
    narrow = [np.pad(cv2.resize(write(each)[0], (60, 130)), 8) for each in "去学"]
    upload(desktop, encoded(255 - np.hstack(narrow)))
    expect(desktop.get_by_text("Not sure. It may be one of these, none, or several: say so above.")).to_be_visible()
    desktop.get_by_role("radio", name="Several characters").click()
    assert lines(desktop) == ["去学"]


def test_one_of_a_page_is_corrected(desktop: Page, place: Workspace) -> None:
    upload(desktop, photo(), "photo.jpg")
    first, second = lines(desktop)
    text = desktop.locator(".st-key-page-text").get_by_test_id("stText")
    choose_rows(desktop, 1)
    desktop.get_by_role("button", name="It should be …").click()
    desktop.get_by_label("Or another").fill("龘")
    desktop.get_by_role("button", name="Keep as correction").click()
    mended = re.compile(rf"^{first[0]}龘{first[2:]}\s{second}$")
    expect(text).to_have_text(mended)
    expect(desktop.get_by_text("Kept in the dataset Corrections as 龘.")).to_be_visible()
    kept = Corrections(place).all()
    assert [(each.label, each.recognised) for each in kept] == [("龘", first[1])]
    desktop.get_by_role("button", name="Undo the correction").click()
    expect(text).to_have_text(re.compile(rf"^{first}\s{second}$"))
    assert Corrections(place).all() == []


def pattern(*lengths: int) -> re.Pattern[str]:
    return re.compile("^" + r"\s".join(f"\\S{{{length}}}" for length in lengths) + "$")


def choose_rows(page: Page, *rows: int) -> None:
    """Tick rows of the table of characters, which is drawn on a canvas."""
    page.wait_for_timeout(1500)  # it is drawn anew when the page's script ends
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    for row in rows:
        page.wait_for_timeout(700)
        box = table.bounding_box()
        assert box
        page.mouse.click(box["x"] + 16, box["y"] + 35 * (row + 1) + 18)
    page.wait_for_timeout(700)


def test_paste(screen: Page) -> None:
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.get_by_role("tab", name="Upload").click()
    expect(screen.get_by_role("button", name="Paste a picture")).to_be_visible()
    copy_picture(screen, picture("木"))
    if screen.evaluate("navigator.maxTouchPoints > 0"):
        screen.get_by_role("button", name="Paste a picture").tap()
    else:
        screen.locator("body").press("Control+v")
    expect(best(screen, "木")).to_be_visible()
    for caption in ("The picture", "Taken as ink", "What the model saw"):
        expect(screen.get_by_text(caption)).to_be_visible()


def test_what_was_brought_stays_and_what_came_last_is_shown(desktop: Page) -> None:
    desktop.context.grant_permissions(["clipboard-read", "clipboard-write"])
    upload(desktop, picture("大"))
    expect(best(desktop, "大")).to_be_visible()
    desktop.get_by_role("tab", name="Corrections").click()
    expect(desktop.get_by_text("Nothing has been corrected yet")).to_be_visible()
    desktop.get_by_role("tab", name="Upload").click()
    expect(best(desktop, "大")).to_be_visible()
    open_page(desktop, "Models")
    open_page(desktop, "Recognise")
    expect(best(desktop, "大")).to_be_visible()
    desktop.get_by_role("button", name="Put away").click()
    expect(best(desktop, "大")).not_to_be_visible()
    upload(desktop, picture("大"))
    desktop.get_by_text("简体中文").click()
    expect(desktop.get_by_role("tab", name="上传")).to_have_attribute("aria-selected", "true")
    expect(best(desktop, "大")).to_be_visible()
    copy_picture(desktop, picture("木"))
    desktop.locator("body").press("Control+v")
    expect(best(desktop, "木")).to_be_visible()
    desktop.locator("input[type=file]").first.set_input_files(
        {"name": "another.png", "mimeType": "image/png", "buffer": picture("口")}
    )
    expect(desktop.get_by_role("button", name="识别 2 个文件")).to_be_visible()


def test_a_pasted_picture_is_told_once_and_put_away_by_a_file(desktop: Page) -> None:
    desktop.context.grant_permissions(["clipboard-read", "clipboard-write"])
    told: list[int] = []
    desktop.on("websocket", lambda socket: socket.on("framesent", lambda word: told.append(len(word))))
    desktop.reload()
    canvas(desktop).wait_for()
    upload(desktop, picture("大"))
    expect(best(desktop, "大")).to_be_visible()
    copy_picture(desktop, picture("木", 900))
    desktop.locator("body").press("Control+v")
    expect(best(desktop, "木")).to_be_visible()
    assert max(told) > 10_000
    told.clear()
    desktop.get_by_role("radio", name="Several characters").first.click()
    assert lines(desktop) == ["木"]
    assert told and max(told) < 5000
    upload(desktop, picture("口"))
    for _ in range(2):
        desktop.get_by_role("button", name="Remove").first.click()
        desktop.wait_for_timeout(1500)
    expect(desktop.get_by_test_id("stFileChip")).not_to_be_visible()
    expect(desktop.locator(".best")).not_to_be_visible()


def test_a_text_is_pasted_into_its_field_though_a_picture_of_it_is_copied_too(desktop: Page) -> None:
    desktop.context.grant_permissions(["clipboard-read", "clipboard-write"])
    upload(desktop, picture("大"))
    expect(best(desktop, "大")).to_be_visible()
    copy_picture(desktop, picture("木"), "木头")
    field = desktop.get_by_role("textbox", name="Text")
    field.press("Control+v")
    expect(field).to_have_value("木头")
    desktop.wait_for_timeout(1500)
    expect(best(desktop, "大")).to_be_visible()
    desktop.get_by_role("heading", level=1).click()
    desktop.keyboard.press("Control+v")
    expect(best(desktop, "木")).to_be_visible()


def copy_picture(page: Page, content: bytes, text: str | None = None) -> None:
    """As a browser copies it, or as Word does: with the text that it shows."""
    page.evaluate(
        """async ([data, text]) => {
            const kinds = { "image/png": await (await fetch(data)).blob() };
            if (text) kinds["text/plain"] = new Blob([text], { type: "text/plain" });
            await navigator.clipboard.write([new ClipboardItem(kinds)]);
        }""",
        [data_url(content), text],
    )


def data_url(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


@pytest.fixture
def camera(address: str, tmp_path: Path, chromium: Browser) -> Iterator[Page]:
    """A window of a Chromium whose camera sees one written character."""
    video = tmp_path / "camera.mjpeg"
    frame = np.full((480, 640), 255, np.uint8)
    frame[90:390, 170:470] = written("木", np.random.default_rng(1), 300)
    video.write_bytes(cv2.imencode(".jpg", frame)[1].tobytes() * 4)
    arguments = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    browser = chromium.browser_type.launch(
        executable_path=find_chromium(), args=[*ARGUMENTS, *arguments, f"--use-file-for-fake-video-capture={video}"]
    )
    with window(browser, permissions=["camera"]) as page:
        page.goto(address)
        yield page
    browser.close()


def test_camera(camera: Page) -> None:
    camera.get_by_role("tab", name="Upload").click()
    camera.get_by_text("Camera", exact=True).click()
    # Before its first frame, there is no photo to take.
    camera.wait_for_function(
        "() => { const v = document.querySelector('video'); return v?.readyState >= 2 && v.videoWidth > 0 }"
    )
    camera.get_by_role("button", name="Take Photo").click()
    expect(best(camera, "木")).to_be_visible()


@pytest.mark.parametrize("as_zip", [pytest.param(False, marks=pytest.mark.long), True])
def test_five_hundred_files_at_once(desktop: Page, tmp_path: Path, as_zip: bool) -> None:
    files = {f"{number}.png": picture("木人中"[number % 3], 64, number) for number in range(499)} | {
        "bad.png": b"rubbish"
    }
    desktop.get_by_role("tab", name="Upload").click()
    chooser = desktop.locator("input[type=file]").first
    if as_zip:
        (tmp_path / "many.zip").write_bytes(zipped(files))
        chooser.set_input_files(tmp_path / "many.zip")
        desktop.get_by_role("button", name="Recognise 1 file").click()
    else:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        chooser.set_input_files([tmp_path / name for name in files])
        desktop.get_by_role("button", name="Recognise 500 files").click(timeout=240_000)  # each is a request
    expect(desktop.get_by_text("All 500")).to_be_visible(timeout=120_000)
    expect(desktop.get_by_text("Unreadable 1")).to_be_visible()
    with desktop.expect_download() as download:
        desktop.get_by_test_id("stDownloadButton").get_by_text("Download as CSV").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 501
    assert sum(row[1] == "木人中"[int(row[0].split(".")[0]) % 3] for row in rows[1:] if row[1]) > 450
    desktop.get_by_text("Doubtful").click()
    expect(desktop.get_by_test_id("stDataFrame")).to_be_visible()


def huge() -> bytes:
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000), 1).save(file, "PNG")
    return file.getvalue()


BAD = {
    "empty.png": (lambda: b"", "is empty"),
    "text.png": (lambda: b"no picture", "cannot be read as a picture"),
    "paper.png": (lambda: b"%PDF-1.7 rubbish", "cannot be read as a picture"),
    "huge.png": (huge, "20000×20000 pixels"),
    "black.png": (lambda: encoded(np.zeros((300, 300), np.uint8)), "No ink found"),
}


def test_what_cannot_be_read_is_one_sentence(desktop: Page) -> None:
    for name, (content, says) in BAD.items():
        upload(desktop, content(), name)
        expect(desktop.get_by_test_id("stAlert").filter(has_text=says)).to_be_visible()
        desktop.reload()
        canvas(desktop).wait_for()  # a click before that is lost


def animated() -> bytes:
    frames = [Image.fromarray(written(each, np.random.default_rng(0), 200)) for each in "木人"]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def transparent() -> bytes:
    """Ink on nothing, as a drawing programme leaves it."""
    ink = 255 - written("木", np.random.default_rng(0), 200)
    return encoded(np.dstack([np.zeros_like(ink)] * 3 + [ink]))


GOOD = {
    "animated.gif": animated,
    "transparent.png": transparent,
    "white-on-black.png": lambda: encoded(255 - written("木", np.random.default_rng(0), 200)),
}


def test_odd_pictures_are_read_all_the_same(desktop: Page) -> None:
    assert "木" in STROKES
    for name, content in GOOD.items():
        upload(desktop, content(), name)
        expect(best(desktop, "木")).to_be_visible()
        desktop.reload()


def test_a_pdf_is_not_taken(desktop: Page) -> None:
    upload(desktop, b"%PDF-1.7", "paper.pdf")
    told = desktop.get_by_test_id("stFileChipName").locator("+ div")
    expect(told).to_be_visible()
    assert "Not taken" in told.evaluate("each => getComputedStyle(each, '::after').content")


def test_a_damaged_zip_is_told_and_leaves_no_job(desktop: Page, place: Workspace) -> None:
    upload(desktop, b"PK rubbish", "many.zip")
    desktop.get_by_role("button", name="Recognise 1 file").click()
    expect(desktop.get_by_test_id("stAlert").filter(has_text="many.zip is damaged")).to_be_visible()
    assert list_jobs(place) == []


@pytest.mark.parametrize("screen", WIDTHS, indirect=True)
def test_the_answer_to_a_picture_is_seen_at_once(screen: Page) -> None:
    upload(screen, picture("木"))
    expect(best(screen, "木")).to_be_in_viewport(ratio=1)
    screen.get_by_text("How the ink is found").click()
    threshold = screen.get_by_role("combobox", name="Threshold")
    screen.wait_for_timeout(800)  # unfolding comes to rest
    threshold.scroll_into_view_if_needed()
    screen.wait_for_timeout(800)  # so does scrolling, which would close the list
    threshold.click()
    screen.get_by_role("option", name="By hand").click()
    expect(screen.get_by_role("slider", name="Level")).to_be_visible()
