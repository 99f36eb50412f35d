"""Font shapes on an accelerator: whole batches bent, thickened and cut to their ink, with ``keras.ops`` alone.

It draws what :func:`hanzi_core.strokes.font_shapes.bend` draws, and lays it in the square as the normalisation does.
"""

import numpy as np
from keras import KerasTensor, ops

from hanzi_core.strokes.font_shapes import BENT_ROOM, FIELD_SIZE_PX, FIELD_STEPS_PER_PX


def bend_batch(
    fields: KerasTensor,
    places: KerasTensor,
    thicker: KerasTensor,
    size_px: int,
    *,
    ink_share: float,
    rough_px: KerasTensor | None = None,
) -> KerasTensor:
    """Ink 255 on 0, ``float32 (batch, size_px, size_px)``.

    Args:
        fields: Distance fields, ``uint8 (batch, FIELD_SIZE_PX, FIELD_SIZE_PX)``.
        places: From :func:`~hanzi_core.strokes.font_shapes.bent_places`, coarse, ``(batch, knots, knots, 2)``.
        thicker: From :func:`~hanzi_core.strokes.font_shapes.another_thickness`, ``(batch,)``.
        size_px: Side of the pictures.
        ink_share: How much of the side the longer side of the ink takes.
        rough_px: By how much the edge is farther out at each pixel, ``(batch, size_px, size_px)``.
    """
    fields = ops.cast(fields, "float32")[..., None]
    thicker = thicker[:, None, None] - 128
    steps = (np.arange(FIELD_SIZE_PX, dtype=np.float32) + 0.5) / FIELD_SIZE_PX
    steps = ops.broadcast_to(steps[None, :], (fields.shape[0], FIELD_SIZE_PX))
    is_ink = _distance(fields, places, steps, steps) + thicker > 0
    left, right = _reach(ops.any(is_ink, axis=1))
    top, bottom = _reach(ops.any(is_ink, axis=2))
    side = ops.maximum(right - left, bottom - top)
    pixels = (np.arange(size_px, dtype=np.float32) + 0.5 - size_px / 2)[None, :] / (size_px * ink_share)
    x, y = pixels * side + (left + right) / 2, pixels * side + (top + bottom) / 2
    slope_px = size_px * ink_share / (side[:, :, None] * BENT_ROOM * FIELD_SIZE_PX)
    within_px = (_distance(fields, places, x, y) + thicker) / FIELD_STEPS_PER_PX * slope_px
    if rough_px is not None:
        within_px = within_px + rough_px
    return 255 * ops.clip(within_px + 0.5, 0.0, 1.0)


def _reach(has_ink: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """Where ink begins and ends along an axis, in shares of the side, ``(batch, 1)``; the whole side without ink."""
    edges = np.arange(FIELD_SIZE_PX, dtype=np.float32)[None, :]
    begin = ops.min(ops.where(has_ink, edges, float(FIELD_SIZE_PX)), axis=1, keepdims=True)
    end = ops.max(ops.where(has_ink, edges + 1, 0.0), axis=1, keepdims=True)
    blank = begin >= end
    return ops.where(blank, 0.0, begin / FIELD_SIZE_PX), ops.where(blank, 1.0, end / FIELD_SIZE_PX)


def _distance(fields: KerasTensor, places: KerasTensor, x: KerasTensor, y: KerasTensor) -> KerasTensor:
    """The bent fields on a grid of ``x`` and ``y``, shares of the side ``(batch, n)``: ``(batch, n, n)``."""
    knots = places.shape[1]
    shape = (x.shape[0], x.shape[1], x.shape[1])
    at = interpolate(
        places,
        ops.broadcast_to(x[:, None, :] * (knots - 1), shape),
        ops.broadcast_to(y[:, :, None] * (knots - 1), shape),
    )
    return interpolate(fields, at[..., 0], at[..., 1])[..., 0]


def interpolate(pictures: KerasTensor, x: KerasTensor, y: KerasTensor) -> KerasTensor:
    """``pictures`` ``(batch, height, width, channels)`` at ``x`` and ``y`` ``(batch, ...)``, in pixels from the middle
    of the first: bilinear between pixels, the nearest one beyond the edge; ``(batch, ..., channels)``."""
    count, height, width, channels = pictures.shape
    x, y = ops.clip(x, 0.0, width - 1.0), ops.clip(y, 0.0, height - 1.0)
    left, top = ops.clip(ops.floor(x), 0, width - 2), ops.clip(ops.floor(y), 0, height - 2)
    right_share, lower_share = (x - left)[..., None], (y - top)[..., None]
    first = ops.reshape(ops.arange(count), (-1, *([1] * (len(x.shape) - 1)))) * (height * width)
    corner = first + ops.cast(top, "int32") * width + ops.cast(left, "int32")
    flat = ops.reshape(pictures, (-1, channels))
    upper = _between(ops.take(flat, corner, axis=0), ops.take(flat, corner + 1, axis=0), right_share)
    lower = _between(ops.take(flat, corner + width, axis=0), ops.take(flat, corner + width + 1, axis=0), right_share)
    return _between(upper, lower, lower_share)


def _between(one: KerasTensor, other: KerasTensor, share: KerasTensor) -> KerasTensor:
    return one + (other - one) * share
