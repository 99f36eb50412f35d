import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hanzi_core.dataset import Dataset, Fault, SplitSettings, list_datasets, rescan
from hanzi_core.dataset.store import labels_of, split_digest
from hanzi_core.errors import DatasetError, WorkspaceError
from hanzi_core.workspace import LEAVING, Workspace
from tests.collection import imported, silent, write_files
from tests.handwriting import write_collection


@pytest.fixture
def dataset(workspace: Workspace, tmp_path: Path) -> Dataset:
    folder = write_collection(tmp_path / "pictures", "人木", 10)
    write_files(folder, {"人/copy.png": (folder / "人" / "0.png").read_bytes()})
    return imported(workspace, folder)


def test_found_again_by_name(workspace: Workspace, dataset: Dataset) -> None:
    assert Dataset.find(workspace, "set") == dataset
    assert list_datasets(workspace) == [dataset]
    with pytest.raises(DatasetError, match="no dataset “other”"):
        Dataset.find(workspace, "other")


def test_several_splits(dataset: Dataset) -> None:
    dataset.split(SplitSettings(name="half", validation=0.5, test=0))
    assert set(dataset.splits()) == {"default", "half"}
    assert sorted(dataset.parts("half").value_counts()) == [10, 11]
    assert split_digest(dataset.parts("half")) != split_digest(dataset.parts("default"))
    dataset.delete_split("half")
    with pytest.raises(DatasetError, match="no split “half”"):
        dataset.parts("half")
    with pytest.raises(DatasetError, match="the only one"):
        dataset.delete_split("default")


def test_excluding_keeps_the_rest_of_the_split(dataset: Dataset) -> None:
    before = dataset.parts("default")
    dataset.exclude([Fault.DUPLICATE], ["木/3.png"])
    manifest, after = dataset.manifest(), dataset.parts("default")
    gone = manifest["path"].isin(["人/copy.png", "木/3.png"])
    assert (after[gone] == "").all()
    assert after[~gone].equals(before[~gone])
    assert dataset.excluded_kinds() == {Fault.DUPLICATE}
    dataset.exclude([], [])
    assert dataset.parts("default").equals(before)


def test_a_picture_that_comes_back_gets_a_part(dataset: Dataset) -> None:
    dataset.exclude([], ["木/3.png"])
    dataset.split(SplitSettings())
    dataset.exclude([], [])
    manifest = dataset.manifest()
    assert (dataset.parts("default")[manifest["path"] == "木/3.png"] != "").all()


def test_labels_of_a_split(dataset: Dataset) -> None:
    assert labels_of(dataset.manifest(), dataset.parts("default")) == ["人", "木"]


def test_the_source_may_have_moved(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "pictures").rename(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match="Nothing is at"):
        dataset.source()


def test_damage_is_a_sentence(dataset: Dataset) -> None:
    (dataset.folder / "manifest.parquet").write_bytes(b"x")
    with pytest.raises(DatasetError, match="missing or damaged"):
        dataset.manifest()
    (dataset.folder / "dataset.json").write_text("{")
    with pytest.raises(DatasetError, match="is damaged"):
        dataset.splits()


def test_a_dataset_without_a_description_is_listed_and_can_be_deleted(dataset: Dataset, workspace: Workspace) -> None:
    """It was in no list, could not be deleted, and its name was taken."""
    (dataset.folder / "dataset.json").unlink()
    assert list_datasets(workspace) == [dataset]
    with pytest.raises(DatasetError, match="“set” is damaged"):
        Dataset.find(workspace, "set").splits()
    Dataset.find(workspace, "set").delete()
    assert list_datasets(workspace) == []


@pytest.mark.parametrize(
    "change",
    [
        {"location": None},
        {"location": 5},
        {"splits": None},
        {"splits": {}},
        {"splits": ["default"]},
        {"splits": {"default": {"seed": "x"}}},
        {"limits": {"ratio": -1}},
        {"excluded_kinds": ["rubbish"]},
        {"excluded_away": 5},
        {"label_list": 5},
        {"label_list": "labels.csv"},  # which has gone
    ],
)
def test_a_description_of_something_else_is_damage(dataset: Dataset, change: dict[str, Any]) -> None:
    changed = {key: value for key, value in {**dataset.description, **change}.items() if value is not None}
    (dataset.folder / "dataset.json").write_text(json.dumps(changed))
    with pytest.raises(DatasetError, match="“set” is damaged"):
        rescan(dataset, silent)


def test_a_description_that_is_none_is_damage(dataset: Dataset) -> None:
    (dataset.folder / "dataset.json").write_text("5")
    with pytest.raises(DatasetError, match="“set” is damaged"):
        dataset.splits()


def test_deleting_leaves_the_pictures(dataset: Dataset, workspace: Workspace, tmp_path: Path) -> None:
    dataset.delete()
    assert list_datasets(workspace) == []
    assert (tmp_path / "pictures" / "人" / "0.png").exists()


def test_who_waits_for_a_dataset_that_is_deleted_is_told(dataset: Dataset, workspace: Workspace) -> None:
    found: list[str] = []

    def wait_and_change() -> None:
        try:
            dataset.split(SplitSettings(name="other"))
        except DatasetError as error:
            found.append(str(error))

    with dataset.changing():
        waiting = threading.Thread(target=wait_and_change)
        waiting.start()
        time.sleep(0.2)  # it asks again every 50 ms
        dataset.delete()
        waiting.join()
    assert found == ["The dataset “set” was deleted while it was in use: import it again."]
    assert [*workspace.datasets.iterdir()] == []


def test_what_a_deletion_left_that_was_killed_goes_with_the_next_import(
    dataset: Dataset, workspace: Workspace, tmp_path: Path
) -> None:
    dataset.folder.rename(workspace.datasets / f"{LEAVING}1")
    assert list_datasets(workspace) == []
    imported(workspace, tmp_path / "pictures")
    assert [path.name for path in workspace.datasets.iterdir()] == ["set"]


def test_of_two_who_delete_the_second_is_told(dataset: Dataset) -> None:
    dataset.delete()
    with pytest.raises(DatasetError, match="was deleted while it was in use"):
        dataset.delete()


def test_a_dataset_that_cannot_be_locked_is_a_sentence(dataset: Dataset) -> None:
    """As in a workspace that this user may only read; root may write anywhere, but not into a folder."""
    (dataset.folder / ".change.lock").unlink(missing_ok=True)
    (dataset.folder / ".change.lock").mkdir()
    with pytest.raises(WorkspaceError, match="set cannot be written"):
        dataset.split(SplitSettings(seed=1))
