"""A folder of folders of pictures, read in place."""

import os
import stat
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from hanzi_core.dataset.entry import Entry, file_entry, is_hidden
from hanzi_core.dataset.manifest import Fault
from hanzi_core.errors import DatasetError, ImageTooLargeError
from hanzi_core.image.decode import decode
from hanzi_core.language import mark

_FILE_LIMIT_BYTES = 256 * 2**20
"""A film or a backup that lies among the pictures is not read into memory."""
_AS_FOUND = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""What was a file when it was listed may be a link or a pipe by now: neither is followed or waited for."""


class FolderSource:
    """A folder of folders of pictures."""

    kind = "folder"
    decode = staticmethod(decode)

    def __init__(self, location: Path) -> None:
        self.location = location

    def entries(self) -> Iterator[Entry]:
        """Every file below the folder, and with a fault empty folders, devices and links, which may lead anywhere."""
        yield from self._walk(str(self.location), ())

    def _walk(self, folder: str, names: tuple[str, ...]) -> Iterator[Entry]:
        children = _children(folder, is_root=not names)
        if names and not children:
            yield file_entry((*names, ""), 0, 0)._replace(fault=Fault.EMPTY_FOLDER.value)
        for child in children:
            inside = (*names, child.name)
            try:
                if child.is_dir(follow_symlinks=False):
                    yield from self._walk(child.path, inside)
                elif child.is_file(follow_symlinks=False):
                    facts = child.stat(follow_symlinks=False)
                    yield file_entry(inside, facts.st_size, facts.st_mtime_ns)
                else:
                    yield file_entry(inside, 0, 0)._replace(fault=Fault.LINK.value)
            except FileNotFoundError:  # deleted since its folder was listed: it is simply no part of the collection
                continue

    def read(self, path: str) -> bytes:
        """The bytes of one file."""
        try:
            # A Path a file would cost a tenth of the scan.
            with FileIO(f"{self.location}/{path}", opener=_open_file) as file:
                facts = os.fstat(file.fileno())
                if not stat.S_ISREG(facts.st_mode):
                    raise OSError(path)
                if facts.st_size > _FILE_LIMIT_BYTES:
                    raise _too_large(path, facts.st_size)
                return file.readall()
        except (OSError, ValueError) as error:
            raise DatasetError(mark("{path} has gone or cannot be read: scan the dataset again."), path=path) from error


def _open_file(path: str, flags: int) -> int:
    return os.open(path, flags | _AS_FOUND)


def _too_large(path: str, size_bytes: int) -> ImageTooLargeError:
    return ImageTooLargeError(
        mark("{name} takes {size_mib:,.0f} MiB, more than {limit_mib}: no picture is like that."),
        name=path,
        size_mib=size_bytes / 2**20,
        limit_mib=_FILE_LIMIT_BYTES // 2**20,
    )


def _children(folder: str, is_root: bool) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted((child for child in found if not is_hidden(child.name)), key=lambda child: child.name)
    except FileNotFoundError as error:
        if not is_root:
            raise
        raise DatasetError(mark("Nothing is at {path} on this server: check the path."), path=folder) from error
    except OSError as error:
        raise DatasetError(mark("The folder {path} cannot be read: check its permissions."), path=folder) from error
