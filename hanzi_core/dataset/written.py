"""Pictures that the simulated hand wrote for a dataset: in its own folder, beside a source that nobody writes to."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hanzi_core.dataset.entry import Entry, Source
from hanzi_core.dataset.folder import FolderSource

WRITTEN = "written"
"""The folder, within the dataset's own."""

_PREFIX = ".written/"
"""Of their paths. No source has such paths: what begins with a dot is hidden from it."""


class WithWritten:
    """A dataset's source, and what was written beside it."""

    def __init__(self, source: Source, written: Path) -> None:
        self.kind, self.location = source.kind, source.location
        self._source, self._written = source, FolderSource(written)

    def entries(self) -> Iterator[Entry]:
        """Every file of both, what was written first."""
        for entry in self._written.entries():
            yield entry._replace(path=_PREFIX + entry.path)
        yield from self._source.entries()

    def read(self, path: str) -> bytes:
        """See :class:`~hanzi_core.dataset.entry.Source`."""
        if is_written(path):
            return self._written.read(path.removeprefix(_PREFIX))
        return self._source.read(path)

    def decode(self, data: bytes, path: str) -> NDArray[np.uint8]:
        """See :class:`~hanzi_core.dataset.entry.Source`."""
        return (self._written if is_written(path) else self._source).decode(data, path)


def is_written(path: str) -> bool:
    """Whether ``path`` is that of a picture that was written beside the source."""
    return path.startswith(_PREFIX)


def are_written(paths: pd.Series) -> pd.Series:
    """:func:`is_written` of many together: of 700,000 in 0.01 s instead of 0.75 s."""
    return paths.str.startswith(_PREFIX)
