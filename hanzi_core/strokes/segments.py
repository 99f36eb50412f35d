"""A pen's path as straight pieces in arrays of one shape, as an accelerator wants them; NumPy alone."""

import numpy as np
from numpy.typing import NDArray

from hanzi_core.strokes.hand import PenPath


def segments_of(
    path: PenPath, with_pen: bool = False, multiple: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The drawn pieces of each character, padded to the same number.

    Args:
        path: What was written.
        with_pen: Measure the ink with its width, as the normalisation does, rather than its middle lines.
        multiple: The number of pieces is a multiple of it: a compiled drawing is compiled anew for each number.

    Returns:
        ``(characters, segments, 4)``: x and y of both ends, centred, the longer side of what is measured being 1;
        ``(characters, segments)``: widths in that unit, below 0 for padding.
    """
    points, line = path.points.reshape(-1, 2), path.widths.reshape(-1)
    points_per_stroke = path.widths.shape[1]
    first = path.first * points_per_stroke
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    centre, scale = _frames(points, line, first[:-1], with_pen)
    placed = (points - centre[owner]) * scale[owner, None]
    drawn = (line[:-1] > 0) & (line[1:] > 0) & (owner[:-1] == owner[1:])
    pieces = np.flatnonzero(drawn)
    counts = np.bincount(owner[pieces], minlength=len(first) - 1)
    place = np.arange(len(pieces)) - np.repeat(np.cumsum(counts) - counts, counts)
    length = -(-int(counts.max()) // multiple) * multiple
    ends = np.zeros((len(counts), length, 4), np.float32)
    widths = np.full((len(counts), length), -1, np.float32)
    ends[owner[pieces], place] = np.concatenate([placed[pieces], placed[pieces + 1]], axis=1)
    widths[owner[pieces], place] = np.minimum(line[pieces], line[pieces + 1]) * scale[owner[pieces]]
    return ends, widths


def _frames(
    points: NDArray[np.float32], line: NDArray[np.float32], first: NDArray[np.int64], with_pen: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Middle ``(characters, 2)`` of each character's ink, and what makes its longer side 1."""
    reach = np.where(line > 0, line / 2 if with_pen else 0.0, np.inf)[:, None].astype(np.float32)
    lifted = np.isinf(reach)
    low = np.minimum.reduceat(np.where(lifted, np.inf, points - reach), first)
    high = np.maximum.reduceat(np.where(lifted, -np.inf, points + reach), first)
    scale = 1 / np.maximum((high - low).max(axis=1), 1e-3)
    return ((low + high) / 2).astype(np.float32), scale.astype(np.float32)
