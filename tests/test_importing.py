import multiprocessing
import os
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from hanzi_core.cli.datasets import check_is_new
from hanzi_core.dataset import Dataset, Fault, ImportConfig, SplitSettings, import_dataset, list_datasets, rescan
from hanzi_core.dataset.listing import LISTING
from hanzi_core.dataset.scan import COMPARING, SCANNING
from hanzi_core.errors import DatasetError, HanziError, WorkspaceError
from hanzi_core.jobs import Stopped
from hanzi_core.workspace import Workspace, new_folder
from tests.collection import drawn, full_disk, imported, png, silent, write_files, write_gnt, write_zip
from tests.handwriting import write_collection


def traces(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in workspace.datasets.iterdir())


def everything_below(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_a_folder_is_read_in_place_and_left_as_it_is(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "a", "人木", 6)
    before = everything_below(folder)
    dataset = imported(workspace, folder)
    assert dataset.description["location"] == str(folder)
    assert dataset.parts("default").value_counts().to_dict() == {"train": 8, "validation": 2, "test": 2}
    assert everything_below(folder) == before
    assert sorted(path.name for path in dataset.folder.iterdir()) == ["dataset.json", "manifest.parquet", "packs"]


def test_a_gbk_zip(workspace: Workspace, tmp_path: Path) -> None:
    files = {f"手写/{label}/{seed}.png": png(drawn(label, seed)) for label in "人木" for seed in range(4)}
    dataset = imported(workspace, write_zip(tmp_path / "a.zip", files, "gbk"))
    assert sorted(dataset.manifest()["label"].unique()) == sorted("人木")


def test_gnt_files(workspace: Workspace, tmp_path: Path) -> None:
    for writer in range(5):
        write_gnt(tmp_path / "casia" / f"{writer}-f.gnt", "一人木", seed=10 * writer)
    dataset = imported(workspace, tmp_path / "casia", split=SplitSettings(writer_pattern=r"(\d+)-f\.gnt", test=0.2))
    parts = dataset.parts("default")
    writers = dataset.manifest()["path"].str.partition("#")[0]
    assert parts.groupby(writers).nunique().max() == 1
    assert parts.value_counts().to_dict() == {"train": 9, "validation": 3, "test": 3}


def test_an_upload_moves_in(workspace: Workspace, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {f"0/{seed}.png": png(drawn("人", seed)) for seed in range(4)})
    (tmp_path / "l.csv").write_text("0,人\n", "utf-8")
    dataset = imported(workspace, path, label_list=tmp_path / "l.csv", take=True)
    assert not path.exists()
    assert not (tmp_path / "l.csv").exists()
    assert zipfile.is_zipfile(dataset.folder / "upload.zip")
    assert set(rescan(dataset, silent).manifest()["label"]) == {"人"}


@pytest.mark.parametrize("damage", ["traversal", "nothing", "name", "pattern", "label list"])
def test_what_fails_leaves_nothing(workspace: Workspace, tmp_path: Path, damage: str) -> None:
    files = {f"人/{seed}.png": png(drawn("人", seed)) for seed in range(3)}
    values: dict[str, object] = {"location": tmp_path / "a.zip", "name": "a", "take": True}
    if damage == "traversal":
        files["../x.png"] = b"x"
    elif damage == "nothing":
        files = {"人/1.png": b"x"}
    elif damage == "name":
        values["name"] = "a/b"
    elif damage == "pattern":
        values["split"] = SplitSettings(writer_pattern="writer(x)")
    else:
        values["label_list"] = tmp_path / "none.csv"
    write_zip(tmp_path / "a.zip", files)
    with pytest.raises(HanziError):
        import_dataset(workspace, ImportConfig(**values), silent)
    assert traces(workspace) == []
    assert not (tmp_path / "a.zip").exists()


def test_a_writer_pattern_that_matches_nothing_is_told_before_all_is_read(workspace: Workspace, tmp_path: Path) -> None:
    phases: list[str] = []
    split = SplitSettings(writer_pattern=r"input_(\d+)_")
    config = ImportConfig(location=write_collection(tmp_path / "a", "人木", 4), name="set", split=split)
    with pytest.raises(DatasetError, match=r"matches no path, the first being 人/0\.png"):
        import_dataset(workspace, config, lambda phase, _done, _total: phases.append(phase))
    assert SCANNING not in phases


def test_a_stop_leaves_nothing(workspace: Workspace, tmp_path: Path) -> None:
    def stop(_phase: str, _done: int, _total: int) -> None:
        raise Stopped

    folder = write_collection(tmp_path / "a", "人", 4)
    with pytest.raises(Stopped):
        import_dataset(workspace, ImportConfig(location=folder, name="a"), stop)
    assert traces(workspace) == []


@pytest.mark.parametrize("file_bytes", [1000, 8000], ids=["for the pack", "for the manifest"])
def test_no_space_left_is_a_sentence_and_leaves_nothing(workspace: Workspace, tmp_path: Path, file_bytes: int) -> None:
    folder = write_collection(tmp_path / "a", "人", 4)
    with full_disk(file_bytes), pytest.raises(WorkspaceError, match="No space is left"):
        imported(workspace, folder)
    assert traces(workspace) == []
    imported(workspace, folder)


def test_what_a_killed_import_left_is_cleared_away(workspace: Workspace, tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=os.getpid)
    process.start()
    process.join()
    with new_folder(workspace.datasets, ".import") as alive:
        alive.with_name(alive.name.replace(f"-{os.getpid()}-", f"-{process.pid}-")).mkdir()
        imported(workspace, write_collection(tmp_path / "a", "人", 4))
        assert traces(workspace) == [alive.name, "set"]


def test_pictures_to_take_over_stay_where_they_are_if_their_name_is_taken_meanwhile(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = write_collection(tmp_path / "handwriting", "人木", 4)
    other = write_collection(tmp_path / "b", "日中", 4)
    before = everything_below(folder)

    def import_other_first(phase: str, done: int, _total: int) -> None:
        if phase == COMPARING and done:
            imported(workspace, other)

    with pytest.raises(DatasetError, match="already a dataset"):
        import_dataset(workspace, ImportConfig(location=folder, name="set", take=True), import_other_first)
    assert everything_below(folder) == before
    dataset = imported(workspace, folder, name="mine", take=True)
    assert not folder.exists()
    assert len(rescan(dataset, silent).manifest()) == 8


def test_pictures_outlive_an_import_that_ends_before_it_has_moved_them(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> None:  # as a kill would, which takes the process of the test with it
        raise SystemExit

    monkeypatch.setattr(shutil, "move", end)
    for take in (
        write_collection(tmp_path / "a", "人", 4),
        write_zip(tmp_path / "b.zip", {"木/1.png": png(drawn("木", 1))}),
    ):
        with pytest.raises(SystemExit):
            imported(workspace, take, name=take.stem, take=True)
        imported(workspace, write_collection(tmp_path / "other", "日", 2), name=f"other-{take.stem}")
        dataset = Dataset.find(workspace, take.stem)
        assert (rescan(dataset, silent).manifest()["fault"] == "").all()
        assert dataset.source().read(dataset.manifest()["path"][0])


def test_a_name_is_given_once(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "a", "人", 4)
    imported(workspace, folder)
    with pytest.raises(DatasetError, match="already a dataset “set”"):
        imported(workspace, folder)


@pytest.mark.parametrize("name", ["Corrections", " corrections"])
def test_the_name_of_the_corrections_is_reserved(workspace: Workspace, tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="made of corrections"):
        imported(workspace, write_collection(tmp_path / "a", "人", 4), name)
    with pytest.raises(DatasetError, match="made of corrections"):  # of the simulated hand, before it has written any
        check_is_new(workspace, name)
    assert traces(workspace) == []


def test_of_two_imports_of_one_name_at_once_one_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "a", "人木", 4)
    other = write_collection(tmp_path / "b", "日中", 4)

    def import_other_first(phase: str, done: int, _total: int) -> None:
        if done and not list_datasets(workspace):
            imported(workspace, other)

    with pytest.raises(DatasetError, match="already a dataset"):
        import_dataset(workspace, ImportConfig(location=folder, name="set"), import_other_first)
    assert traces(workspace) == ["set"]
    assert sorted(Dataset.find(workspace, "set").manifest()["label"].unique()) == sorted("日中")


def test_scanning_again_keeps_exclusions_and_splits(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "a", "人木", 8)
    copy = (folder / "人" / "0.png").read_bytes()
    dataset = imported(workspace, write_files(folder, {"人/9.png": copy}))
    dataset.exclude([Fault.DUPLICATE], ["木/1.png"])
    dataset.split(SplitSettings(name="other", seed=3))
    before = dataset.parts("other")
    assert rescan(dataset, silent).parts("other").equals(before)
    write_files(folder, {"木/8.png": png(drawn("木", 77)), "木/9.png": copy})
    manifest = rescan(dataset, silent).manifest().set_index("path")
    assert manifest.loc[manifest["excluded"]].index.tolist() == ["人/9.png", "木/1.png", "木/9.png"]
    assert (manifest.loc["木/8.png", ["split/default", "split/other"]] != "").all()


def test_what_is_excluded_stays_so_though_its_folder_is_away_for_a_scan(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "a", "人木", 4)
    dataset = imported(workspace, folder)
    dataset.exclude([], ["木/1.png", "人/2.png"])
    (folder / "木").rename(tmp_path / "木")
    away = rescan(dataset, silent).manifest()
    assert away.loc[away["excluded"], "path"].tolist() == ["人/2.png"]
    (tmp_path / "木").rename(folder / "木")
    back = rescan(dataset, silent).manifest()
    assert back.loc[back["excluded"], "path"].tolist() == ["人/2.png", "木/1.png"]
    dataset.exclude([], [])
    assert dataset.excluded_by_hand() == set()


def test_what_is_excluded_while_it_is_scanned_again_stays_excluded(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "a", "人木", 4)
    dataset = imported(workspace, folder)
    write_files(folder, {"木/8.png": png(drawn("木", 77)), "木/9.png": (folder / "人" / "0.png").read_bytes()})

    def exclude_meanwhile(phase: str, done: int, _total: int) -> None:
        if phase == COMPARING and done:
            dataset.exclude([Fault.DUPLICATE], ["木/1.png"])

    manifest = rescan(dataset, exclude_meanwhile).manifest().set_index("path")
    assert manifest.loc[manifest["excluded"]].index.tolist() == ["木/1.png", "木/9.png"]
    assert manifest.loc[manifest["excluded_by_hand"]].index.tolist() == ["木/1.png"]


@pytest.mark.parametrize("phase", [LISTING, SCANNING, COMPARING])
def test_a_dataset_deleted_while_it_is_scanned_again_does_not_come_back(
    workspace: Workspace, tmp_path: Path, phase: str
) -> None:
    folder = write_collection(tmp_path / "a", "人木", 4)
    dataset = imported(workspace, folder)
    write_files(folder, {"木/8.png": png(drawn("木", 77))})

    def delete_meanwhile(now: str, _done: int, _total: int) -> None:
        if now == phase and dataset.folder.exists():
            dataset.delete()

    with pytest.raises(DatasetError, match="“set” was deleted while it was in use"):
        rescan(dataset, delete_meanwhile)
    assert traces(workspace) == []


def test_a_source_that_has_gone_leaves_the_old_manifest(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "a", "人", 4)
    dataset = imported(workspace, folder)
    folder.rename(tmp_path / "b")
    with pytest.raises(DatasetError, match="Nothing is at"):
        rescan(dataset, silent)
    assert len(dataset.manifest()) == 4


def test_scanning_again_what_has_not_changed_writes_nothing(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "a", "人木", 8)
    write_files(folder, {"人/9.png": (folder / "人" / "0.png").read_bytes(), "人/x.png": b"x"})
    dataset = imported(workspace, folder)
    dataset.exclude([Fault.DUPLICATE], ["木/1.png"])
    before = dataset.manifest_time
    rescan(dataset, silent)
    assert dataset.manifest_time == before
    (folder / "人" / "x.png").unlink()
    rescan(dataset, silent)
    assert dataset.manifest_time > before


def test_a_scan_that_cannot_divide_leaves_the_old_manifest_with_its_splits(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "a", {f"人/input_{each}.png": png(drawn("人", each)) for each in range(4)})
    dataset = imported(workspace, folder)
    dataset.split(SplitSettings(name="writers", writer_pattern=r"input_(\d+)"))
    before = dataset.manifest()
    for file in folder.rglob("*.png"):
        file.rename(file.with_name(file.name.replace("input", "page")))
    with pytest.raises(DatasetError, match="matches no path"):
        rescan(dataset, silent)
    pd.testing.assert_frame_equal(dataset.manifest(), before)
