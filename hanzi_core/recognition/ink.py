"""Ink drawn on a pad: strokes as lines of points, and the picture that they make."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_FRACTION_BITS = 4


@dataclass(frozen=True)
class Stroke:
    """One line of the pen."""

    points: NDArray[np.float32]
    """``(n, 2)``: x and y in pixels of the pad, y down."""
    width_px: float


def draw_strokes(strokes: list[Stroke], side_px: int) -> NDArray[np.uint8]:
    """The strokes as dark ink on white paper, ``uint8 (side_px, side_px)``; round ends, soft edges."""
    paper = np.full((side_px, side_px), 255, np.uint8)
    for stroke in strokes:
        fixed = np.rint(stroke.points * (1 << _FRACTION_BITS)).astype(np.int32)
        width = max(1, round(stroke.width_px))
        if len(fixed) == 1:
            fixed = np.repeat(fixed, 2, axis=0)
        cv2.polylines(paper, [fixed], False, 0, width, cv2.LINE_AA, _FRACTION_BITS)
    return paper


def strokes_to_json(strokes: list[Stroke]) -> list[dict[str, object]]:
    """Strokes as they are kept on disk: ``points`` in tenths of a pixel of the pad, ``width_px``."""
    return [{"points": np.round(each.points.astype(float), 1).tolist(), "width_px": each.width_px} for each in strokes]
