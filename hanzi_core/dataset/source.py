"""Where a collection's pictures are: a folder or a zip, read in place and never changed.

A picture's label is the name of the folder it lies in, at any depth; a folder above it called ``train``, ``val`` or
``test`` tells which part of a split it was given.
"""

import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from hanzi_core.errors import ArchiveError, DatasetError
from hanzi_core.language import mark

PART_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx"}


@dataclass(frozen=True)
class Entry:
    """One file of a collection, as its directory tells it, before it is opened."""

    path: str
    """Below the source, with ``/``: the key to read it by."""
    label: str
    """The class, in NFC; empty for a file that lies in no folder."""
    size_bytes: int
    modified_ns: int
    part: str
    """``train``, ``validation`` or ``test`` if its folder says so, else empty."""


class Source(Protocol):
    """A place that pictures are read from."""

    kind: str
    location: Path

    def entries(self) -> Iterator[Entry]:
        """Every file, in the order of its path."""

    def read(self, path: str) -> bytes:
        """The bytes of one file.

        Raises:
            DatasetError: it has gone or cannot be read.
        """


def open_source(location: Path | str) -> Source:
    """The source at ``location``, told by what lies there.

    Raises:
        DatasetError: nothing is there, or no folder and no zip.
    """
    path = Path(location).expanduser().absolute()
    try:
        if path.is_dir():
            return FolderSource(path)
        if zipfile.is_zipfile(path):
            return ZipSource(path)
        found = path.exists()
    except OSError as error:
        raise DatasetError(mark("{path} cannot be read: check its permissions."), path=path) from error
    if not found:
        raise DatasetError(mark("Nothing is at {path} on this server: check the path."), path=path)
    raise DatasetError(mark("{path} is neither a folder nor a zip file, or the zip is damaged."), path=path)


class FolderSource:
    """A folder of folders of pictures."""

    kind = "folder"

    def __init__(self, location: Path) -> None:
        self.location = location

    def entries(self) -> Iterator[Entry]:
        """Every file below the folder; links that lead out of it are not followed."""
        yield from self._walk(self.location, ())

    def _walk(self, folder: Path, names: tuple[str, ...]) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as found:
                children = sorted(found, key=lambda child: child.name)
        except OSError as error:
            raise DatasetError(mark("The folder {path} cannot be read: check its permissions."), path=folder) from error
        for child in children:
            if _is_hidden(child.name) or child.is_symlink():
                continue
            if child.is_dir():
                yield from self._walk(Path(child.path), (*names, child.name))
            elif child.is_file():
                facts = child.stat()
                yield _entry((*names, child.name), facts.st_size, facts.st_mtime_ns)

    def read(self, path: str) -> bytes:
        """The bytes of one file."""
        try:
            return (self.location / path).read_bytes()
        except OSError as error:
            raise DatasetError(mark("{path} has gone or cannot be read: scan the dataset again."), path=path) from error


@dataclass(frozen=True)
class ZipLimits:
    """What an archive may ask of us. A picture packs to a tenth at best, unless it is made to burst."""

    total_bytes: int = 64 * 2**30
    member_bytes: int = 256 * 2**20
    ratio: float = 200.0
    members: int = 5_000_000


class ZipSource:
    """A zip of folders of pictures, read without unpacking it: 138,499 files need not become 138,499 files."""

    kind = "zip"

    def __init__(self, location: Path, limits: ZipLimits | None = None) -> None:
        self.location = location
        self._limits = limits or ZipLimits()
        try:
            self._archive = zipfile.ZipFile(location)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise ArchiveError(mark("{file} is damaged or no zip: pack it again."), file=location.name) from error
        self._members = {_member_name(info): info for info in self._archive.infolist() if not info.is_dir()}
        self._check()

    def _check(self) -> None:
        name = self.location.name
        if len(self._members) > self._limits.members:
            raise ArchiveError(
                mark("{file} holds more than {limit} files: split it up."), file=name, limit=self._limits.members
            )
        total = sum(info.file_size for info in self._members.values())
        if total > self._limits.total_bytes:
            limit_gib = self._limits.total_bytes / 2**30
            raise ArchiveError(
                mark("{file} would unpack to more than {limit_gib:.0f} GiB: split it up."),
                file=name,
                limit_gib=limit_gib,
            )
        for path, info in self._members.items():
            _check_member(name, path, info, self._limits)

    def entries(self) -> Iterator[Entry]:
        """Every file in the archive but hidden ones."""
        for path in sorted(self._members):
            names = tuple(PurePosixPath(path).parts)
            if not any(_is_hidden(name) for name in names):
                info = self._members[path]
                yield _entry(names, info.file_size, info.CRC)

    def read(self, path: str) -> bytes:
        """The bytes of one file; never more than its directory entry promised."""
        try:
            with self._archive.open(self._members[path]) as file:
                return file.read(self._limits.member_bytes)
        except (
            KeyError,
            OSError,
            zipfile.BadZipFile,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            raise DatasetError(mark("{path} in {file} is damaged."), path=path, file=self.location.name) from error
        except Exception as error:  # zlib.error, lzma.LZMAError: each compression has its own
            raise DatasetError(mark("{path} in {file} is damaged."), path=path, file=self.location.name) from error


def _member_name(info: zipfile.ZipInfo) -> str:
    """The name of a member; older packers on Chinese Windows wrote GBK without saying so (flag bit 11 unset)."""
    if info.flag_bits & 0x800:
        return info.filename
    raw = info.filename.encode("cp437", errors="replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding).replace("\\", "/")
        except UnicodeDecodeError:
            continue
    return info.filename


def _check_member(archive: str, path: str, info: zipfile.ZipInfo, limits: ZipLimits) -> None:
    parts = path.replace("\\", "/").split("/")
    if path.startswith(("/", "\\")) or ".." in parts or (len(path) > 1 and path[1] == ":") or "\0" in path:
        raise ArchiveError(
            mark("{file} holds the path “{path}”, which leaves its folder; nothing was taken from it."),
            file=archive,
            path=path[:80],
        )
    mode = info.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise ArchiveError(
            mark("{file} holds a link or device (“{path}”): pack the pictures themselves."),
            file=archive,
            path=path[:80],
        )
    if info.flag_bits & 0x1:
        raise ArchiveError(mark("{file} is protected by a password: pack it without one."), file=archive)
    bursts = info.file_size > 2**20 and info.file_size > limits.ratio * max(1, info.compress_size)
    if bursts or info.file_size > limits.member_bytes:
        raise ArchiveError(
            mark("“{path}” in {file} would unpack to {size_mib:.0f} MiB: no picture is like that."),
            path=path[:80],
            file=archive,
            size_mib=info.file_size / 2**20,
        )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def _entry(names: tuple[str, ...], size_bytes: int, modified_ns: int) -> Entry:
    label = unicodedata.normalize("NFC", names[-2]) if len(names) > 1 else ""
    above = (PART_FOLDERS[name.lower()] for name in names[:-2] if name.lower() in PART_FOLDERS)
    return Entry("/".join(names), label, size_bytes, modified_ns, next(above, ""))
