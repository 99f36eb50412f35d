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
        """All strokes with ``points_per_stroke`` points each, spaced evenly."""
        points = self._points.astype(np.float32) / QUANTISATION
        return ResampledStrokes(resample(points, np.diff(self._first_point), points_per_stroke), self._first_stroke)


def resample(points: NDArray[np.floating], lengths: NDArray[np.integer], count: int) -> NDArray[np.float32]:
    """``count`` points spaced evenly along each of many lines, its two ends among them.

    Args:
        points: Of the lines one after the other, ``(sum of lengths, 2)``.
        lengths: How many points each line has, at least 2.
        count: At least 2.

    Returns:
        ``(lines, count, 2)``.
    """
    first = np.cumsum(lengths) - lengths
    result = np.empty((len(lengths), count, 2), np.float32)
    for length in np.unique(lengths):
        (chosen,) = np.nonzero(lengths == length)
        lines = points[first[chosen, None] + np.arange(length)]
        steps = np.diff(lines, axis=1)
        along = np.zeros((len(chosen), length))
        along[:, 1:] = np.cumsum(np.hypot(steps[..., 0], steps[..., 1]), axis=1)
        wanted = np.arange(count) * (along[:, -1:] / (count - 1))
        wanted[:, -1] = along[:, -1]
        result[chosen] = interpolate(wanted, along, lines)
    return result


def interpolate(
    wanted: NDArray[np.floating], along: NDArray[np.floating], values: NDArray[np.floating]
) -> NDArray[np.float64]:
    """What ``np.interp`` gives, for many lines at once.

    Args:
        wanted: Where, ``(lines, n)``, within the range of ``along``.
        along: Where the values are known, ``(lines, k)``, ascending.
        values: ``(lines, k, 2)``.

    Returns:
        ``(lines, n, 2)``.
    """
    lines, known = along.shape
    apart = (2 + along[:, -1].max(initial=0.0)) * np.arange(lines)[:, None]
    after = np.searchsorted((along + apart).ravel(), wanted + apart, side="right")
    before = np.clip(after - 1 - known * np.arange(lines)[:, None], 0, known - 2)
    row = np.arange(lines)[:, None]
    low, high = along[row, before], along[row, before + 1]
    start, end = values[row, before].astype(np.float64), values[row, before + 1]
    slope = (end - start) / np.maximum(high - low, np.finfo(float).tiny)[..., None]
    return slope * (wanted - low)[..., None] + start


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
