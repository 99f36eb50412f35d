"""The drawing step for an accelerator: whole batches at once, by the distance of every pixel to every segment.

It draws what :func:`hanzi_core.strokes.draw.draw_ink` draws, centred in a fixed square, with ``keras.ops`` alone, so
that training on a GPU needs no stored pictures. Compiled by XLA, distance and maximum are one loop and need no memory;
run op by op, each step keeps pictures x segments x pixels, so draw in parts of 64 then.
"""

import keras
import numpy as np
from keras import KerasTensor, ops

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
    x, y = place[None, None, None, :], place[None, None, :, None]
    ax, ay, bx, by = (ends[:, :, index, None, None] for index in range(4))
    dx, dy = bx - ax, by - ay
    along = ((x - ax) * dx + (y - ay) * dy) / ops.maximum(dx * dx + dy * dy, keras.config.epsilon() ** 2)
    along = ops.clip(along, 0.0, 1.0)
    squared = (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2
    within_px = (widths[:, :, None, None] / 2 - ops.sqrt(squared)) * scale
    if rough_px is not None:
        within_px = within_px + rough_px[:, None]
    # A line thinner than its soft edge covers no pixel whole.
    most = ops.clip(widths[:, :, None, None] * scale / (2 * _EDGE_PX), 0.0, 1.0)
    coverage = ops.clip((within_px + _EDGE_PX) / (2 * _EDGE_PX), 0.0, most)
    return 255 * ops.max(ops.where(widths[:, :, None, None] < 0, 0.0, coverage), axis=1)
