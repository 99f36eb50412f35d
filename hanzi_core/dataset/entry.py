"""What every source has in common: entries, and what their folders say about them."""

import os
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

PART_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
# The official parts of CASIA-HWDB: HWDB1.1trn_gnt, HWDB1.1tst_gnt.
_HWDB_PART = re.compile(r"hwdb[\d.]*_?(trn|tst)")
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx"}


class Entry(NamedTuple):
    """One picture of a collection, as its directory tells it, before it is opened."""

    path: str
    """Below the source, with ``/``: the key to read it by."""
    given_name: str
    """What the source calls its class: the folder's name, or the tag of a record; empty where it says nothing."""
    size_bytes: int
    modified_ns: int
    part: str
    """``train``, ``validation`` or ``test`` if its folder says so, else empty."""
    fault: str = ""
    """A fault that shows before the picture is opened."""

    @property
    def label(self) -> str:
        """The class: the given name in NFC."""
        return unicodedata.normalize("NFC", self.given_name)


class Source(Protocol):
    """A place that pictures are read from; it can be pickled, to be read in another process."""

    kind: str
    location: Path

    def entries(self) -> Iterator[Entry]:
        """Every file, in the order of its path."""

    def read(self, path: str) -> bytes:
        """The bytes of one picture.

        Raises:
            DatasetError: it has gone, or the system could not read it; another time it may.
            ImageError: it is damaged in its archive.
            ImageTooLargeError: no picture takes so many bytes.
        """

    def decode(self, data: bytes, path: str) -> NDArray[np.uint8]:
        """What :meth:`read` gave, as a gray picture ``(height, width)``.

        Raises:
            ImageError: it is no picture, a broken one, or one too large.
        """


def is_hidden(name: str) -> bool:
    """Whether a file or folder is the system's own rather than the collection's."""
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def is_unicode(text: str) -> bool:
    """Whether ``text`` can be written in UTF-8: Linux hands out names of any bytes, as surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def legible(name: str) -> str:
    """``name`` as it can be written in UTF-8: what it has of other bytes as ``\\xNN``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def part_of(folders: tuple[str, ...]) -> str:
    """The part that the innermost of ``folders`` named for one gives; empty where none is."""
    for folder in reversed(folders):
        name = folder.lower()
        if name in PART_FOLDERS:
            return PART_FOLDERS[name]
        if found := _HWDB_PART.search(name):
            return "train" if found[1] == "trn" else "test"
    return ""


def file_entry(names: tuple[str, ...], size_bytes: int, modified_ns: int) -> Entry:
    """The entry of the file at ``names``; a folder called ``train`` is a part and no class."""
    given, part = _class_and_part(names[:-1])
    return Entry("/".join(names), given, size_bytes, modified_ns, part)


@lru_cache(maxsize=1024)
def _class_and_part(folders: tuple[str, ...]) -> tuple[str, str]:
    """What the folders of a file say; asked anew for each of its thousand neighbours."""
    given = folders[-1] if folders and folders[-1].lower() not in PART_FOLDERS else ""
    return given, part_of(folders[:-1] if given else folders)
