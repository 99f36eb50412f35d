"""The pack: every usable picture normalised once, in one memory-mapped array.

A split is a choice of rows, so one pack serves all splits of a dataset, and excluding a picture makes no new pack.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hanzi_core.dataset.scan import Report
from hanzi_core.dataset.source import Source
from hanzi_core.dataset.store import Dataset
from hanzi_core.errors import DatasetError, HanziError
from hanzi_core.image.decode import decode
from hanzi_core.image.normalise import IMAGE_SIZE_PX, VERSION, normalise
from hanzi_core.language import mark
from hanzi_core.workspace import writing

PACKING = mark("Normalising pictures")
_BATCH = 1024


@dataclass(frozen=True)
class Pack:
    """Normalised pictures of a dataset."""

    images: NDArray[np.uint8]
    """``(rows, size, size)``, memory-mapped; row i is row i of the manifest, faulty rows are black."""


def open_pack(dataset: Dataset, report: Report, size_px: int = IMAGE_SIZE_PX) -> Pack:
    """The pack of ``dataset`` at ``size_px``, made now if there is none for its present files.

    Raises:
        DatasetError: pictures have changed or gone since the scan.
        WorkspaceError: no space is left; nothing half-made stays behind.
    """
    manifest = dataset.manifest()
    path = dataset.folder / "packs" / f"{_content_digest(manifest)}-n{VERSION}-{size_px}.npy"
    if not path.exists():
        _build(dataset.source(), manifest, path, report, size_px)
    return Pack(np.load(path, mmap_mode="r"))


def _content_digest(manifest: pd.DataFrame) -> str:
    """Names what the pictures are, whatever they are called and however they are split."""
    return hashlib.blake2b("".join(manifest["digest"]).encode(), digest_size=8).hexdigest()


def _build(source: Source, manifest: pd.DataFrame, path: Path, report: Report, size_px: int) -> None:
    building = path.with_name(f".{os.getpid()}-{path.name}")
    shape = (len(manifest), size_px, size_px)
    with writing(path.parent):
        path.parent.mkdir(exist_ok=True)
        try:
            _reserve(building, shape)
            images = np.lib.format.open_memmap(building, mode="r+")
            _fill(images, source, manifest, report, size_px)
            images.flush()
            building.replace(path)
        finally:
            building.unlink(missing_ok=True)


def _reserve(path: Path, shape: tuple[int, ...]) -> None:
    """Take the space now: a memory-mapped write on a full disk would kill the process instead of raising."""
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _fill(images: np.ndarray, source: Source, manifest: pd.DataFrame, report: Report, size_px: int) -> None:
    rows = np.flatnonzero((manifest["fault"] == "").to_numpy())
    paths, digests = manifest["path"].to_numpy(), manifest["digest"].to_numpy()
    cv2.setNumThreads(1)

    def one(row: int) -> None:
        images[row] = normalise(_read_same(source, paths[row], digests[row]), size_px)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(rows), _BATCH):
            list(threads.map(one, rows[start : start + _BATCH]))
            report(PACKING, min(start + _BATCH, len(rows)), len(rows))


def _read_same(source: Source, path: str, digest: str) -> NDArray[np.uint8]:
    """The picture at ``path``, if it is still the one that was scanned."""
    data = source.read(path)
    if hashlib.blake2b(data, digest_size=16).hexdigest() != digest:
        raise DatasetError(mark("{path} has changed since the dataset was scanned: scan it again."), path=path)
    return decode(data, path)


def sample_pictures(source: Source, paths: Sequence[str]) -> list[NDArray[np.uint8] | None]:
    """Pictures as they are, gray, for a page to show; ``None`` for one that cannot be read."""
    return [_try_decode(source, path) for path in paths]


def _try_decode(source: Source, path: str) -> NDArray[np.uint8] | None:
    try:
        return decode(source.read(path), path)
    except HanziError:
        return None
