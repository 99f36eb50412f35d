import hashlib
import shutil
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hanzi_core.bundle import BUILT_IN, Bundle, Model
from hanzi_core.dataset import Dataset, Pack, open_pack, rescan
from hanzi_core.dataset.pack import PACKING, sample_pictures
from hanzi_core.dataset.scan import SCANNING
from hanzi_core.errors import DatasetError, WorkspaceError
from hanzi_core.evaluation import predictions
from hanzi_core.image.decode import decode
from hanzi_core.image.normalise import normalise
from hanzi_core.jobs import Job, Stopped, Work
from hanzi_core.jobs.devices import CPU
from hanzi_core.training.backend import load_backend
from hanzi_core.workspace import Workspace
from tests.collection import drawn, full_disk, imported, png, silent, write_files, write_gnt, write_zip
from tests.handwriting import write_collection

MANY = 700


@pytest.fixture
def dataset(workspace: Workspace, tmp_path: Path) -> Dataset:
    files = {f"人/{number:04}.png": png(drawn("人", number, 32)) for number in range(MANY)}
    return imported(workspace, write_files(tmp_path / "a", {**files, "人/x.png": b"x"}))


def content(dataset: Dataset, size_px: int = 64) -> str:
    pack = open_pack(dataset, silent, size_px)
    return hashlib.sha256(pack[range(len(pack))].tobytes()).hexdigest()


def pack_files(dataset: Dataset) -> list[str]:
    return sorted(path.suffix for path in (dataset.folder / "packs").iterdir())


def refuse(_phase: str, _done: int, _total: int) -> None:
    raise AssertionError


@pytest.mark.parametrize("size_px", [64, 32])
def test_row_for_row_what_normalise_gives(dataset: Dataset, size_px: int) -> None:
    pack = open_pack(dataset, silent, size_px)
    assert (len(pack), pack.side_px) == (MANY + 1, size_px)
    rows = np.array([MANY - 1, 255, MANY, 256, 0])
    pictures = pack[rows]
    assert not pictures[2].any()
    for row, picture in zip(rows, pictures, strict=True):
        if row < MANY:
            np.testing.assert_array_equal(picture, normalise(drawn("人", row, 32), size_px))


@pytest.mark.parametrize("kind", ["zip", "gnt"])
def test_other_sources(workspace: Workspace, tmp_path: Path, kind: str) -> None:
    if kind == "zip":
        place = write_zip(tmp_path / "a.zip", {f"人/{seed}.png": png(drawn("人", seed)) for seed in range(3)})
    else:
        place = write_gnt(tmp_path / "a.gnt", "人人人")
    pictures = open_pack(imported(workspace, place), silent)[range(3)]
    for row in range(3):
        np.testing.assert_array_equal(pictures[row], normalise(drawn("人", row)))


def test_the_scan_has_made_it(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "a").rename(tmp_path / "b")
    assert open_pack(dataset, refuse)[[3]].any()
    assert pack_files(dataset) == [".pack"]


def test_it_takes_a_third_of_its_pixels_at_most(dataset: Dataset) -> None:
    (path,) = (dataset.folder / "packs").glob("*.pack")
    assert path.stat().st_size < MANY * 64 * 64 / 3


def test_another_size_is_another_pack_made_once(dataset: Dataset) -> None:
    open_pack(dataset, silent, 32)
    open_pack(dataset, refuse, 32)
    assert pack_files(dataset) == [".pack", ".pack"]


def test_a_stopped_pack_goes_on_where_it_was(dataset: Dataset) -> None:
    def stop(_phase: str, done: int, _total: int) -> None:
        if done >= 512:
            raise Stopped

    with pytest.raises(Stopped):
        open_pack(dataset, stop, 32)
    assert pack_files(dataset) == [".kept", ".pack", ".partial"]
    seen: list[int] = []
    pictures = open_pack(dataset, lambda _phase, done, _total: seen.append(done), 32)[[0, 511, 512, MANY - 1]]
    assert seen == [MANY + 1]
    for row, picture in zip((0, 511, 512, MANY - 1), pictures, strict=True):
        np.testing.assert_array_equal(picture, normalise(drawn("人", row, 32), 32))
    assert pack_files(dataset) == [".pack", ".pack"]


def test_a_second_scan_brings_the_pack_along(dataset: Dataset, tmp_path: Path) -> None:
    open_pack(dataset, silent, 32)
    write_files(tmp_path / "a", {"一/new.png": png(drawn("一", 9999, 32)), "人/0001.png": png(drawn("人", 5000, 32))})
    (tmp_path / "a" / "人" / "0000.png").unlink()
    read: list[int] = []
    rescan(dataset, lambda phase, done, _total: read.append(done) if phase == SCANNING else None)
    assert read == [2]
    (pack,) = [open_pack(dataset, refuse)]
    seeds = [9999, 5000, *range(2, MANY)]
    for seed, picture in zip(seeds, pack[range(MANY)], strict=True):
        np.testing.assert_array_equal(picture, normalise(drawn("一" if seed == 9999 else "人", seed, 32)))
    assert not pack[[MANY]].any()
    assert pack_files(dataset) == [".pack", ".pack"]  # that of 32 px goes when it is made anew
    open_pack(dataset, silent, 32)
    assert pack_files(dataset) == [".pack", ".pack"]


@pytest.mark.parametrize("size_px", [64, 96])
def test_pictures_that_get_their_label_later_are_in_it(workspace: Workspace, tmp_path: Path, size_px: int) -> None:
    files = {f"{number}.png": png(drawn("人", number)) for number in range(4)}
    write_files(tmp_path / "a", {**files, "x.png": b"x", "labels.csv": "0.png,人\n1.png,木\nx.png,木\n".encode()})
    dataset = imported(workspace, tmp_path / "a")
    open_pack(dataset, silent, size_px)
    (tmp_path / "a" / "labels.csv").write_text("".join(f"{name},人\n" for name in files), "utf-8")
    rescan(dataset, silent)
    assert dataset.manifest()["fault"].tolist() == ["", "", "", "", "unreadable"]
    pictures = open_pack(dataset, silent, size_px)[range(5)]
    for number in range(4):
        np.testing.assert_array_equal(pictures[number], normalise(drawn("人", number), size_px))


def test_a_pack_of_before_is_made_anew(dataset: Dataset) -> None:
    """One that the scan made when packs still left out what had no label."""
    packs = dataset.folder / "packs"
    manifest = dataset.manifest()
    digests = "".join(f"{digest}\n" for digest in manifest["digest"].where(manifest["fault"] == "", ""))
    before = packs / f"{hashlib.blake2b(digests.encode(), digest_size=8).hexdigest()}-n1-96.pack"
    before.write_bytes(b"whole")
    open_pack(dataset, silent, 96)
    assert not before.exists()
    assert pack_files(dataset) == [".pack", ".pack"]


def test_a_second_scan_of_nothing_new_leaves_the_pack(dataset: Dataset) -> None:
    (path,) = (dataset.folder / "packs").glob("*.pack")
    before = path.stat()
    rescan(dataset, silent)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_second_scan_without_a_pack_reads_nothing_for_one(dataset: Dataset, tmp_path: Path) -> None:
    shutil.rmtree(dataset.folder / "packs")
    write_files(tmp_path / "a", {"一/new.png": png(drawn("一", 9999, 32))})
    rescan(dataset, silent)
    assert not [*(dataset.folder / "packs").glob("*.pack")]
    np.testing.assert_array_equal(open_pack(dataset, silent)[[1]][0], normalise(drawn("人", 0, 32)))


def test_a_scan_that_is_stopped_leaves_nothing(dataset: Dataset, tmp_path: Path) -> None:
    write_files(tmp_path / "a", {"一/new.png": png(drawn("一", 9999, 32))})

    def stop(phase: str, _done: int, _total: int) -> None:
        if phase == SCANNING:
            raise Stopped

    with pytest.raises(Stopped):
        rescan(dataset, stop)
    assert pack_files(dataset) == [".pack"]
    assert open_pack(dataset, refuse)[[0]].any()


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign"])
def test_a_damaged_pack_is_made_anew(dataset: Dataset, damage: str) -> None:
    (path,) = (dataset.folder / "packs").glob("*.pack")
    whole = content(dataset)
    path.write_bytes({"cut": path.read_bytes()[:-1], "empty": b"", "foreign": b"x" * 100}[damage])
    assert content(dataset) == whole
    assert pack_files(dataset) == [".pack"]


def test_a_second_scan_leaves_a_damaged_pack_to_whoever_asks_for_it(dataset: Dataset, tmp_path: Path) -> None:
    (path,) = (dataset.folder / "packs").glob("*.pack")
    path.write_bytes(b"")
    write_files(tmp_path / "a", {"一/new.png": png(drawn("一", 9999, 32))})
    rescan(dataset, silent)
    np.testing.assert_array_equal(open_pack(dataset, silent)[[0]][0], normalise(drawn("一", 9999, 32)))


def test_a_picture_that_the_disk_has_damaged_is_a_sentence_and_made_anew(dataset: Dataset) -> None:
    whole = content(dataset)
    (path,) = (dataset.folder / "packs").glob("*.pack")
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="was damaged and has been removed"):
        content(dataset)
    assert content(dataset) == whole


def test_a_picture_that_changed_since_the_scan_is_a_sentence(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "a" / "人" / "0003.png").write_bytes(png(drawn("人", 9999, 32)))
    with pytest.raises(DatasetError, match=r"0003\.png has changed"):
        open_pack(dataset, silent, 32)
    assert pack_files(dataset) == [".pack"]


def test_no_space_left_is_a_sentence_and_leaves_nothing(dataset: Dataset) -> None:
    with full_disk(100_000), pytest.raises(WorkspaceError, match="No space is left"):
        open_pack(dataset, silent, 96)
    assert pack_files(dataset) == [".pack"]
    assert open_pack(dataset, silent, 96)[[0]].any()


def test_no_space_left_for_what_a_second_scan_found_leaves_all_as_it_was(dataset: Dataset, tmp_path: Path) -> None:
    before = content(dataset), dataset.manifest_time
    write_files(tmp_path / "a", {"一/new.png": png(drawn("一", 9999, 32))})
    with full_disk(100_000), pytest.raises(WorkspaceError, match="No space is left"):
        rescan(dataset, silent)
    assert pack_files(dataset) == [".pack"]
    assert (content(dataset), dataset.manifest_time) == before


def test_a_dataset_deleted_while_it_is_packed_is_a_sentence_and_stays_away(
    dataset: Dataset, workspace: Workspace
) -> None:
    def delete(_phase: str, _done: int, _total: int) -> None:
        if dataset.folder.exists():
            dataset.delete()

    with pytest.raises(DatasetError, match="“set” was deleted while it was in use"):
        open_pack(dataset, delete, 32)
    with pytest.raises(DatasetError, match="“set” was deleted while it was in use"):
        open_pack(dataset, refuse)
    assert [*workspace.datasets.iterdir()] == []


def test_two_at_once_make_one(dataset: Dataset) -> None:
    phases: list[int] = []
    results: list[str] = []

    def make() -> None:
        open_pack(dataset, lambda phase, done, _total: phases.append(done) if phase == PACKING else None, 32)
        results.append(content(dataset, 32))

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 1
    assert phases.count(MANY + 1) == 1


def test_samples_are_the_pictures_as_they_are(workspace: Workspace, tmp_path: Path) -> None:
    dataset = imported(workspace, write_collection(tmp_path / "b", "人", 3), name="b")
    picture, missing = sample_pictures(dataset.source(), ["人/0.png", "人/9.png"])
    assert picture is not None
    assert picture.shape == (72, 72)
    assert missing is None


def scan_when_opened(patch: pytest.MonkeyPatch, module: ModuleType, dataset: Dataset, folder: Path) -> None:
    """Between the two readings of manifest and pack, another process scans a class that was put before all others."""

    def open_later(*arguments: Any) -> Pack:
        write_files(folder, {"一/0.png": png(drawn("一", 1)), "一/1.png": png(drawn("一", 2))})
        rescan(dataset, silent)
        return open_pack(*arguments)

    patch.setattr(module, "open_pack", open_later)


def test_pictures_and_labels_of_a_training_are_of_one_scan(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_backend([CPU])
    from hanzi_core.training import input as training_input

    folder = write_collection(tmp_path / "a", "人木", 6)
    dataset = imported(workspace, folder)
    paths = dataset.manifest()["path"]
    scan_when_opened(monkeypatch, training_input, dataset, folder)
    material = training_input.gather(dataset, "default", 64, silent)
    assert len(dataset.manifest()) == len(paths) + 2
    for row in material.train:
        assert material.labels[material.targets[row]] == paths[row][0]
        np.testing.assert_array_equal(material.pack[[row]][0], normalise(decode((folder / paths[row]).read_bytes())))


def test_pictures_and_labels_of_an_evaluation_are_of_one_scan(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_collection(tmp_path / "a", "人木", 12)
    dataset = imported(workspace, folder)
    seen: dict[str, Any] = {}
    predict = predictions._predict

    def noted(model: Model, images: Any, rows: Any) -> Any:
        seen.update(zip(rows["path"], images, strict=True))
        return predict(model, images, rows)

    monkeypatch.setattr(predictions, "_predict", noted)
    scan_when_opened(monkeypatch, predictions, dataset, folder)
    config = predictions.EvaluationConfig(model="builtin", dataset="set")
    work = Work(Job.create(workspace, "evaluate", config.model_dump(mode="json"), "x", ()))
    predictions.evaluate(work, workspace, Bundle.open(BUILT_IN), config)
    assert seen
    for path, picture in seen.items():
        np.testing.assert_array_equal(picture, normalise(decode((folder / path).read_bytes())))
