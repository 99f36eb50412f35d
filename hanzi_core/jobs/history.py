"""What a job tells while it works: one JSON object a line, only ever appended."""

import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanzi_core.workspace import cannot_be_read, replace_file, writing

Row = dict[str, Any]


@dataclass(frozen=True)
class History:
    """An append-only file of JSON lines that one process writes and any number read."""

    path: Path

    def append(self, row: Row) -> None:
        """Add one row; readers see all of it or nothing.

        Raises:
            WorkspaceError: the disk is full.
        """
        line = json.dumps(row, ensure_ascii=False, allow_nan=True) + "\n"
        with writing(self.path), self.path.open("ab", buffering=0) as file:
            file.write(line.encode())

    def read(self, start: int = 0) -> tuple[list[Row], int]:
        """Rows from byte ``start`` on, and the byte to go on from next time.

        A half-written last line is left for the next call, a spoilt line in between (a crash, a full disk) is skipped.

        Raises:
            WorkspaceError: the file is there, and the disk does not let us read it.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(0, os.SEEK_END)
                if file.tell() < start:  # begun anew since the last look
                    start = 0
                file.seek(start)
                content = file.read()
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            raise cannot_be_read(self.path) from error
        whole = content[: content.rfind(b"\n") + 1]
        return list(_rows(whole.splitlines())), start + len(whole)

    def size_bytes(self) -> int:
        """Length of the file, 0 where there is none."""
        return self.path.stat().st_size if self.path.exists() else 0

    def file_number(self) -> int:
        """Which file it is: another one after :meth:`replace`."""
        return self.path.stat().st_ino if self.path.exists() else 0

    def cut(self, size_bytes: int) -> None:
        """Take back what was written after the file had ``size_bytes``: a resumed run writes it again.

        Raises:
            WorkspaceError: the disk is full.
        """
        content = self.path.read_bytes()[:size_bytes] if self.path.exists() else b""
        replace_file(self.path, content)

    def rows(self) -> list[Row]:
        """Every whole row."""
        return self.read()[0]


class Follower:
    """A history kept in memory and brought up to date at each look, at the cost of the new rows alone.

    Any number of threads may share one.
    """

    def __init__(self, history: History, is_sound: Callable[[Row], bool] = bool) -> None:
        """Follow ``history``, whose rows are all ``is_sound``: what a disk has spoilt may be JSON still."""
        self._history = history
        self._is_sound = is_sound
        self._lock = threading.Lock()
        self._rows: list[Row] = []
        self._offset = 0
        self._file = 0

    def rows(self) -> list[Row]:
        """Every whole row by now; a file that was replaced (a resumed run) is read anew.

        Raises:
            WorkspaceError: as :meth:`History.read`.
        """
        with self._lock:
            file = self._history.file_number()
            if file != self._file or self._history.size_bytes() < self._offset:
                self._file, self._rows, self._offset = file, [], 0
            new, self._offset = self._history.read(self._offset)
            if new:
                self._rows = [*self._rows, *filter(self._is_sound, new)]
            return self._rows


def _rows(lines: Iterable[bytes]) -> Iterable[Row]:
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row
