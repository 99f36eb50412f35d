"""The faults of a dataset in a real browser: excluded by kind and by file, taken back, scanned again, deleted."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from hanzi_core.dataset import Dataset, Fault
from hanzi_core.jobs import list_jobs
from hanzi_core.workspace import Workspace
from tests.browser.conftest import Starter
from tests.browser.test_datasets import wait_for
from tests.collection import drawn, imported, png, write_files
from tests.handwriting import write_collection

pytestmark = pytest.mark.browser

ROW_PX = 35
"""Height of a row, and of the header, of Streamlit's tables."""


@pytest.fixture
def dataset(workspace: Workspace, tmp_path: Path) -> Dataset:
    folder = write_collection(tmp_path / "a", "人木日", 8)
    one = (folder / "人" / "0.png").read_bytes()
    files = {"人/copy.png": one, "木/again.png": (folder / "木" / "3.png").read_bytes(), "日/broken.png": b"x"}
    return imported(workspace, write_files(folder, files))


def excluded(dataset: Dataset) -> list[str]:
    manifest = dataset.manifest(["path", "excluded"])
    return manifest.loc[manifest["excluded"], "path"].tolist()


def select(table: Locator, row: int) -> None:
    """Press the box before a row of a table, which Streamlit draws on a canvas."""
    table.click(position={"x": 16, "y": (row + 1.5) * ROW_PX})


def choose_kind(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Files with").click()
    page.get_by_role("option", name=name).click()


def press_a_kind(page: Page) -> None:
    page.get_by_test_id("stCheckbox").filter(has_text="exact copy").click()
    page.get_by_role("button", name="Apply").click()


def list_of_faults(page: Page) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this list").click()
    return Path(download.value.path()).read_text("utf-8-sig")


def test_nothing_is_selected_in_the_next_dataset(page: Page, address: str, place: Workspace, tmp_path: Path) -> None:
    for name, copies in (("many", 6), ("few", 1)):
        files = {f"人/{seed}.png": png(drawn("人", seed)) for seed in range(8)}
        files |= {f"人/copy{seed}.png": files[f"人/{seed}.png"] for seed in range(copies)}
        imported(place, write_files(tmp_path / name, files), name)
    page.goto(f"{address}/datasets?dataset=many")
    page.get_by_role("tab", name="Faults").click()
    select(page.get_by_test_id("stDataFrame"), row=5)
    expect(page.get_by_role("button", name="Exclude these")).to_be_visible()
    page.get_by_role("combobox", name="Dataset").click()
    page.get_by_role("option", name="few").click()
    expect(page.locator("[aria-rowcount='2']")).to_be_attached()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_role("button", name="Exclude these")).not_to_be_visible()


def test_from_faults_to_nothing_left(page: Page, serve: Starter, dataset: Dataset, tmp_path: Path) -> None:
    space = Workspace(dataset.folder.parents[1])
    page.goto(f"{serve(space).url}/datasets?dataset=set")
    page.get_by_role("tab", name="Faults").click()
    assert "日/broken.png,日,unreadable" in list_of_faults(page)

    press_a_kind(page)
    wait_for(lambda: dataset.excluded_kinds() == {Fault.DUPLICATE})
    expect(page.get_by_text("2 pictures are excluded")).to_be_visible()
    assert excluded(dataset) == ["人/copy.png", "木/again.png"]
    press_a_kind(page)
    wait_for(lambda: excluded(dataset) == [])

    choose_kind(page, "exact copy")
    two_and_header = page.locator("[aria-rowcount='3']")  # the table before has one row, and goes a little later
    select(page.get_by_test_id("stDataFrame").filter(has=two_and_header), row=1)
    expect(page.get_by_test_id("stImage").first).to_be_visible()
    page.get_by_role("button", name="Exclude these").click()
    wait_for(lambda: excluded(dataset) == ["木/again.png"])
    page.get_by_role("button", name="Take these back").click()
    wait_for(lambda: excluded(dataset) == [])

    (tmp_path / "a" / "日" / "broken.png").write_bytes(png(drawn("日", 99)))
    page.get_by_role("button", name="Scan again").click()
    wait_for(lambda: Fault.UNREADABLE not in set(dataset.manifest(["fault"])["fault"]))
    wait_for(lambda: not any(job.status().state.is_active for job in list_jobs(space, "scan")))

    page.reload()  # a page that follows a scan is shown anew when the scan ends, and that closes what is open
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete this dataset").click()
    expect(page.get_by_text("There is no dataset yet.")).to_be_visible()
    assert not dataset.folder.exists()
    assert len(list((tmp_path / "a").rglob("*.png"))) == 27
