"""The pack: every readable picture normalised once, in one memory-mapped file.

A split is a choice of rows, so one pack serves all splits of a dataset, and excluding a picture makes no new pack. The
scan writes the pack of the usual size as it reads the pictures; another size is made here when it is first asked for.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hanzi_core.dataset.entry import Source
from hanzi_core.dataset.listing import Report
from hanzi_core.dataset.manifest import readable_digests
from hanzi_core.dataset.pack_file import Frames, Pack, PackWriter, clear_others, compress, open_sound, pack_path
from hanzi_core.dataset.parallel import run_batches
from hanzi_core.dataset.store import PACKS, Dataset
from hanzi_core.errors import DatasetError, HanziError
from hanzi_core.image.normalise import IMAGE_SIZE_PX, normalise
from hanzi_core.language import mark
from hanzi_core.workspace import writing

PACKING = mark("Normalising pictures")
_BATCH = 256
_KEEP_INTERVAL_S = 5.0
"""What is lost at most when the machine goes down; each keeping waits for the disk."""


class _Block(NamedTuple):
    """Rows that follow each other."""

    paths: list[str]
    digests: list[str]
    """Empty for a row that stays black."""


def open_pack(
    dataset: Dataset, report: Report, size_px: int = IMAGE_SIZE_PX, manifest: pd.DataFrame | None = None
) -> Pack:
    """The pack of ``dataset`` at ``size_px``, made now if there is none for its present files, or a damaged one.

    Its rows are those of ``manifest``, if one that was read before is given: a scan may have changed them since.

    A making that was stopped goes on where it was; a second process that wants the same pack waits for the first.

    Raises:
        DatasetError: pictures have changed or gone since the scan, or the dataset was deleted meanwhile.
        WorkspaceError: no space is left; nothing half-made stays behind.
    """
    with dataset.in_use():
        if manifest is None:
            manifest = dataset.manifest(["path", "digest", "fault"])
        manifest = manifest[["path"]].assign(digest=readable_digests(manifest))
        path = pack_path(dataset.folder / PACKS, manifest["digest"], size_px)
        pack = open_sound(path)
        if pack is None:
            with writing(path.parent), dataset.locked("pack"):
                path.parent.mkdir(exist_ok=True)
                if open_sound(path) is None:
                    clear_others(path)
                    _build(dataset.source(), manifest, path, report, size_px)
        return pack or Pack(path)


def _build(source: Source, manifest: pd.DataFrame, path: Path, report: Report, size_px: int) -> None:
    writer = PackWriter(path.with_suffix(".partial"), size_px)
    try:
        _fill(writer, source, manifest, report, size_px)
        writer.finish(path)
    except (OSError, HanziError):  # a stop keeps what there is; what cannot be finished does not stay
        writer.discard()
        raise
    finally:
        writer.close()


def _fill(writer: PackWriter, source: Source, manifest: pd.DataFrame, report: Report, size_px: int) -> None:
    """Write the rows that are not there yet, and keep on record how far they are on disk."""
    last_kept = time.monotonic()
    blocks = _blocks(manifest, writer.rows)
    for frames in run_batches(partial(pack_block, size_px), source, blocks, len(manifest) - writer.rows):
        writer.append(frames)
        if time.monotonic() - last_kept > _KEEP_INTERVAL_S:
            writer.keep()
            last_kept = time.monotonic()
        try:
            report(PACKING, writer.rows, len(manifest))
        except BaseException:
            writer.keep()
            raise


def _blocks(manifest: pd.DataFrame, done: int) -> Iterator[_Block]:
    for start in range(done, len(manifest), _BATCH):
        rows = slice(start, start + _BATCH)
        yield _Block(manifest["path"].iloc[rows].tolist(), manifest["digest"].iloc[rows].tolist())


def pack_block(size_px: int, source: Source, block: _Block) -> Frames:
    """The pictures of a block, normalised and compressed."""
    pictures = np.zeros((len(block.paths), size_px, size_px), np.uint8)
    for row, (path, digest) in enumerate(zip(block.paths, block.digests, strict=True)):
        if digest:
            pictures[row] = normalise(_read_same(source, path, digest), size_px)
    return compress(pictures)


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
