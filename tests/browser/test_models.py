import shutil
from pathlib import Path

from playwright.sync_api import Page, expect

from hanzi_core.bundle import BUILT_IN, BUILT_IN_KEY, LABELS, find_bundles
from hanzi_core.bundle_archive import archive_bundle
from hanzi_core.workspace import Workspace


def test_a_damaged_model_that_was_brought_in_can_go(page: Page, address: str, place: Workspace) -> None:
    shutil.copytree(BUILT_IN, place.models / "brush")
    (place.models / "brush" / LABELS).write_text("{")
    page.goto(f"{address}/models")
    fault = page.get_by_text("labels of the model in models/brush")
    expect(fault).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete this model").click()
    expect(fault).to_have_count(0)
    assert list(find_bundles(place)) == [BUILT_IN_KEY]


def test_a_model_that_was_brought_in_is_told(page: Page, address: str, place: Workspace, tmp_path: Path) -> None:
    """It stands at the end of the list, out of sight below the form."""
    (tmp_path / "brush.zip").write_bytes(archive_bundle(BUILT_IN))
    page.goto(f"{address}/models")
    page.get_by_text("Bring in a model").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "brush.zip")
    page.get_by_role("button", name="Bring in", exact=True).click()
    expect(page.get_by_test_id("stToast")).to_contain_text("“Built-in · brush” is there")
    assert list(find_bundles(place)) == [BUILT_IN_KEY, "brush"]
