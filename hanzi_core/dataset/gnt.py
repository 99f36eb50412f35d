"""CASIA-HWDB ``.gnt`` files, read in place: a million characters need not become a million files.

A file is a row of records, all integers little-endian (Liu et al., CASIA Online and Offline Chinese Handwriting
Databases, ICDAR 2011):

| bytes | meaning |
|---|---|
| 4 | size of the record, these four bytes included: 10 + width × height |
| 2 | tag: the character in GB18030; one of a single byte is followed by 0 |
| 2, 2 | width, height in px |
| width × height | bitmap, 8 bit, row by row, dark ink on white (255) |
"""

import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from hanzi_core.dataset.entry import Entry, part_of
from hanzi_core.dataset.folder import FolderSource
from hanzi_core.dataset.manifest import Fault
from hanzi_core.errors import DatasetError, ImageError
from hanzi_core.language import mark

EXTENSION = ".gnt"
_HEADER_BYTES = 10
_TAG_END = 6
_SIDE_LIMIT_PX = 4096
"""The databases hold no character above some 500 px; a header that claims more is no header."""
_WINDOW_BYTES = 1 << 20
_OPEN_LIMIT = 64


class GntSource:
    """One ``.gnt`` file, or a folder of them; a picture's path is ``FILE#OFFSET``, the offset in bytes."""

    kind = "gnt"

    def __init__(self, location: Path) -> None:
        self.location = location
        self._open: dict[str, BinaryIO] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Opened again in the process that unpickles it."""
        return type(self), (self.location,)

    def entries(self) -> Iterator[Entry]:
        """Every record; a broken one has a fault, and the next whole one after it is looked for.

        What else lies in the folder has a fault too: of pictures beside ``.gnt`` files none is read.
        """
        if self.location.is_file():
            facts = self.location.stat()
            yield from self._records_of(Entry(self.location.name, "", facts.st_size, facts.st_mtime_ns, ""))
            return
        for entry in FolderSource(self.location).entries():
            if entry.fault:
                yield entry
            elif entry.path.lower().endswith(EXTENSION):
                yield from self._records_of(entry)
            else:
                yield entry._replace(fault=Fault.BESIDE_GNT.value)

    def _records_of(self, file: Entry) -> Iterator[Entry]:
        """The records of one ``file``, or itself with the fault that hinders it from being read."""
        place = self._place(file.path)
        part = part_of(self._folders_of(file.path))
        if not file.size_bytes:
            yield file._replace(fault=Fault.EMPTY.value)
        try:
            with place.open("rb", buffering=0) as opened:
                for offset, size, label, fault in _records(opened, file.size_bytes):
                    yield Entry(f"{file.path}#{offset}", label, size, file.modified_ns, part, fault)
        except OSError as error:
            if place == self.location:
                raise DatasetError(mark("{path} cannot be read: check its permissions."), path=place) from error
            yield file._replace(fault=Fault.GONE.value)

    def _folders_of(self, name: str) -> tuple[str, ...]:
        """The folders that may tell the part of a file: those that were given, none that they lie in by chance."""
        if self.location.is_file():
            return (self.location.parent.name,)
        return self.location.name, *PurePosixPath(name).parts[:-1]

    def _place(self, name: str) -> Path:
        return self.location if self.location.is_file() else self.location / name

    def read(self, path: str) -> bytes:
        """One record from its width on: without size and tag, so that equal pictures have equal bytes."""
        name, _, offset = path.rpartition("#")
        try:
            with self._lock:
                file = self._file(name)
                file.seek(int(offset))
                size, _, _, _ = _header(file.read(_HEADER_BYTES))
                file.seek(int(offset) + _TAG_END)
                return file.read(size - _TAG_END)
        except (OSError, ValueError) as error:
            raise DatasetError(mark("{path} has gone or cannot be read: scan the dataset again."), path=path) from error

    def _file(self, name: str) -> BinaryIO:
        if name not in self._open:
            if len(self._open) >= _OPEN_LIMIT:
                self._open.pop(next(iter(self._open))).close()
            self._open[name] = self._place(name).open("rb", buffering=0)
        return self._open[name]

    @staticmethod
    def decode(data: bytes, path: str) -> NDArray[np.uint8]:
        """The bitmap of a record as :meth:`read` gave it."""
        width, height = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:4], "little")
        try:
            return np.frombuffer(data, np.uint8, width * height, 4).reshape(height, width)
        except ValueError as error:
            raise ImageError(mark("The record {name} is damaged."), name=path) from error


def _header(data: bytes) -> tuple[int, str, int, int]:
    """Size, label, width and height of the record that begins with ``data``.

    Raises:
        ValueError: the figures contradict each other.
    """
    size = int.from_bytes(data[:4], "little")
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    whole = len(data) == _HEADER_BYTES and 0 < width <= _SIDE_LIMIT_PX and 0 < height <= _SIDE_LIMIT_PX
    if not whole or size != _HEADER_BYTES + width * height:
        raise ValueError(f"size {size} of a record of {width} x {height} px")
    return size, _label(data[4:6]), width, height


def _label(tag: bytes) -> str:
    """The character of a tag; empty where it is none."""
    label = tag.rstrip(b"\0").decode("gb18030", "replace")
    return label if label.isprintable() and "\ufffd" not in label else ""


def _records(file: Any, file_bytes: int) -> Iterator[tuple[int, int, str, str]]:
    """Offset, size in bytes, label and fault of each record."""
    offset, head = 0, _head(file, 0)
    while offset < file_bytes:
        size, label = head or (0, "")
        end = offset + size
        following = _head(file, end)
        if not size or (end != file_bytes and following is None):
            # Foreign bytes follow a whole record, or it lacks some and has run into the next one: that one tells.
            after = _next_record(file, offset + 1, file_bytes)
            if not size or after < end:
                yield offset, after - offset, label, Fault.BROKEN_RECORD.value
                offset, head = after, _head(file, after)
                continue
        yield offset, size, label, "" if label else Fault.NO_LABEL.value
        offset, head = end, following


def _head(file: Any, offset: int) -> tuple[int, str] | None:
    """Size and label of the record at ``offset``; ``None`` where none can be."""
    file.seek(offset)
    try:
        size, label, _, _ = _header(file.read(_HEADER_BYTES))
    except ValueError:
        return None
    return size, label


def _next_record(file: Any, start: int, file_bytes: int) -> int:
    """The first offset from ``start`` where a record of some character stands that does not run over the end.

    That size, width and height agree by chance happens once in some 10^12 random bytes.
    """
    window_bytes = _WINDOW_BYTES // 64  # it is mostly near: a file with a gap a record would take minutes otherwise
    while start + _HEADER_BYTES <= file_bytes:
        file.seek(start)
        window = file.read(window_bytes + _HEADER_BYTES)
        window_bytes = _WINDOW_BYTES
        for place in _consistent_headers(np.frombuffer(window, np.uint8)):
            size, label = _head(file, start + int(place)) or (0, "")
            if label and start + int(place) + size <= file_bytes:
                return start + int(place)
        start += max(1, len(window) - _HEADER_BYTES + 1)
    return file_bytes


def _consistent_headers(window: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Places in ``window`` where ten bytes read as a header whose size fits its width and height."""
    count = len(window) - _HEADER_BYTES + 1
    if count < 1:
        return np.empty(0, np.int64)
    byte = [window[place : place + count].astype(np.int64) for place in range(_HEADER_BYTES)]
    size = byte[0] | byte[1] << 8 | byte[2] << 16 | byte[3] << 24
    width, height = byte[6] | byte[7] << 8, byte[8] | byte[9] << 8
    sane = (width > 0) & (height > 0) & (width <= _SIDE_LIMIT_PX) & (height <= _SIDE_LIMIT_PX)
    return np.flatnonzero(sane & (size == _HEADER_BYTES + width * height))
