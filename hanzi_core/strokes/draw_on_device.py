"""The drawing step for an accelerator: whole batches at once, by the distance of every pixel to every segment.

It draws what :func:`hanzi_core.strokes.draw.draw_ink` draws, centred in a fixed square, with ``keras.ops`` alone, so
that training on a GPU needs no stored pictures. Memory goes with pictures x segments x pixels: draw in parts of 64.
"""

import keras
import numpy as np
from keras import KerasTensor, ops
from numpy.typing import NDArray

from hanzi_core.strokes.hand import PenPath

_EDGE_PX = 0.5
"""Half the width of a soft edge, about what shrinking leaves."""


def segments_of(path: PenPath) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The drawn pieces of each character, padded to the same number.

    Returns:
        ``(characters, segments, 4)``: x and y of both ends, centred, the longer side of the ink's middle lines being 1;
        ``(characters, segments)``: widths in that unit, below 0 for padding.
    """
    rows = [slice(a, b) for a, b in zip(path.first[:-1], path.first[1:], strict=True)]
    pieces = [_pieces(path.points[row].reshape(-1, 2), path.widths[row].reshape(-1)) for row in rows]
    longest = max(len(widths) for _, widths in pieces)
    ends = np.zeros((len(pieces), longest, 4), np.float32)
    widths = np.full((len(pieces), longest), -1, np.float32)
    for number, (piece_ends, piece_widths) in enumerate(pieces):
        ends[number, : len(piece_ends)] = piece_ends
        widths[number, : len(piece_widths)] = piece_widths
    return ends, widths


def _pieces(
    points: NDArray[np.float32], widths: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    inked = points[widths > 0]
    low, high = inked.min(0), inked.max(0)
    scale = 1 / max(float((high - low).max()), 1e-3)
    centred = (points - (low + high) / 2) * scale
    drawn = (widths[:-1] > 0) & (widths[1:] > 0)
    ends = np.concatenate([centred[:-1], centred[1:]], axis=1)[drawn]
    return ends, (np.minimum(widths[:-1], widths[1:]) * np.float32(scale))[drawn]


def draw_batch(ends: KerasTensor, widths: KerasTensor, size_px: int, ink_share: float = 0.8) -> KerasTensor:
    """Ink 255 on 0, ``float32 (batch, size_px, size_px)``.

    Args:
        ends: ``(batch, segments, 4)`` from :func:`segments_of`.
        widths: ``(batch, segments)``.
        size_px: Side of the pictures.
        ink_share: How much of the side the longer side of the ink's middle lines takes.
    """
    scale = size_px * ink_share
    place = ops.convert_to_tensor((np.arange(size_px) + 0.5 - size_px / 2) / scale, "float32")
    x, y = place[None, None, None, :], place[None, None, :, None]
    ax, ay, bx, by = (ends[:, :, index, None, None] for index in range(4))
    dx, dy = bx - ax, by - ay
    along = ((x - ax) * dx + (y - ay) * dy) / ops.maximum(dx * dx + dy * dy, keras.config.epsilon() ** 2)
    along = ops.clip(along, 0.0, 1.0)
    squared = (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2
    within_px = (widths[:, :, None, None] / 2 - ops.sqrt(squared)) * scale
    coverage = ops.clip((within_px + _EDGE_PX) / (2 * _EDGE_PX), 0.0, 1.0)
    return 255 * ops.max(ops.where(widths[:, :, None, None] < 0, 0.0, coverage), axis=1)
