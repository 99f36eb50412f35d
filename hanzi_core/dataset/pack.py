"""The pack: every usable picture normalised once, in one memory-mapped array.

A split is a choice of rows, so one pack serves all splits of a dataset, and excluding a picture makes no new pack.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from filelock import FileLock
from numpy.typing import NDArray

from hanzi_core.dataset.entry import Source
from hanzi_core.dataset.listing import Report
from hanzi_core.dataset.parallel import run_batches
from hanzi_core.dataset.store import Dataset
from hanzi_core.errors import DatasetError, HanziError
from hanzi_core.image.normalise import IMAGE_SIZE_PX, VERSION, normalise
from hanzi_core.language import mark
from hanzi_core.workspace import replace_json, writing

PACKING = mark("Normalising pictures")
_BATCH = 256
_KEEP_INTERVAL_S = 5.0
"""What is lost at most when the machine goes down; each keeping waits for the disk."""


@dataclass(frozen=True)
class Pack:
    """Normalised pictures of a dataset."""

    images: NDArray[np.uint8]
    """``(rows, size, size)``, memory-mapped; row i is row i of the manifest, faulty rows are black."""


class _Block(NamedTuple):
    """Rows that follow each other in the pack, and where they belong."""

    pack: str
    offset: int
    size_px: int
    paths: list[str]
    digests: list[str]
    """Empty for a row that stays black."""


def open_pack(dataset: Dataset, report: Report, size_px: int = IMAGE_SIZE_PX) -> Pack:
    """The pack of ``dataset`` at ``size_px``, made now if there is none for its present files.

    A making that was stopped goes on where it was; a second process that wants the same pack waits for the first.

    Raises:
        DatasetError: pictures have changed or gone since the scan.
        WorkspaceError: no space is left; nothing half-made stays behind.
    """
    manifest = dataset.manifest(["path", "digest", "fault"])
    path = _path(dataset, manifest, size_px)
    if not path.exists():
        with writing(path.parent):
            path.parent.mkdir(exist_ok=True)
            with FileLock(path.parent / ".lock"):
                if not path.exists():
                    _build(dataset.source(), manifest, path, report, size_px)
    return Pack(np.load(path, mmap_mode="r"))


def ready_pack(dataset: Dataset, size_px: int = IMAGE_SIZE_PX) -> Pack | None:
    """The pack if it is made already."""
    path = _path(dataset, dataset.manifest(["digest"]), size_px)
    return Pack(np.load(path, mmap_mode="r")) if path.exists() else None


def _path(dataset: Dataset, manifest: pd.DataFrame, size_px: int) -> Path:
    """Named by what the pictures are, whatever they are called and however they are split."""
    content = hashlib.blake2b(digest_size=8)
    for digest in manifest["digest"]:
        content.update(digest.encode() + b"\n")
    return dataset.folder / "packs" / f"{content.hexdigest()}-n{VERSION}-{size_px}.npy"


def _build(source: Source, manifest: pd.DataFrame, path: Path, report: Report, size_px: int) -> None:
    partial, kept = path.with_suffix(".partial"), path.with_suffix(".json")
    _clear_others(path)
    try:
        done = _rows_kept(partial, kept)
        if not done:
            _reserve(partial, (len(manifest), size_px, size_px))
        _fill(partial, kept, source, manifest, report, size_px=size_px, done=done)
        partial.replace(path)
    except (OSError, HanziError):  # a stop keeps what there is; what cannot be finished does not stay
        partial.unlink(missing_ok=True)
        raise
    finally:
        if not partial.exists():
            kept.unlink(missing_ok=True)


def _clear_others(path: Path) -> None:
    """Remove packs and beginnings of earlier versions of the dataset at the same size."""
    ending = path.stem.partition("-")[2]
    for other in path.parent.glob(f"*-{ending}.*"):
        if other.stem != path.stem:
            with suppress(OSError):  # one that a run still reads cannot be removed on Windows
                other.unlink()


def _rows_kept(partial: Path, kept: Path) -> int:
    if not partial.exists():
        return 0
    try:
        return int(json.loads(kept.read_bytes())["rows"])
    except (OSError, ValueError, KeyError):
        return 0


def _reserve(path: Path, shape: tuple[int, ...]) -> None:
    """Take the space now: better to learn at once that the disk is full than after an hour."""
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _fill(
    partial: Path, kept: Path, source: Source, manifest: pd.DataFrame, report: Report, *, size_px: int, done: int
) -> None:
    """Write the rows from ``done`` on, and keep on record how far they are on disk."""
    last_kept = time.monotonic()
    with partial.open("r+b") as file:
        for count in run_batches(write_block, source, _blocks(partial, manifest, size_px, done), len(manifest) - done):
            done += count
            if time.monotonic() - last_kept > _KEEP_INTERVAL_S:
                _keep(file.fileno(), kept, done)
                last_kept = time.monotonic()
            try:
                report(PACKING, done, len(manifest))
            except BaseException:
                _keep(file.fileno(), kept, done)
                raise
        os.fsync(file.fileno())


def _keep(descriptor: int, kept: Path, done: int) -> None:
    os.fsync(descriptor)
    replace_json(kept, {"rows": done})


def _blocks(partial: Path, manifest: pd.DataFrame, size_px: int, done: int) -> Iterator[_Block]:
    header = partial.stat().st_size - len(manifest) * size_px**2
    digests = manifest["digest"].where(manifest["fault"] == "", "")
    for start in range(done, len(manifest), _BATCH):
        rows = slice(start, start + _BATCH)
        offset = header + start * size_px**2
        yield _Block(str(partial), offset, size_px, manifest["path"].iloc[rows].tolist(), digests.iloc[rows].tolist())


def write_block(source: Source, block: _Block) -> int:
    """Normalise the pictures of a block and write them to their place in the pack; the count of rows.

    Writing to the file rather than to a memory map keeps the memory of a process the same for any size of pack.
    """
    images = np.zeros((len(block.paths), block.size_px, block.size_px), np.uint8)
    for row, (path, digest) in enumerate(zip(block.paths, block.digests, strict=True)):
        if digest:
            images[row] = normalise(_read_same(source, path, digest), block.size_px)
    with Path(block.pack).open("r+b", buffering=0) as file:
        file.seek(block.offset)
        file.write(images.tobytes())
    return len(block.paths)


def _read_same(source: Source, path: str, digest: str) -> NDArray[np.uint8]:
    """The picture at ``path``, if it is still the one that was scanned."""
    data = source.read(path)
    if hashlib.blake2b(data, digest_size=16).hexdigest() != digest:
        raise DatasetError(mark("{path} has changed since the dataset was scanned: scan it again."), path=path)
    return source.decode(data, path)


def sample_pictures(source: Source, paths: Sequence[str]) -> list[NDArray[np.uint8] | None]:
    """Pictures as they are, gray, for a page to show; ``None`` for one that cannot be read."""
    return [_try_decode(source, path) for path in paths]


def _try_decode(source: Source, path: str) -> NDArray[np.uint8] | None:
    try:
        return source.decode(source.read(path), path)
    except HanziError:
        return None
