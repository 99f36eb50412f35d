"""The manifest: one row a picture of a collection, in Parquet.

| column | dtype | meaning |
|---|---|---|
| path | str | key to read the picture by, below the source |
| given_name | str | what the source calls its class, as it is written there |
| label | str | class, NFC |
| size_bytes, modified_ns | int64 | what the directory says; a rescan re-reads only what changed |
| width_px, height_px | int32 | of the decoded picture, 0 where it cannot be read |
| digest | str | BLAKE2b-128 of the picture's bytes, hex |
| likeness | str | perceptual hash of the normalised picture, 256 bits, hex; empty where there is no ink |
| copy_group | int32 | pictures that are copies of each other, or nearly, share a number |
| ink_is_light | bool | white on black |
| ink_coverage | float32 | share of the normalised picture that is ink, 0 to 1 |
| synthetic | bool | written by the simulated hand, as the file itself says |
| fault | str | a :class:`Fault` that makes it unusable, empty where there is none |
| excluded | bool | by the user; faulty rows are unusable anyway |
| given_part | str | train, validation or test, where the folders of the source say so |
| split/NAME | str | part in the split NAME: train, validation, test, or empty |
"""

from enum import StrEnum
from pathlib import Path

import pandas as pd
import pyarrow as pa

from hanzi_core.errors import DatasetError
from hanzi_core.language import mark
from hanzi_core.workspace import replacing

SPLIT_PREFIX = "split/"

_ENCODINGS = {
    "path": "DELTA_BYTE_ARRAY",
    "digest": "DELTA_LENGTH_BYTE_ARRAY",
    "likeness": "DELTA_LENGTH_BYTE_ARRAY",
    "modified_ns": "PLAIN",
    "copy_group": "DELTA_BINARY_PACKED",
}
"""Of columns in which hardly anything comes twice; a dictionary of all values makes the file a quarter larger."""


class Fault(StrEnum):
    """What is wrong with a picture. The first ones make it unusable; with the others the user decides."""

    EMPTY = "empty"
    EMPTY_FOLDER = "empty_folder"
    CLOSED_FOLDER = "closed_folder"
    NOT_A_PICTURE = "not_a_picture"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    LINK = "link"
    BESIDE_GNT = "beside_gnt"
    GONE = "gone"
    NOT_THERE = "not_there"
    BROKEN_RECORD = "broken_record"
    NAME_ENCODING = "name_encoding"
    NAME_TWICE = "name_twice"
    BLANK = "blank"
    NO_LABEL = "no_label"
    TWO_LABELS = "two_labels"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    EXTREME_SIZE = "extreme_size"
    NOT_ONE_CHARACTER = "not_one_character"
    NAMES_ALIKE = "names_alike"


FAULT_NAMES = {
    Fault.EMPTY: mark("empty file"),
    Fault.EMPTY_FOLDER: mark("empty folder"),
    Fault.CLOSED_FOLDER: mark("folder that cannot be opened"),
    Fault.NOT_A_PICTURE: mark("not a picture"),
    Fault.UNREADABLE: mark("damaged picture"),
    Fault.TOO_LARGE: mark("too large to be read"),
    Fault.LINK: mark("link or device, not followed"),
    Fault.BESIDE_GNT: mark("beside .gnt files, which alone are read"),
    Fault.GONE: mark("gone, or not allowed to be read"),
    Fault.NOT_THERE: mark("named by the label list, but not there"),
    Fault.BROKEN_RECORD: mark("truncated or inconsistent record"),
    Fault.NAME_ENCODING: mark("name in a wrong encoding"),
    Fault.NAME_TWICE: mark("the zip holds another file of this name"),
    Fault.BLANK: mark("no ink found"),
    Fault.NO_LABEL: mark("named by no folder and no label list"),
    Fault.TWO_LABELS: mark("same picture under two characters"),
    Fault.DUPLICATE: mark("exact copy of another"),
    Fault.NEAR_DUPLICATE: mark("nearly a copy of another"),
    Fault.EXTREME_SIZE: mark("extreme size"),
    Fault.NOT_ONE_CHARACTER: mark("class name is not one character"),
    Fault.NAMES_ALIKE: mark("class name nearly equal to another"),
}


def fault_name(fault: str) -> str:
    """A fault as a person calls it, English; pass it through ``gettext``."""
    return FAULT_NAMES[Fault(fault)]


def usable(manifest: pd.DataFrame) -> pd.Series:
    """Which rows can be trained on: neither faulty nor excluded."""
    return (manifest["fault"] == "") & ~manifest["excluded"]


def readable_digests(manifest: pd.DataFrame) -> pd.Series:
    """The digest of each picture that can be read, whether it has its label yet or not; empty for the others."""
    return manifest["digest"].where(manifest["fault"].isin(["", Fault.NO_LABEL.value]), "")


def only_to_train_on(manifest: pd.DataFrame) -> pd.Series:
    """Which rows no model may be judged by: synthetic ones, where there are real ones.

    A dataset of nothing else is divided like any other, or nothing could be trained on it; what it is judged by then
    is how well a model reads the simulated hand, and the pages say so.
    """
    synthetic = manifest["synthetic"]
    has_real = (~synthetic & (manifest["fault"] == "")).any()
    return synthetic if has_real else pd.Series(False, index=manifest.index)


SYNTHETIC = mark("Written by the simulated hand: figures of it tell nothing about real writing.")


def is_wholly_synthetic(manifest: pd.DataFrame) -> bool:
    """Whether the simulated hand wrote all that is usable, for which :data:`SYNTHETIC` is to be told."""
    rows = manifest.loc[usable(manifest), "synthetic"]
    return len(rows) > 0 and bool(rows.all())


def write_manifest(manifest: pd.DataFrame, path: Path) -> None:
    """Replace the manifest in one step.

    Raises:
        WorkspaceError: the disk is full; the old manifest stays.
    """
    repetitive = [name for name in manifest.columns if name not in _ENCODINGS]
    with replacing(path) as file:
        manifest.to_parquet(
            file, index=False, compression="zstd", use_dictionary=repetitive, column_encoding=_ENCODINGS
        )


def read_whole(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """A Parquet table, or some of its columns, that may be replaced meanwhile: given the path, pyarrow opens it twice.

    Raises:
        OSError: it is missing.
        ArrowInvalid: it is damaged.
    """
    with path.open("rb") as file:
        return pd.read_parquet(file, columns=columns)


def damaged_manifest(path: Path) -> DatasetError:
    """What to tell of a manifest that is missing or cannot be read."""
    return DatasetError(mark("The manifest {path} is missing or damaged: import the dataset again."), path=path)


def read_manifest(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """The manifest as :func:`write_manifest` left it, or some of its columns.

    One that was made before there were synthetic pictures has none.

    Raises:
        DatasetError: it is missing or damaged.
    """
    try:
        manifest = read_whole(path, columns)
    except (OSError, pa.ArrowInvalid) as error:
        raise damaged_manifest(path) from error
    return manifest.assign(synthetic=manifest.get("synthetic", False)) if columns is None else manifest
