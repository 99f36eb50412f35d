import errno
import hashlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from hanzi_core.dataset import Dataset, open_pack, rescan
from hanzi_core.dataset.pack import PACKING, ready_pack, sample_pictures
from hanzi_core.errors import DatasetError, WorkspaceError
from hanzi_core.image.normalise import normalise
from hanzi_core.jobs import Stopped
from hanzi_core.workspace import Workspace
from tests.collection import drawn, imported, png, silent, write_files, write_gnt, write_zip
from tests.handwriting import write_collection

MANY = 700


@pytest.fixture
def dataset(workspace: Workspace, tmp_path: Path) -> Dataset:
    files = {f"人/{number:04}.png": png(drawn("人", number, 32)) for number in range(MANY)}
    return imported(workspace, write_files(tmp_path / "a", {**files, "人/x.png": b"x"}))


def content(dataset: Dataset) -> str:
    return hashlib.sha256(open_pack(dataset, silent).images.tobytes()).hexdigest()


def pack_files(dataset: Dataset) -> list[str]:
    return sorted(path.suffix for path in (dataset.folder / "packs").iterdir() if path.name != ".lock")


def test_row_for_row_what_normalise_gives(dataset: Dataset) -> None:
    images = open_pack(dataset, silent).images
    assert isinstance(images, np.memmap)
    assert images.shape == (MANY + 1, 64, 64)
    assert not images[MANY].any()
    for row in (0, 255, 256, MANY - 1):
        np.testing.assert_array_equal(images[row], normalise(drawn("人", row, 32)))


@pytest.mark.parametrize("kind", ["zip", "gnt"])
def test_other_sources(workspace: Workspace, tmp_path: Path, kind: str) -> None:
    if kind == "zip":
        place = write_zip(tmp_path / "a.zip", {f"人/{seed}.png": png(drawn("人", seed)) for seed in range(3)})
    else:
        place = write_gnt(tmp_path / "a.gnt", "人人人")
    images = open_pack(imported(workspace, place), silent).images
    for row in range(3):
        np.testing.assert_array_equal(images[row], normalise(drawn("人", row)))


def test_made_once(dataset: Dataset) -> None:
    assert ready_pack(dataset) is None
    open_pack(dataset, silent)

    def fail(_phase: str, _done: int, _total: int) -> None:
        raise AssertionError

    open_pack(dataset, fail)
    assert ready_pack(dataset) is not None


def test_another_size_is_another_pack(dataset: Dataset) -> None:
    open_pack(dataset, silent)
    assert open_pack(dataset, silent, 32).images.shape[1:] == (32, 32)
    assert pack_files(dataset) == [".npy", ".npy"]


def test_a_stopped_pack_goes_on_where_it_was(dataset: Dataset) -> None:
    def stop(_phase: str, done: int, _total: int) -> None:
        if done >= 512:
            raise Stopped

    with pytest.raises(Stopped):
        open_pack(dataset, stop)
    assert pack_files(dataset) == [".json", ".partial"]
    seen: list[int] = []
    images = open_pack(dataset, lambda _phase, done, _total: seen.append(done)).images
    assert seen == [MANY + 1]
    for row in (0, 511, 512, MANY - 1):
        np.testing.assert_array_equal(images[row], normalise(drawn("人", row, 32)))
    assert pack_files(dataset) == [".npy"]


def test_a_changed_dataset_replaces_its_pack(dataset: Dataset, tmp_path: Path) -> None:
    first = content(dataset)
    write_files(tmp_path / "a", {"人/new.png": png(drawn("人", 9999, 32))})
    rescan(dataset, silent)
    assert content(dataset) != first
    assert pack_files(dataset) == [".npy"]


def test_a_picture_that_changed_since_the_scan_is_a_sentence(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "a" / "人" / "0003.png").write_bytes(png(drawn("人", 9999, 32)))
    with pytest.raises(DatasetError, match=r"0003\.png has changed"):
        open_pack(dataset, silent)
    assert pack_files(dataset) == []


def test_no_space_left_is_a_sentence_and_leaves_nothing(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    # A full disk cannot be had in a test: the system call that asks for the space is made to refuse.
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(WorkspaceError, match="No space is left"):
        open_pack(dataset, silent)
    assert pack_files(dataset) == []


def test_two_at_once_make_one(dataset: Dataset) -> None:
    phases: list[int] = []
    results: list[str] = []

    def make() -> None:
        open_pack(dataset, lambda phase, done, _total: phases.append(done) if phase == PACKING else None)
        results.append(content(dataset))

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
