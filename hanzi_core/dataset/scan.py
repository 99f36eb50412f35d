"""Look at every picture of a collection once: its facts go into the manifest, its normalised form into the pack."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from hanzi_core.dataset.entry import Source
from hanzi_core.dataset.examine import FACTS, UNKNOWN, examine
from hanzi_core.dataset.likeness import copy_groups
from hanzi_core.dataset.listing import Report, list_rows
from hanzi_core.dataset.manifest import Fault, readable_digests
from hanzi_core.dataset.pack_file import Pack, PackWriter, open_sound, pack_path
from hanzi_core.dataset.parallel import run_batches
from hanzi_core.dataset.written import are_written
from hanzi_core.errors import DatasetError
from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.language import mark

SCANNING = mark("Reading pictures")
COMPARING = mark("Looking for copies")
_BATCH = 256


_TYPES = {
    "width_px": "int32",
    "height_px": "int32",
    "ink_is_light": "bool",
    "ink_coverage": "float32",
    "synthetic": "bool",
}


def scan(
    source: Source,
    report: Report,
    label_list: tuple[str, bytes] | None = None,
    previous: pd.DataFrame | None = None,
    packs: Path | None = None,
) -> pd.DataFrame:
    """Make the manifest of ``source``, rows in the order of their paths, and with it the pack of the usual size.

    Args:
        source: What to read.
        report: Told how far it is.
        label_list: Name and content of a table of labels, see :func:`~hanzi_core.dataset.listing.list_rows`.
        previous: The manifest of an earlier scan: only what changed since is read, and exclusions by hand stay.
        packs: Folder to leave the pack in; unchanged pictures are taken from the pack of ``previous`` there. Where
            that one is missing or damaged none is made, for then all would have to be read again.

    Raises:
        DatasetError: there are no pictures in it but those written beside it, or the label list cannot be used.
    """
    manifest = _read(source, report, label_list, previous, packs)
    manifest.loc[(manifest["fault"] == "") & (manifest["label"] == ""), "fault"] = Fault.NO_LABEL.value
    _check_usable(manifest, source)
    report(COMPARING, 0, 1)
    manifest["copy_group"] = _copy_groups(manifest, previous)
    report(COMPARING, 1, 1)
    return manifest


def _read(
    source: Source,
    report: Report,
    label_list: tuple[str, bytes] | None,
    previous: pd.DataFrame | None,
    packs: Path | None,
) -> pd.DataFrame:
    """The manifest as far as it is of single pictures; by itself, for what it is made of takes as much memory again."""
    rows = list_rows(source, report, label_list)
    known = None if previous is None else _known(rows, previous)
    unread = rows["fault"] == ""
    if known is not None:
        unread &= known["digest"].isna()
    with _packing(packs, previous) as writer:
        facts = _examine_all(source, rows.loc[unread, "path"], report, writer)
        manifest = _with_facts(rows, facts, known)
        if packs is not None and writer is not None:
            _finish_pack(writer, packs, manifest, unread.to_numpy(), previous)
    return manifest


def _copy_groups(manifest: pd.DataFrame, previous: pd.DataFrame | None) -> NDArray[np.int32]:
    compared = ["digest", "likeness", "fault"]
    if previous is not None and manifest[compared].equals(previous[compared]):
        return previous["copy_group"].to_numpy()
    return copy_groups(manifest["digest"], manifest["likeness"], (manifest["fault"] == "").to_numpy())


@contextmanager
def _packing(packs: Path | None, previous: pd.DataFrame | None) -> Iterator[PackWriter | None]:
    """A pack to write beside the scan, if there is one to be made; nothing half-made stays."""
    if packs is None or (previous is not None and open_sound(_pack_of(packs, previous)) is None):
        yield None
        return
    packs.mkdir(exist_ok=True)
    writer = PackWriter(packs / "scan.partial", IMAGE_SIZE_PX)
    try:
        yield writer
    finally:
        writer.discard()


def _pack_of(packs: Path, manifest: pd.DataFrame) -> Path:
    return pack_path(packs, readable_digests(manifest), IMAGE_SIZE_PX)


def _finish_pack(
    writer: PackWriter, packs: Path, manifest: pd.DataFrame, unread: NDArray[np.bool_], previous: pd.DataFrame | None
) -> None:
    """Put what was read, and what is known from the pack of ``previous``, in the order of the manifest."""
    path = _pack_of(packs, manifest)
    if path.exists():  # nothing has changed
        return
    places = np.full(len(manifest), -1)
    places[unread] = np.arange(writer.rows)
    if previous is not None:
        earlier = pd.Index(previous["path"]).get_indexer(manifest["path"])
        kept = ~unread & (earlier >= 0)
        places[kept] = writer.rows + np.arange(kept.sum())
        writer.adopt(Pack(_pack_of(packs, previous)), earlier[kept])
    writer.finish(path, places)


def _with_facts(rows: pd.DataFrame, facts: pd.DataFrame, known: pd.DataFrame | None) -> pd.DataFrame:
    """``rows`` with what was read now, and for the others with what is known."""
    if known is not None:
        kept = known.loc[~known.index.isin(facts.index), FACTS.names]
        facts = pd.concat([facts, kept.dropna()])
    facts = facts.reindex(rows.index).fillna(UNKNOWN).astype(_TYPES)
    facts["fault"] = facts["fault"].where(rows["fault"] == "", rows["fault"])
    by_hand = False if known is None else known["excluded_by_hand"].fillna(False).astype(bool)
    facts = facts.assign(excluded_by_hand=by_hand, excluded=by_hand)
    return pd.concat([rows.drop(columns="fault"), facts], axis=1)


def _known(rows: pd.DataFrame, previous: pd.DataFrame) -> pd.DataFrame:
    """What ``previous`` says of each row; missing where it was not there or has changed since."""
    names = [*FACTS.names, "excluded_by_hand"]
    earlier = previous.set_index("path")[["size_bytes", "modified_ns", *names]].reindex(rows["path"])
    earlier.index = rows.index
    same = (earlier["size_bytes"] == rows["size_bytes"]) & (earlier["modified_ns"] == rows["modified_ns"])
    same &= ~earlier["fault"].isin([Fault.GONE.value, Fault.BESIDE_GNT.value])  # which were not read
    earlier["fault"] = earlier["fault"].replace(Fault.NO_LABEL.value, "")  # the label list may have come since
    return earlier[FACTS.names].where(same).assign(excluded_by_hand=earlier["excluded_by_hand"])


def _examine_all(source: Source, paths: pd.Series, report: Report, writer: PackWriter | None) -> pd.DataFrame:
    """The facts of the pictures at ``paths``, by their index; their frames go to ``writer``."""
    results = []
    done = 0
    for facts, frames in run_batches(examine, source, _batches(paths), len(paths)):
        results.append(facts)
        if writer is not None:
            writer.append(frames)
        done += facts.num_rows
        report(SCANNING, done, len(paths))
    return pa.Table.from_batches(results, schema=FACTS).to_pandas().set_axis(paths.index)


def _batches(paths: pd.Series) -> Iterator[list[str]]:
    for start in range(0, len(paths), _BATCH):
        yield paths.iloc[start : start + _BATCH].tolist()


def _check_usable(manifest: pd.DataFrame, source: Source) -> None:
    """Make sure that the source itself has a picture: those written beside it are nothing to judge a model by."""
    faults = manifest.loc[~are_written(manifest["path"]), "fault"]
    if (faults == "").any():
        return
    if (faults == Fault.NO_LABEL).any():
        raise DatasetError(
            mark(
                "The pictures in {path} lie in no folders: put each into a folder named by its character, "
                "or add a CSV with the columns file,label."
            ),
            path=source.location,
        )
    if (faults == Fault.LINK).all():
        raise DatasetError(
            mark("{path} holds nothing but links, which are not followed: give the folder that they lead to."),
            path=source.location,
        )
    raise DatasetError(mark("{path} holds no picture that can be read."), path=source.location)
