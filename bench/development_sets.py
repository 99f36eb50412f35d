"""The four collections of real handwriting that recognisers are measured on, read from their archives.

They are no part of the product and nothing is trained on them. Every reader returns the same thing: one
:class:`Sample` a character, with its picture and, where it was drawn on a tablet, its strokes.
"""

import gzip
import json
import random
import zipfile
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.image.decode import EXTENSIONS, decode

CANVAS_PX = 384
PEN_PX = 12
DRAWN_FRAME = 1000
"""All coordinates of the drawn strokes lie in 0..1000."""
_SUBPIXEL_BITS = 4

Strokes = list[list[tuple[int, int]]]


@dataclass(frozen=True)
class Sample:
    """One character that a person wrote."""

    label: str
    gray: NDArray[np.uint8]
    """``(height, width)``, as decoded: polarity and size as they come."""
    strokes: Strokes | None = None
    """In writing order, y down, 0..1000; ``None`` for scanned writing."""


@dataclass(frozen=True)
class DevelopmentSet:
    """A named collection of real handwriting."""

    name: str
    samples: list[Sample]
    either_form: bool = False
    """Whether the traditional form of a (simplified) label counts as right too."""


class MissingSetError(Exception):
    """The file of a set is not there; the text names it."""


def read_set(
    name: str, folder: Path, limit: int = 0, seed: int = 0, characters: Collection[str] = ()
) -> DevelopmentSet:
    """Read the set called ``name``, a key of :data:`SETS`.

    Args:
        name: Which set.
        folder: Where the archives lie.
        limit: At most so many samples, drawn at random; 0 for all.
        seed: Of that draw.
        characters: Where given, drawn strokes of other characters are left out.

    Raises:
        MissingSetError: its archive is not in ``folder``.
    """
    read, either_form = SETS[name]
    return DevelopmentSet(name, read(folder, limit, seed, characters), either_form)


def _draw(items: Iterable, limit: int, seed: int) -> list:
    found = list(items)
    return random.Random(seed).sample(found, limit) if 0 < limit < len(found) else found


def _archive(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise MissingSetError(f"{path} is not there")
    return path


def _read_zip(name: str, folder: Path, limit: int, seed: int, characters: Collection[str]) -> list[Sample]:
    """A folder a class: the name of the folder is the label."""
    with zipfile.ZipFile(_archive(folder, name)) as archive:
        pictures = sorted(entry for entry in archive.namelist() if entry.lower().endswith(EXTENSIONS))
        return [
            Sample(PurePosixPath(entry).parent.name, decode(archive.read(entry), entry))
            for entry in _draw(pictures, limit, seed)
        ]


def _read_drawn(
    sources: tuple[str, ...], folder: Path, limit: int, seed: int, characters: Collection[str]
) -> list[Sample]:
    rows = json.loads(gzip.decompress(_archive(folder, "drawn_strokes.json.gz").read_bytes()))
    kept = [r for r in rows if r["source"] in sources and (not characters or r["char"] in characters)]
    return [Sample(r["char"], draw_strokes(r["strokes"]), r["strokes"]) for r in _draw(kept, limit, seed)]


def draw_strokes(strokes: Strokes) -> NDArray[np.uint8]:
    """Strokes in 0..1000 as the canvas shows them: a round black pen of 12 px on 384 × 384 px of white, ``uint8``."""
    canvas = np.full((CANVAS_PX, CANVAS_PX), 255, np.uint8)
    scale = (CANVAS_PX << _SUBPIXEL_BITS) / DRAWN_FRAME
    for stroke in strokes:
        points = np.rint(np.asarray(stroke, np.float64) * scale).astype(np.int32)
        # A line needs two ends; a tap of the pen is a line from a point to itself.
        line = np.concatenate([points, points]) if len(points) == 1 else points
        cv2.polylines(canvas, [line], False, 0, PEN_PX, cv2.LINE_AA, _SUBPIXEL_BITS)
    return canvas


Reader = Callable[[Path, int, int, Collection[str]], list[Sample]]

SETS: dict[str, tuple[Reader, bool]] = {
    "drawn": (partial(_read_drawn, ("native1", "learner1")), False),
    "tomoe": (partial(_read_drawn, ("tomoe",)), False),
    "penwriting40": (partial(_read_zip, "penwriting40.zip"), False),
    "calligraphy100": (partial(_read_zip, "calligraphy100.zip"), True),
    "numerals15": (partial(_read_zip, "numerals15.zip"), False),
}
