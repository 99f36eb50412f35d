"""A zip of folders of pictures, read in place and never trusted."""

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.dataset.encoding import chinese_encoding
from hanzi_core.dataset.entry import Entry, file_entry, is_hidden
from hanzi_core.dataset.manifest import Fault
from hanzi_core.errors import ArchiveError, DatasetError, ImageError
from hanzi_core.image.decode import decode
from hanzi_core.language import mark

_BURST_BYTES = 16 * 2**20
"""A bitmap of clean ink, which packs to a thousandth, is smaller than this."""


def bursts(member: zipfile.ZipInfo, ratio: float) -> bool:
    """Whether a large file in a zip unpacks to more than ``ratio`` times what it takes there."""
    return member.file_size > _BURST_BYTES and member.file_size > ratio * max(1, member.compress_size)


class ZipLimits(BaseModel):
    """What an archive may ask of us: a large file that packs to next to nothing is made to burst."""

    model_config = ConfigDict(frozen=True)

    total_gib: float = Field(64.0, gt=0, description="Largest sum of unpacked sizes, GiB.")
    member_mib: float = Field(256.0, gt=0, description="Largest unpacked file, MiB.")
    ratio: float = Field(200.0, gt=1, description="Largest ratio of unpacked to packed size of a file above 16 MiB.")
    members: int = Field(5_000_000, gt=0, description="Largest number of files.")


class ZipSource:
    """A zip of folders of pictures, read without unpacking it: 138,499 files need not become 138,499 files."""

    kind = "zip"
    decode = staticmethod(decode)

    def __init__(self, location: Path, limits: ZipLimits | None = None) -> None:
        self.location = location
        self._limits = limits or ZipLimits()
        try:
            self._archive = zipfile.ZipFile(location)
            members = [info for info in self._archive.infolist() if not info.is_dir()]
        except Exception as error:  # a directory of random bytes makes zipfile raise anything, struct.error included
            raise ArchiveError(mark("{file} is damaged or no zip: pack it again."), file=location.name) from error
        self._members, self._replaced = _by_path(members)
        self._check()

    def __reduce__(self) -> tuple[Any, ...]:
        """Opened again in the process that unpickles it: two must not share one file position."""
        return type(self), (self.location, self._limits)

    def _check(self) -> None:
        name, limits = self.location.name, self._limits
        if len(self._members) > limits.members:
            raise ArchiveError(
                mark("{file} holds more than {limit} files: split it up."), file=name, limit=limits.members
            )
        if sum(info.file_size for info in self._members.values()) > limits.total_gib * 2**30:
            raise ArchiveError(
                mark("{file} would unpack to more than {limit_gib:.3g} GiB: split it up."),
                file=name,
                limit_gib=limits.total_gib,
            )
        for path, info in self._members.items():
            _check_member(name, path, info, limits)

    def entries(self) -> Iterator[Entry]:
        """Every file in the archive but hidden ones; with a fault, where a later one has the same name."""
        for path in sorted(self._members):
            names = tuple(PurePosixPath(path).parts)
            if names and not any(is_hidden(name) for name in names):
                info = self._members[path]
                entry = file_entry(names, info.file_size, info.CRC)
                fault = Fault.NAME_TWICE.value if path in self._replaced else ""
                yield entry._replace(path=path, fault=fault)

    def read(self, path: str) -> bytes:
        """The bytes of one file; never more than its directory entry promised."""
        try:
            with self._archive.open(self._members[path]) as file:
                return file.read(int(self._limits.member_mib * 2**20))
        except Exception as error:  # zlib.error, lzma.LZMAError: each compression has its own; bzip2 an empty OSError
            if isinstance(error, OSError) and error.errno:
                raise DatasetError(
                    mark("{path} has gone or cannot be read: scan the dataset again."), path=path
                ) from error
            raise ImageError(mark("{path} in {file} is damaged."), path=path, file=self.location.name) from error


def _by_path(members: list[zipfile.ZipInfo]) -> tuple[dict[str, zipfile.ZipInfo], set[str]]:
    """Each member by a path of its own, and the paths of those that a later one of the same name replaces.

    The last one keeps the name, as it would if the zip were unpacked; the others get a number after it.
    """
    by_path: dict[str, zipfile.ZipInfo] = {}
    replaced: dict[str, zipfile.ZipInfo] = {}
    for name, info in zip(_member_names(members), members, strict=True):
        if name in by_path:
            replaced[f"{name}#{len(replaced) + 1}"] = by_path[name]
        by_path[name] = info
    taken = {path: info for path, info in replaced.items() if path not in by_path}
    return by_path | taken, set(taken)


def _member_names(members: list[zipfile.ZipInfo]) -> list[str]:
    """Names of the members; packers on Chinese Windows write GBK or Big5 without saying so (flag bit 11 unset).

    One packer wrote them all, so one encoding must fit them all: alone, some GBK names are valid UTF-8 by chance.
    """
    unsaid = b"\n".join(info.filename.encode("cp437", "replace") for info in members if not _says_utf8(info))
    encoding = next((name for name in _encodings(unsaid) if _fits(unsaid, name)), "cp437")
    return [
        (info.filename if _says_utf8(info) else info.filename.encode("cp437", "replace").decode(encoding))
        .replace("\\", "/")
        .encode("utf-8", "replace")
        .decode()
        for info in members
    ]


def _encodings(names: bytes) -> Iterator[str]:
    """Which to try; only where the first does not fit is it asked which the second is."""
    yield "utf-8"
    yield chinese_encoding(names)


def _says_utf8(info: zipfile.ZipInfo) -> bool:
    return bool(info.flag_bits & 0x800)


def _fits(names: bytes, encoding: str) -> bool:
    try:
        names.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _check_member(archive: str, path: str, info: zipfile.ZipInfo, limits: ZipLimits) -> None:
    if path.startswith("/") or ".." in path.split("/") or path[1:2] == ":" or "\0" in path:
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
    if bursts(info, limits.ratio) or info.file_size > limits.member_mib * 2**20:
        raise ArchiveError(
            mark("“{path}” in {file} would unpack to {size_mib:.0f} MiB: no picture is like that."),
            path=path[:80],
            file=archive,
            size_mib=info.file_size / 2**20,
        )
