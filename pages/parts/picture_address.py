"""Pictures that need nothing from the server once they are on the page."""

import base64

import cv2
import numpy as np
from numpy.typing import NDArray


def picture_address(picture: NDArray[np.uint8]) -> str:
    """``uint8 (height, width)`` or ``(height, width, 3)`` in BGR, as a PNG within its own address (RFC 2397)."""
    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()
