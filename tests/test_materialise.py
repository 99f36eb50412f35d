import json
import multiprocessing
import os
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest

from hanzi_core.dataset import Dataset, SplitSettings
from hanzi_core.dataset.materialise import MaterialiseConfig, materialise
from hanzi_core.errors import DatasetError, WorkspaceError
from hanzi_core.image.decode import decode
from hanzi_core.jobs import Stopped
from hanzi_core.workspace import Workspace, new_folder
from tests.collection import drawn, full_disk, imported, png, silent, write_files, write_gnt, write_zip
from tests.handwriting import write_collection


@pytest.fixture
def dataset(workspace: Workspace, tmp_path: Path) -> Dataset:
    return imported(workspace, write_collection(tmp_path / "pictures", "人木", 10))


def written(dataset: Dataset, target: Path, **values: object) -> dict[str, int]:
    return materialise(dataset, MaterialiseConfig(dataset=dataset.name, target=target, **values), silent)


def files_below(folder: Path) -> dict[str, int]:
    return {part.name: sum(path.is_file() for path in part.rglob("*")) for part in folder.iterdir() if part.is_dir()}


def test_folders_by_hard_link(dataset: Dataset, tmp_path: Path) -> None:
    counts = written(dataset, tmp_path / "out")
    assert counts == {"files": 20, "linked": 20, "augmented": 0, "classes": 2}
    assert files_below(tmp_path / "out") == {"train": 16, "val": 2, "test": 2}
    one = next((tmp_path / "out" / "train" / "人").iterdir())
    assert one.samefile(tmp_path / "pictures" / "人" / one.name)


def test_a_target_that_no_folder_can_be_called_is_a_sentence(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="name another place"):
        written(dataset, tmp_path / ("x" * 300))


def test_by_copy_where_the_file_system_has_no_links(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:  # another file system cannot be had in a test
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    assert written(dataset, tmp_path / "out")["linked"] == 0
    one = next((tmp_path / "out" / "train" / "人").iterdir())
    original = tmp_path / "pictures" / "人" / one.name
    assert one.read_bytes() == original.read_bytes()
    assert not one.samefile(original)


def test_augmented_files_for_training_only(dataset: Dataset, tmp_path: Path) -> None:
    counts = written(dataset, tmp_path / "out", augmented=3)
    assert counts["augmented"] == 48
    assert files_below(tmp_path / "out") == {"train": 64, "val": 2, "test": 2}
    variants = [decode(path.read_bytes()) for path in sorted((tmp_path / "out" / "train" / "人").glob("*-augmented*"))]
    assert len({variant.tobytes() for variant in variants}) == len(variants)
    assert all(variant.shape == (72, 72) and variant[0, 0] > 150 for variant in variants)


def test_the_same_seed_writes_the_same_files(dataset: Dataset, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        written(dataset, tmp_path / name, augmented=1, seed=seed)
    contents = [
        [path.read_bytes() for path in sorted((tmp_path / name).rglob("*augmented*"))] for name in ("a", "b", "c")
    ]
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_labels_in_three_forms(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written(dataset, out)
    assert (out / "labels.txt").read_text("utf-8") == "人\n木\n"
    assert json.loads((out / "labels.json").read_text("utf-8")) == ["人", "木"]
    assert runpy.run_path(str(out / "labels.py"))["LABELS"] == ["人", "木"]


def test_records_become_png(workspace: Workspace, tmp_path: Path) -> None:
    dataset = imported(workspace, write_gnt(tmp_path / "a.gnt", "人人人"), name="casia")
    written(dataset, tmp_path / "out")
    pictures = [decode(path.read_bytes()) for path in (tmp_path / "out").rglob("*.png")]
    assert len(pictures) == 3
    assert any(np.array_equal(picture, drawn("人", 0)) for picture in pictures)


def test_names_that_no_folder_can_have(workspace: Workspace, tmp_path: Path) -> None:
    names = ["con/aux.png", "a?b/x.png", "人/" + "长" * 200 + ".png", "人/1.png", "b/人/1.png"]
    files = {name: png(drawn("人", seed)) for seed, name in enumerate(names)}
    dataset = imported(workspace, write_zip(tmp_path / "a.zip", files), name="odd")
    written(dataset, tmp_path / "out")
    found = [path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.png")]
    assert len(found) == 5
    assert {path.parts[1] for path in found} == {"U+0063_U+006F_U+006E", "U+0061_U+003F_U+0062", "人"}
    assert max(len(path.name.encode()) for path in found) < 200


def test_a_long_label_is_a_short_folder(workspace: Workspace, tmp_path: Path) -> None:
    names = ["长" * 60, "长" * 59 + "短", "?" * 12]
    dataset = imported(
        workspace, write_files(tmp_path / "a", {f"{name}/1.png": png(drawn("人", len(name))) for name in names})
    )
    written(dataset, tmp_path / "out", split="default")
    folders = [path.name for path in (tmp_path / "out" / "train").iterdir()]
    assert len(set(folders)) == 3
    assert max(len(name) for name in folders) < 160
    assert "_".join(["U+003F"] * 12) in folders


def test_labels_are_listed_as_image_dataset_from_directory_numbers_them(workspace: Workspace, tmp_path: Path) -> None:
    files = {
        f"{label}/{seed}.png": png(drawn("人", seed)) for seed, label in enumerate(["!", "A", "Z", "人", "?", "a"])
    }
    written(imported(workspace, write_files(tmp_path / "a", files)), tmp_path / "out")
    folders = sorted(path.name for path in (tmp_path / "out" / "train").iterdir())
    assert folders == ["A", "U+0021", "U+003F", "Z", "a", "人"]
    assert (tmp_path / "out" / "labels.txt").read_text("utf-8").split() == ["A", "!", "?", "Z", "a", "人"]
    assert json.loads((tmp_path / "out" / "labels.json").read_text("utf-8")) == ["A", "!", "?", "Z", "a", "人"]


def test_every_part_numbers_its_classes_alike(workspace: Workspace, tmp_path: Path) -> None:
    files = {f"train/{label}/{seed}.png": png(drawn(label, seed)) for label in "人木" for seed in range(3)}
    files |= {"test/日/0.png": png(drawn("日", 0)), "test/木/0.png": png(drawn("木", 9))}
    dataset = imported(workspace, write_files(tmp_path / "a", files))
    dataset.split(SplitSettings(validation=0, test=0.1))
    assert written(dataset, tmp_path / "out")["classes"] == 3
    for part in ("train", "test"):
        assert sorted(folder.name for folder in (tmp_path / "out" / part).iterdir()) == ["人", "日", "木"]
    assert (tmp_path / "out" / "labels.txt").read_text("utf-8").split() == ["人", "日", "木"]
    assert not (tmp_path / "out" / "val").exists()


def test_labels_come_back_from_what_was_written_out(workspace: Workspace, tmp_path: Path) -> None:
    names = ["人", "con", "a?b", "葛󠄀", "👍🏽", "~", "*"]
    files = {f"{name}/1.png": png(drawn("人", seed)) for seed, name in enumerate(names)}
    written(imported(workspace, write_zip(tmp_path / "a.zip", files)), tmp_path / "out")
    manifest = imported(workspace, tmp_path / "out", "again").manifest()
    assert set(manifest.loc[manifest["fault"] == "", "label"]) == set(names)


def test_what_was_written_out_before_is_linked_and_never_written_to(workspace: Workspace, tmp_path: Path) -> None:
    names = [f"人/{number}{ending}.png" for number in range(6) for ending in ("", "-augmented1", "-Augmented2")]
    # Three of one name but for their endings: the number that one gets must not make it another's.
    names += ["人/a.bmp", "人/a.gif", "人/a.jpg", "人/a-20.png", "人/a-21.png", "人/a-22.png", "人/a-23.png"]
    files = {name: png(drawn("人", seed)) for seed, name in enumerate(names)}
    dataset = imported(workspace, write_files(tmp_path / "pictures", files))
    counts = written(dataset, tmp_path / "out", augmented=2)
    assert {name: (tmp_path / "pictures" / name).read_bytes() for name in names} == files
    assert sum(files_below(tmp_path / "out").values()) == counts["files"] == len(names) + counts["augmented"]
    assert counts["linked"] == len(names)


def test_a_place_that_is_taken_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is there already"):
        written(dataset, tmp_path / "pictures")
    with pytest.raises(DatasetError, match="stays as it is"):
        written(dataset, tmp_path / "pictures" / "out")
    (tmp_path / "empty").mkdir()
    assert written(dataset, tmp_path / "empty")["files"] == 20


def test_a_stop_leaves_nothing(dataset: Dataset, tmp_path: Path) -> None:
    def stop(_phase: str, _done: int, _total: int) -> None:
        raise Stopped

    before = sorted(tmp_path.iterdir())
    with pytest.raises(Stopped):
        materialise(dataset, MaterialiseConfig(dataset="set", target=tmp_path / "out"), stop)
    assert sorted(tmp_path.iterdir()) == before


def test_what_a_killed_one_left_is_cleared_away_and_no_others(dataset: Dataset, tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=os.getpid)
    process.start()
    process.join()
    with new_folder(tmp_path, ".out-unfinished") as alive, new_folder(tmp_path, ".out-2-unfinished") as other:
        for folder in (alive, other):
            folder.with_name(folder.name.replace(f"-{os.getpid()}-", f"-{process.pid}-")).mkdir()
        written(dataset, tmp_path / "out")
        assert sum(path.name.startswith(".out-unfinished") for path in tmp_path.iterdir()) == 1
        assert sum(path.name.startswith(".out-2-unfinished") for path in tmp_path.iterdir()) == 2
        assert alive.exists()


def test_no_space_left_is_a_sentence_and_leaves_nothing(dataset: Dataset, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with full_disk(100), pytest.raises(WorkspaceError, match="No space is left"):
        written(dataset, tmp_path / "out", augmented=1)
    assert sorted(tmp_path.iterdir()) == before


def test_other_tools_can_read_it(dataset: Dataset, tmp_path: Path) -> None:
    written(dataset, tmp_path / "out", augmented=1)
    for path in (tmp_path / "out").rglob("*.png"):
        assert cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE) is not None


def test_a_dataset_deleted_while_it_is_written_out_is_a_sentence(workspace: Workspace, tmp_path: Path) -> None:
    files = {f"人/{seed}.png": png(drawn("人", seed)) for seed in range(4)}
    uploaded = imported(workspace, write_zip(tmp_path / "a.zip", files), take=True)
    config = MaterialiseConfig(dataset="set", target=tmp_path / "out")
    uploaded.delete()
    with pytest.raises(DatasetError, match="“set” was deleted while it was in use"):
        materialise(uploaded, config, silent)
    assert not (tmp_path / "out").exists()
