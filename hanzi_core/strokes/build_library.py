"""Make the stroke library from the unpacked npm package ``hanzi-writer-data`` 2.0.1.

    npm pack hanzi-writer-data@2.0.1 && tar xzf hanzi-writer-data-2.0.1.tgz
    python -m hanzi_core.strokes.build_library package
"""

import io
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hanzi_core.strokes.library import LIBRARY_FILE, QUANTISATION
from hanzi_core.workspace import replace_file

EM_SIZE = 1024
ASCENT = 900
"""The package's coordinates: y grows upward, the square's upper edge lies at 900, its lower one at -124."""


def build(package: Path, target: Path = LIBRARY_FILE) -> int:
    """Write the array file and the licence beside it; returns the number of characters."""
    medians = {
        path.stem: json.loads(path.read_bytes())["medians"]
        for path in package.glob("*.json")
        if len(path.stem) == 1
    }
    write_library(medians, target)
    replace_file(target.with_name("ARPHICPL.TXT"), (package / "ARPHICPL.TXT").read_bytes())
    return len(medians)


def write_library(medians: dict[str, list[list[list[float]]]], target: Path) -> None:
    """Write strokes in the package's own coordinates as one ragged array of bytes."""
    characters = sorted(medians)
    lines = [quantise(np.array(line, float)) for character in characters for line in medians[character]]
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        code_points=np.array([ord(character) for character in characters], np.uint32),
        stroke_counts=np.array([len(medians[character]) for character in characters], np.uint8),
        point_counts=np.array([len(line) for line in lines], np.uint8),
        points=np.concatenate(lines),
    )
    replace_file(target, buffer.getvalue())


def quantise(line: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Points ``(n, 2)`` of the package as bytes of the unit square, y down."""
    unit = np.stack([line[:, 0], ASCENT - line[:, 1]], axis=1) / EM_SIZE
    return np.clip(np.rint(unit * QUANTISATION), 0, QUANTISATION).astype(np.uint8)


if __name__ == "__main__":
    print(build(Path(sys.argv[1])), "characters written to", LIBRARY_FILE)
