"""How 9,574 characters are written: the middle line of every stroke, in stroke order.

The data comes from Make Me a Hanzi by way of the npm package ``hanzi-writer-data`` 2.0.1, under the Arphic Public
License, whose text stands beside it; ``build_library.py`` makes the array file.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hanzi_core.errors import HanziError
from hanzi_core.language import mark

LIBRARY_FILE = Path(__file__).parent / "stroke_library.npz"

QUANTISATION = 255
"""Coordinates are kept as bytes: 1/255 of the square is a quarter of a pixel in a picture of 64."""


class StrokeLibraryError(HanziError):
    """A character that the stroke library lacks, or a library that cannot be read."""


class ResampledStrokes(NamedTuple):
    """Strokes of many characters with one number of points each, spaced evenly along the stroke."""

    points: NDArray[np.float32]
    """``(strokes, points, 2)``, unit square, y down."""
    first: NDArray[np.int64]
    """``(characters + 1,)``: where the strokes of each character begin."""


class StrokeLibrary:
    """Strokes of every character, held as one ragged array."""

    def __init__(
        self,
        characters: str,
        stroke_counts: NDArray[np.integer],
        point_counts: NDArray[np.integer],
        points: NDArray[np.uint8],
    ) -> None:
        self.characters = tuple(characters)
        self._points = points
        self._first_point = np.concatenate([[0], np.cumsum(point_counts, dtype=np.int64)])
        self._first_stroke = np.concatenate([[0], np.cumsum(stroke_counts, dtype=np.int64)])
        self._index = {character: index for index, character in enumerate(self.characters)}

    @classmethod
    def load(cls, path: Path = LIBRARY_FILE) -> "StrokeLibrary":
        """The library at ``path``, read once a process.

        Raises:
            StrokeLibraryError: the file is missing or broken.
        """
        return _load(path)

    def __len__(self) -> int:
        return len(self.characters)

    def __contains__(self, character: str) -> bool:
        return character in self._index

    def index(self, character: str) -> int:
        """The place of ``character`` in :attr:`characters`.

        Raises:
            StrokeLibraryError: the library lacks it.
        """
        try:
            return self._index[character]
        except KeyError:
            raise StrokeLibraryError(
                mark("The stroke library has no “{character}”: leave it out, or choose another."),
                character=character,
            ) from None

    def strokes(self, character: str) -> list[NDArray[np.float32]]:
        """Middle lines of ``character`` in stroke order, each ``float32 (n, 2)``: x and y in 0..1, y down.

        Raises:
            StrokeLibraryError: the library lacks the character.
        """
        return self.strokes_at(self.index(character))

    def strokes_at(self, place: int) -> list[NDArray[np.float32]]:
        """As :meth:`strokes`, of the character at ``place`` in :attr:`characters`."""
        strokes = range(self._first_stroke[place], self._first_stroke[place + 1])
        scale = np.float32(1 / QUANTISATION)
        return [self._points[self._first_point[s] : self._first_point[s + 1]] * scale for s in strokes]

    def resampled(self, points_per_stroke: int) -> ResampledStrokes:
        """All strokes with ``points_per_stroke`` points each, spaced evenly; made in about a second."""
        stroke_count = len(self._first_point) - 1
        result = np.empty((stroke_count, points_per_stroke, 2), np.float32)
        for stroke in range(stroke_count):
            line = self._points[self._first_point[stroke] : self._first_point[stroke + 1]]
            result[stroke] = resample(line.astype(np.float32) / QUANTISATION, points_per_stroke)
        return ResampledStrokes(result, self._first_stroke)


def resample(line: NDArray[np.floating], count: int) -> NDArray[np.float32]:
    """``count`` points spaced evenly along ``line`` ``(n, 2)``, its two ends among them."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(wanted, along, line[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


@cache
def _load(path: Path) -> StrokeLibrary:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return StrokeLibrary(
                "".join(map(chr, stored["code_points"])),
                stored["stroke_counts"],
                stored["point_counts"],
                stored["points"],
            )
    except (OSError, KeyError, ValueError) as error:
        raise StrokeLibraryError(
            mark("The stroke library {path} cannot be read: install the product anew."), path=path
        ) from error
