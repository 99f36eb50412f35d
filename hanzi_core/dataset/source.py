"""Where a collection's pictures are: a folder, a zip or CASIA ``.gnt`` files, read in place and never changed.

A picture's label is the name of the folder it lies in, at any depth; a folder above it called ``train``, ``val`` or
``test`` tells which part of a split it was given.
"""

import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

from hanzi_core.dataset.archive import ZipLimits, ZipSource
from hanzi_core.dataset.entry import Source, is_unicode, legible
from hanzi_core.dataset.folder import FolderSource
from hanzi_core.dataset.gnt import EXTENSION as GNT_EXTENSION
from hanzi_core.dataset.gnt import GntSource
from hanzi_core.errors import DatasetError
from hanzi_core.language import mark
from hanzi_core.workspace import named_path

_FEW = 50
"""Folders beside each other that are looked into for ``.gnt`` files; CASIA has two, a folder a character thousands."""


def open_source(location: Path | str, limits: ZipLimits | None = None) -> Source:
    """The source at ``location``, told by what lies there.

    Raises:
        DatasetError: nothing is there, or no folder, zip or ``.gnt`` file.
        WorkspaceError: nothing can be there.
    """
    path = named_path(location)
    if not is_unicode(str(path)):
        raise DatasetError(mark("The path {path} is in a wrong encoding: rename it."), path=legible(str(path)))
    try:
        if path.is_dir():
            return GntSource(path) if _holds_gnt(path) else FolderSource(path)
        if path.suffix.lower() == GNT_EXTENSION and path.is_file():
            return GntSource(path)
        if zipfile.is_zipfile(path) or (path.suffix.lower() == ".zip" and path.is_file()):
            return _checked_zip(ZipSource(path, limits))
        found = path.exists()
    except OSError as error:
        raise DatasetError(mark("{path} cannot be read: check its permissions."), path=path) from error
    if not found:
        raise DatasetError(mark("Nothing is at {path} on this server: check the path."), path=path)
    raise DatasetError(mark("{path} is neither a folder nor a zip or .gnt file."), path=path)


def _holds_gnt(folder: Path) -> bool:
    with os.scandir(folder) as found:
        children = list(found)
    if _has_gnt(children):
        return True
    folders = [child for child in children if child.is_dir(follow_symlinks=False)]
    return len(folders) <= _FEW and any(_has_gnt(_peek(child.path)) for child in folders)


def _peek(folder: str) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing where it cannot be opened, for which the listing of its source has a fault."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _has_gnt(children: Iterable[os.DirEntry[str]]) -> bool:
    return any(child.name.lower().endswith(GNT_EXTENSION) for child in children)


def _checked_zip(source: ZipSource) -> ZipSource:
    if any(entry.path.lower().endswith(GNT_EXTENSION) for entry in source.entries()):
        raise DatasetError(
            mark("{file} holds .gnt files, which are read in place: unpack it and give their folder."),
            file=source.location.name,
        )
    return source
