"""The manifest: one row a file of a collection, in Parquet.

| column | dtype | meaning |
|---|---|---|
| path | str | key to read the file by, below the source |
| label | str | class, NFC |
| size_bytes, modified_ns | int64 | what the directory says; a rescan re-reads only what changed |
| width_px, height_px | int32 | of the decoded picture, 0 where it cannot be read |
| digest | str | BLAKE2b-128 of the file, hex |
| ink_is_light | bool | white on black |
| ink_coverage | float32 | share of the picture that is ink, 0 to 1 |
| fault | str | a :class:`Fault`, empty where there is none |
| excluded | bool | by the user; faulty rows are unusable anyway |
| given_part | str | train, validation or test, where the folders of the source say so |
| split/NAME | str | part in the split NAME: train, validation, test, or empty |
"""

import io
from enum import StrEnum
from pathlib import Path

import pandas as pd
import pyarrow as pa

from hanzi_core.errors import DatasetError
from hanzi_core.language import mark
from hanzi_core.workspace import replace_file

SPLIT_PREFIX = "split/"


class Fault(StrEnum):
    """Why a file cannot be used."""

    EMPTY = "empty"
    NOT_A_PICTURE = "not_a_picture"
    UNREADABLE = "unreadable"
    BLANK = "blank"
    NO_LABEL = "no_label"


FAULT_NAMES = {
    Fault.EMPTY: mark("empty file"),
    Fault.NOT_A_PICTURE: mark("not a picture"),
    Fault.UNREADABLE: mark("damaged picture"),
    Fault.BLANK: mark("no ink found"),
    Fault.NO_LABEL: mark("lies in no character's folder"),
}


def fault_name(fault: str) -> str:
    """A fault as a person calls it, English; pass it through ``gettext``."""
    return FAULT_NAMES[Fault(fault)]


def usable(manifest: pd.DataFrame) -> pd.Series:
    """Which rows can be trained on: neither faulty nor excluded."""
    return (manifest["fault"] == "") & ~manifest["excluded"]


def write_manifest(manifest: pd.DataFrame, path: Path) -> None:
    """Replace the manifest in one step.

    Raises:
        WorkspaceError: the disk is full; the old manifest stays.
    """
    buffer = io.BytesIO()
    manifest.to_parquet(buffer, index=False)
    replace_file(path, buffer.getvalue())


def read_manifest(path: Path) -> pd.DataFrame:
    """The manifest as :func:`write_manifest` left it.

    Raises:
        DatasetError: it is missing or damaged.
    """
    try:
        return pd.read_parquet(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DatasetError(
            mark("The manifest {path} is missing or damaged: import the dataset again."), path=path
        ) from error
