"""A folder of folders of pictures, read in place."""

import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from hanzi_core.dataset.entry import Entry, file_entry, is_hidden
from hanzi_core.errors import DatasetError
from hanzi_core.image.decode import decode
from hanzi_core.language import mark


class FolderSource:
    """A folder of folders of pictures."""

    kind = "folder"
    decode = staticmethod(decode)

    def __init__(self, location: Path) -> None:
        self.location = location

    def entries(self) -> Iterator[Entry]:
        """Every file below the folder; links are not followed, they may lead anywhere."""
        yield from self._walk(str(self.location), ())

    def _walk(self, folder: str, names: tuple[str, ...]) -> Iterator[Entry]:
        for child in _children(folder, is_root=not names):
            if is_hidden(child.name) or child.is_symlink():
                continue
            try:
                if child.is_dir():
                    yield from self._walk(child.path, (*names, child.name))
                elif child.is_file():
                    facts = child.stat()
                    yield file_entry((*names, child.name), facts.st_size, facts.st_mtime_ns)
            except FileNotFoundError:  # deleted since its folder was listed: it is simply no part of the collection
                continue

    def read(self, path: str) -> bytes:
        """The bytes of one file."""
        try:
            with FileIO(f"{self.location}/{path}") as file:  # a Path a file would cost a tenth of the scan
                return file.readall()
        except (OSError, ValueError) as error:
            raise DatasetError(mark("{path} has gone or cannot be read: scan the dataset again."), path=path) from error


def _children(folder: str, is_root: bool) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda child: child.name)
    except FileNotFoundError:
        if not is_root:
            return []
        raise DatasetError(mark("Nothing is at {path} on this server: check the path."), path=folder) from None
    except OSError as error:
        raise DatasetError(mark("The folder {path} cannot be read: check its permissions."), path=folder) from error
