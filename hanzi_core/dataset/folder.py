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

_Found = tuple[tuple[str, ...], os.DirEntry[str]]
"""A file or folder, and the names that lead to it."""


class FolderSource:
    """A folder of folders of pictures."""

    kind = "folder"
    decode = staticmethod(decode)

    def __init__(self, location: Path) -> None:
        self.location = location

    def entries(self) -> Iterator[Entry]:
        """Every file below the folder, and with a fault closed and empty folders, devices and links to anywhere."""
        waiting: list[_Found] = [((child.name,), child) for child in reversed(_top(str(self.location)))]
        while waiting:  # no recursion: folders may lie deeper in each other than Python calls
            names, found = waiting.pop()
            try:
                if found.is_dir(follow_symlinks=False):
                    children = _children(found.path)
                    waiting += [((*names, child.name), child) for child in reversed(children)]
                    if not children:
                        yield _folder_entry(names, Fault.EMPTY_FOLDER)
                else:
                    yield _entry(names, found)
            except FileNotFoundError:  # deleted since its folder was listed: it is simply no part of the collection
                continue
            except OSError:
                yield _folder_entry(names, Fault.CLOSED_FOLDER)

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


def _top(folder: str) -> list[os.DirEntry[str]]:
    try:
        return _children(folder)
    except FileNotFoundError as error:
        raise DatasetError(mark("Nothing is at {path} on this server: check the path."), path=folder) from error
    except OSError as error:
        raise DatasetError(mark("The folder {path} cannot be read: check its permissions."), path=folder) from error


def _children(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return sorted((child for child in found if not is_hidden(child.name)), key=lambda child: child.name)


def _entry(names: tuple[str, ...], found: os.DirEntry[str]) -> Entry:
    if not found.is_file(follow_symlinks=False):
        return file_entry(names, 0, 0)._replace(fault=Fault.LINK.value)
    try:
        facts = found.stat(follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError:  # its folder may be listed and not entered
        return file_entry(names, 0, 0)._replace(fault=Fault.GONE.value)
    return file_entry(names, facts.st_size, facts.st_mtime_ns)


def _folder_entry(names: tuple[str, ...], fault: Fault) -> Entry:
    return file_entry((*names, ""), 0, 0)._replace(fault=fault.value)
