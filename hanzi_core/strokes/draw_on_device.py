"""The drawing step for an accelerator: whole batches at once, by the distance of every pixel to every segment.

It draws what :func:`hanzi_core.strokes.draw.draw_ink` draws, centred in a fixed square, with ``keras.ops`` alone, so
that training on a GPU needs no stored pictures. A few segments at a time are laid over what is drawn already, in a
loop: XLA compiles that in seconds, and no memory is needed for pictures x segments x pixels.
"""

import keras
import numpy as np
from keras import KerasTensor, ops

_AT_ONCE = 8
"""Segments that one turn of the loop draws."""

_EDGE_PX = 0.5
"""Half the width of a soft edge, about what shrinking leaves."""


def draw_batch(
    ends: KerasTensor, widths: KerasTensor, size_px: int, ink_share: float = 0.8, rough_px: KerasTensor | None = None
) -> KerasTensor:
    """Ink 255 on 0, ``float32 (batch, size_px, size_px)``.

    Args:
        ends: ``(batch, segments, 4)`` from :func:`hanzi_core.strokes.segments.segments_of`.
        widths: ``(batch, segments)``.
        size_px: Side of the pictures.
        ink_share: How much of the side the longer side of the ink's middle lines takes.
        rough_px: By how much the edge is farther out at each pixel, ``(batch, size_px, size_px)``.
    """
    scale = size_px * ink_share
    place = ops.convert_to_tensor((np.arange(size_px) + 0.5 - size_px / 2) / scale, "float32")
    x, y = place[None, None, :], place[None, :, None]
    rough_px = 0.0 if rough_px is None else rough_px
    turns = -(-widths.shape[1] // _AT_ONCE)
    spare = turns * _AT_ONCE - widths.shape[1]
    ends = ops.pad(ops.cast(ends, "float32"), ((0, 0), (0, spare), (0, 0)))
    widths = ops.pad(ops.cast(widths, "float32"), ((0, 0), (0, spare)), constant_values=-1.0)

    def draw_more(turn: KerasTensor, covered: KerasTensor) -> KerasTensor:
        some_ends = ops.slice(ends, (0, turn * _AT_ONCE, 0), (ends.shape[0], _AT_ONCE, 4))
        some_widths = ops.slice(widths, (0, turn * _AT_ONCE), (ends.shape[0], _AT_ONCE))
        for number in range(_AT_ONCE):
            ax, ay, bx, by = (some_ends[:, number, index, None, None] for index in range(4))
            width = some_widths[:, number, None, None]
            dx, dy = bx - ax, by - ay
            along = ((x - ax) * dx + (y - ay) * dy) / ops.maximum(dx * dx + dy * dy, keras.config.epsilon() ** 2)
            along = ops.clip(along, 0.0, 1.0)
            squared = (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2
            within_px = (width / 2 - ops.sqrt(squared)) * scale + rough_px
            # A line thinner than its soft edge covers no pixel whole.
            most = ops.clip(width * scale / (2 * _EDGE_PX), 0.0, 1.0)
            coverage = ops.clip((within_px + _EDGE_PX) / (2 * _EDGE_PX), 0.0, most)
            covered = ops.maximum(covered, ops.where(width < 0, 0.0, coverage))
        return covered

    blank = ops.zeros((ends.shape[0], size_px, size_px), "float32")
    return 255 * ops.fori_loop(0, turns, draw_more, blank)
