"""Look at every picture of a collection once: decode it, hash it, measure its ink, name what is wrong with it."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from hanzi_core.dataset.entry import Source
from hanzi_core.dataset.likeness import copy_groups, likeness
from hanzi_core.dataset.listing import Report, list_rows
from hanzi_core.dataset.manifest import Fault
from hanzi_core.dataset.parallel import run_batches
from hanzi_core.errors import DatasetError, ImageError
from hanzi_core.image.decode import EXTENSIONS
from hanzi_core.image.normalise import ink_is_light, normalise
from hanzi_core.image.synthetic import is_synthetic
from hanzi_core.language import mark

SCANNING = mark("Reading pictures")
COMPARING = mark("Looking for copies")
_BATCH = 256


class Facts(NamedTuple):
    """What a picture itself tells; columns of the manifest."""

    width_px: int = 0
    height_px: int = 0
    digest: str = ""
    likeness: str = ""
    ink_is_light: bool = False
    ink_coverage: float = 0.0
    synthetic: bool = False
    fault: str = ""


_FACTS = pa.schema(
    [
        ("width_px", pa.int32()),
        ("height_px", pa.int32()),
        ("digest", pa.string()),
        ("likeness", pa.string()),
        ("ink_is_light", pa.bool_()),
        ("ink_coverage", pa.float32()),
        ("synthetic", pa.bool_()),
        ("fault", pa.string()),
    ]
)
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
) -> pd.DataFrame:
    """Make the manifest of ``source``, rows in the order of their paths.

    Args:
        source: What to read.
        report: Told how far it is.
        label_list: Name and content of a table of labels, see :func:`~hanzi_core.dataset.listing.list_rows`.
        previous: The manifest of an earlier scan: only what changed since is read, and exclusions by hand stay.

    Raises:
        DatasetError: there are no pictures in it, or the label list cannot be used.
    """
    rows = list_rows(source, report, label_list)
    manifest = _with_facts(source, rows, previous, report)
    manifest.loc[(manifest["fault"] == "") & (manifest["label"] == ""), "fault"] = Fault.NO_LABEL.value
    _check_usable(manifest, source)
    report(COMPARING, 0, 1)
    manifest["copy_group"] = _copy_groups(manifest)
    report(COMPARING, 1, 1)
    return manifest


def _copy_groups(manifest: pd.DataFrame) -> NDArray[np.int32]:
    sound = manifest["fault"] == ""
    return copy_groups(manifest["digest"].where(sound, ""), manifest["likeness"].where(sound, ""))


def _with_facts(source: Source, rows: pd.DataFrame, previous: pd.DataFrame | None, report: Report) -> pd.DataFrame:
    """``rows`` with facts: those of ``previous`` where size and time are the same, read anew otherwise."""
    known = None if previous is None else _known(rows, previous)
    unread = rows["fault"] == ""
    if known is not None:
        unread &= known["digest"].isna()
    paths = rows.loc[unread, "path"]
    facts = _examine_all(source, paths, report).set_axis(paths.index)
    if known is not None:
        facts = pd.concat([facts, known.loc[~unread, list(Facts._fields)].dropna()])
    facts = facts.reindex(rows.index).fillna(Facts()._asdict()).astype(_TYPES)
    facts["fault"] = facts["fault"].where(rows["fault"] == "", rows["fault"])
    by_hand = False if known is None else known["excluded_by_hand"].fillna(False).astype(bool)
    facts = facts.assign(excluded_by_hand=by_hand, excluded=by_hand)
    return pd.concat([rows.drop(columns="fault"), facts], axis=1)


def _known(rows: pd.DataFrame, previous: pd.DataFrame) -> pd.DataFrame:
    """What ``previous`` says of each row; missing where it was not there or has changed since."""
    names = [*Facts._fields, "excluded_by_hand"]
    earlier = previous.set_index("path")[["size_bytes", "modified_ns", *names]].reindex(rows["path"])
    earlier.index = rows.index
    same = (earlier["size_bytes"] == rows["size_bytes"]) & (earlier["modified_ns"] == rows["modified_ns"])
    same &= earlier["fault"] != Fault.GONE.value
    earlier["fault"] = earlier["fault"].replace(Fault.NO_LABEL.value, "")  # the label list may have come since
    return earlier[list(Facts._fields)].where(same).assign(excluded_by_hand=earlier["excluded_by_hand"])


def _examine_all(source: Source, paths: pd.Series, report: Report) -> pd.DataFrame:
    results = []
    done = 0
    for facts in run_batches(examine, source, _batches(paths), len(paths)):
        columns = [list(column) for column in zip(*facts, strict=True)]
        results.append(pa.RecordBatch.from_pydict(dict(zip(_FACTS.names, columns, strict=True)), schema=_FACTS))
        done += len(facts)
        report(SCANNING, done, len(paths))
    return pa.Table.from_batches(results, schema=_FACTS).to_pandas()


def _batches(paths: pd.Series) -> Iterator[list[str]]:
    for start in range(0, len(paths), _BATCH):
        yield paths.iloc[start : start + _BATCH].tolist()


def examine(source: Source, paths: list[str]) -> list[Facts]:
    """The facts of each picture."""
    return [_examine(source, path) for path in paths]


def _examine(source: Source, path: str) -> Facts:
    try:
        data = source.read(path)
    except DatasetError:
        return Facts(fault=(Fault.GONE if source.kind == "folder" else Fault.UNREADABLE).value)
    if not data:
        return Facts(fault=Fault.EMPTY.value)
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    try:
        gray = source.decode(data, path)
    except ImageError:
        named_as_picture = path.lower().endswith(EXTENSIONS)
        return Facts(digest=digest, fault=(Fault.UNREADABLE if named_as_picture else Fault.NOT_A_PICTURE).value)
    height, width = gray.shape
    normalised = normalise(gray)
    if not normalised.any():
        return Facts(width, height, digest, fault=Fault.BLANK.value)
    coverage = float((normalised > 127).mean())
    return Facts(width, height, digest, likeness(normalised), ink_is_light(gray), coverage, is_synthetic(data))


def _check_usable(manifest: pd.DataFrame, source: Source) -> None:
    if (manifest["fault"] == "").any():
        return
    if (manifest["fault"] == Fault.NO_LABEL).any():
        raise DatasetError(
            mark(
                "The pictures in {path} lie in no folders: put each into a folder named by its character, "
                "or add a CSV with the columns file,label."
            ),
            path=source.location,
        )
    raise DatasetError(mark("{path} holds no picture that can be read."), path=source.location)
