"""A picture as a square tile, so that a grid of them stands in rows."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.image.augment import paper_level


def thumbnail(gray: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """``gray`` fitted into a square of ``side_px``, with its aspect ratio kept, on its own paper."""
    scale = side_px / max(gray.shape)
    height, width = (max(1, round(side * scale)) for side in gray.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.full((side_px, side_px), paper_level(gray), np.uint8)
    top, left = (side_px - height) // 2, (side_px - width) // 2
    square[top : top + height, left : left + width] = cv2.resize(gray, (width, height), interpolation=way)
    return square
