"""Make the stroke library from the unpacked npm package ``hanzi-writer-data`` 2.0.1.

    npm pack hanzi-writer-data@2.0.1 && tar xzf hanzi-writer-data-2.0.1.tgz
    python -m hanzi_core.strokes.build_library package

``build_kanjivg`` makes another in the same form from KanjiVG (CC BY-SA 3.0), which knows the forms that Japan writes:
it takes part in training and is not shipped.

    pip download --no-deps kanjivg==20260714 && unzip kanjivg-20260714-*.whl
    python -m hanzi_core.strokes.build_library kanji kanjivg.npz
"""

import io
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path
from numpy.typing import NDArray

from hanzi_core.strokes.library import LIBRARY_FILE, QUANTISATION, StrokeLibrary
from hanzi_core.workspace import replace_file

EM_SIZE = 1024
ASCENT = 900
"""The package's coordinates: y grows upward, the square's upper edge lies at 900, its lower one at -124."""

KANJIVG_SIZE = 109


def build(package: Path, target: Path = LIBRARY_FILE) -> int:
    """Write the array file and the licence beside it; returns the number of characters."""
    medians = {
        path.stem: json.loads(path.read_bytes())["medians"] for path in package.glob("*.json") if len(path.stem) == 1
    }
    write_library(medians, target)
    replace_file(target.with_name("ARPHICPL.TXT"), (package / "ARPHICPL.TXT").read_bytes())
    return len(medians)


def write_library(medians: dict[str, list[list[list[float]]]], target: Path) -> None:
    """Write strokes in the package's own coordinates as one ragged array of bytes."""
    lines = {
        character: [quantise(np.array(line, float)) for line in medians[character]] for character in sorted(medians)
    }
    write_ragged(list(lines.items()), target)


def write_ragged(drawings: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]], target: Path) -> None:
    """Write characters with their strokes ``(n, 2)``; one character may stand there several times."""
    lines = [line for _, strokes in drawings for line in strokes]
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        code_points=np.array([ord(character) for character, _ in drawings], np.uint32),
        stroke_counts=np.array([len(strokes) for _, strokes in drawings], np.uint8),
        point_counts=np.array([len(line) for line in lines], np.uint8),
        points=np.concatenate(lines),
    )
    replace_file(target, buffer.getvalue())


def quantise(line: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Points ``(n, 2)`` of the package as bytes of the unit square, y down."""
    return as_bytes(np.stack([line[:, 0], ASCENT - line[:, 1]], axis=1) / EM_SIZE)


def as_bytes(unit: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Points of the unit square as the library keeps them; those outside move to its edge."""
    return np.clip(np.rint(unit * QUANTISATION), 0, QUANTISATION).astype(np.uint8)


def build_kanjivg(folder: Path, target: Path) -> int:
    """Write the strokes of those KanjiVG characters that the stroke library has; returns their number."""
    medians = {}
    for character in StrokeLibrary.load().characters:
        drawing = folder / f"{ord(character):05x}.svg"
        if drawing.is_file():
            paths = re.findall(r'<path[^>]* d="([^"]+)"', drawing.read_text(encoding="utf-8"))
            medians[character] = [_sample_path(path) for path in paths]
    write_library(medians, target)
    return len(medians)


def _sample_path(path: str) -> list[list[float]]:
    """Points along an SVG path of KanjiVG's 109 x 109 square, in the npm package's coordinates."""
    pen = RecordingPen()
    parse_path(path, pen)
    time = np.linspace(0, 1, 9)[1:, None]
    line: list[NDArray] = []
    for command, arguments in pen.value:
        if command == "curveTo":
            start, *rest = line[-1][-1], *map(np.array, arguments)
            weights = (1 - time) ** 3, 3 * time * (1 - time) ** 2, 3 * time**2 * (1 - time), time**3
            pairs = zip(weights, (start, *rest), strict=True)
            line.append(np.sum([weight * point for weight, point in pairs], axis=0))
        elif arguments:
            line.append(np.array(arguments, float))
    points = np.concatenate(line) * (EM_SIZE / KANJIVG_SIZE)
    return np.stack([points[:, 0], ASCENT - points[:, 1]], axis=1).tolist()


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(build(Path(sys.argv[1])), "characters written to", LIBRARY_FILE)
    else:
        print(build_kanjivg(Path(sys.argv[1]), Path(sys.argv[2])), "characters written to", sys.argv[2])
