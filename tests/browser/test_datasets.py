"""The buttons of the Datasets page: bring in with a label list, exclude, split by writer, keep a preset, write out."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hanzi_core.dataset import Dataset, Fault
from hanzi_core.image.presets import BUILT_IN, list_presets
from hanzi_core.jobs import list_jobs
from hanzi_core.workspace import Workspace
from tests.browser.conftest import Starter
from tests.collection import drawn, imported, png, write_files, write_gnt, write_zip

pytestmark = pytest.mark.browser


def collection(folder: Path) -> Path:
    files = {
        f"{number:05}/input_{seed % 5}_{seed}.png": png(drawn("人木"[number], seed))
        for number in (0, 1)
        for seed in range(20)
    }
    files["00000/input_1_copy.png"] = files["00000/input_1_1.png"]
    return write_files(folder, {**files, "labels.csv": "code,character\n0,人\n1,木\n".encode()})


def wait_for(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.25)


def bring_in(page: Page, folder: Path) -> None:
    page.get_by_role("tab", name="On this server").click()
    page.get_by_label("Path on the server").fill(str(folder))
    page.get_by_role("textbox", name="Name", exact=True).fill("coded")
    page.get_by_text("More: split, writers, limits for a zip").last.click()
    page.get_by_label("Validation, %").last.fill("20")
    page.get_by_label("A zip may unpack to, GiB").last.fill("2")
    page.get_by_role("button", name="Import").last.click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Classes")).to_contain_text("2", timeout=60_000)


def split_by_writer(page: Page) -> None:
    page.get_by_role("tab", name="Split").click()
    page.get_by_role("textbox", name="Writer pattern").fill(r"input_(\d+)_")
    page.get_by_label("Name of the split").fill("writers")
    page.get_by_role("button", name="Split", exact=True).click()
    expect(page.get_by_text("No picture and no writer is in more than one part.")).to_be_visible()


def keep_preset(page: Page) -> None:
    page.get_by_role("tab", name="Augmentation").click()
    expect(page.get_by_test_id("stImage").first).to_be_visible()
    page.get_by_role("slider", name="Rotation").press("ArrowRight")
    page.get_by_label("Name of the preset").fill("turned")
    page.get_by_role("button", name="Save preset").click()


def write_out(page: Page, target: Path) -> None:
    page.get_by_role("tab", name="Write out").click()
    page.get_by_label("Folder to make").fill(str(target))
    page.get_by_role("button", name="Write the folders").click()
    expect(page.get_by_text("files of 2 classes")).to_be_visible(timeout=60_000)


def test_from_numbered_folders_to_folders_for_other_tools(
    page: Page, serve: Starter, workspace: Workspace, tmp_path: Path
) -> None:
    page.goto(f"{serve(workspace).url}/datasets")
    bring_in(page, collection(tmp_path / "pictures"))
    dataset = Dataset.find(workspace, "coded")
    assert dataset.splits()["default"].validation == 0.2
    assert dataset.description["limits"]["total_gib"] == 2
    dataset.exclude([Fault.DUPLICATE], [])
    page.get_by_role("tab", name="Faults").click()
    expect(page.get_by_text("1 picture is excluded")).to_be_visible()
    split_by_writer(page)
    assert dataset.splits()["writers"].writer_pattern == r"input_(\d+)_"
    keep_preset(page)
    wait_for(lambda: set(list_presets(workspace)) == {*BUILT_IN, "turned"})
    assert list_presets(workspace)["turned"].rotation_deg == 16
    write_out(page, tmp_path / "out")
    assert (tmp_path / "out" / "labels.txt").read_text("utf-8") == "人\n木\n"


def test_from_a_dataset_to_training_and_evaluation_on_it(
    page: Page, address: str, place: Workspace, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        imported(
            place,
            write_files(tmp_path / name, {"人/1.png": png(drawn("人", 1)), "木/1.png": png(drawn("木", 1))}),
            name,
        )
    for link, heading in (("Train on it", "Training"), ("Evaluate on it", "Evaluation")):
        page.goto(f"{address}/datasets?dataset=second")
        page.get_by_role("link", name=link).click()
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        expect(page.get_by_role("combobox", name="Dataset").first).to_have_value("second")


def test_a_zip_from_chinese_windows_is_uploaded(
    page: Page, serve: Starter, workspace: Workspace, tmp_path: Path
) -> None:
    files = {f"汉字/{label}/{seed}.png": png(drawn(label, seed)) for label in "人木" for seed in range(6)}
    page.goto(f"{serve(workspace).url}/datasets")
    page.locator("input[type=file]").set_input_files(write_zip(tmp_path / "汉字.zip", files, "gbk"))
    expect(page.get_by_text("汉字.zip")).to_be_visible()
    page.get_by_role("button", name="Import").first.click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Pictures")).to_contain_text("12", timeout=60_000)
    dataset = Dataset.find(workspace, "汉字")
    assert set(dataset.manifest(["label"])["label"]) == set("人木")
    assert [path.name for path in workspace.datasets.iterdir()] == ["汉字"]  # the upload has moved into it


def test_settings_of_an_import_that_cannot_be_are_a_sentence_and_start_nothing(
    page: Page, serve: Starter, workspace: Workspace, tmp_path: Path
) -> None:
    files = {"人/1.png": png(drawn("人", 1)), "人/2.bmp": bytes(17 * 2**20)}
    page.goto(f"{serve(workspace).url}/datasets")
    page.locator("input[type=file]").set_input_files(write_zip(tmp_path / "a.zip", files))
    expect(page.get_by_text("a.zip")).to_be_visible()
    page.get_by_text("More: split, writers, limits for a zip").first.click()
    for label, wrong, right, says in (
        ("Validation, %", "90", "10", "must leave something to train on"),
        ("Writer pattern", "(", "", "is no regular expression"),
        ("A file in it may shrink to one in", "2", "200", "would unpack to 17 MiB"),
    ):
        field = page.locator(f"input[aria-label='{label}']").first
        field.fill(wrong)
        page.get_by_role("button", name="Import").first.click()
        expect(page.get_by_text(says)).to_be_visible()
        field.fill(right)
    assert list_jobs(workspace) == []
    assert [*workspace.datasets.iterdir()] == []


def test_records_of_casia_by_their_path(page: Page, serve: Starter, workspace: Workspace, tmp_path: Path) -> None:
    place = write_gnt(tmp_path / "1001-f.gnt", "人木人木人木")
    page.goto(f"{serve(workspace).url}/datasets")
    page.get_by_role("tab", name="On this server").click()
    page.get_by_label("Path on the server").fill(str(place))
    page.get_by_role("button", name="Import").last.click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Pictures")).to_contain_text("6", timeout=60_000)
    page.get_by_role("tab", name="Pictures").click()
    expect(page.get_by_test_id("stImage").first).to_be_visible()
