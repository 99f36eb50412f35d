"""What a job tells while it works: one JSON object a line, only ever appended."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanzi_core.workspace import replace_file, writing

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
        with writing(self.path), self.path.open("ab") as file:
            file.write(line.encode())

    def read(self, start: int = 0) -> tuple[list[Row], int]:
        """Rows from byte ``start`` on, and the byte to go on from next time.

        A half-written last line is left for the next call, a spoilt line in between (a crash, a full disk) is skipped.
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
        whole = content[: content.rfind(b"\n") + 1]
        return list(_rows(whole.splitlines())), start + len(whole)

    def rows(self) -> list[Row]:
        """Every whole row."""
        return self.read()[0]

    def replace(self, rows: Iterable[Row]) -> None:
        """Keep only ``rows``: a resumed run takes back what came after its checkpoint."""
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        replace_file(self.path, "".join(lines).encode())


def _rows(lines: Iterable[bytes]) -> Iterable[Row]:
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row
