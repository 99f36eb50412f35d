"""Which pixels of a picture are ink: thresholds, polarity, and evening out the light of a photo."""

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.image.normalise import ink_is_light
from hanzi_core.language import mark

_LEAST_CONTRAST = 24
"""Gray levels between paper and ink below which there is no ink, as in the normalisation."""

_KERNEL_PX = 31
_GRAIN = 0.12
"""Of the adaptive threshold: ink is at least this share darker than the paper around it."""


class Threshold(StrEnum):
    """A way to tell ink from paper; see :data:`THRESHOLD_NAMES` for how each is shown."""

    OTSU = "otsu"
    ADAPTIVE = "adaptive"
    MANUAL = "manual"


THRESHOLD_NAMES = {
    Threshold.OTSU: mark("One for the picture (Otsu)"),
    Threshold.ADAPTIVE: mark("By its surroundings (adaptive)"),
    Threshold.MANUAL: mark("By hand"),
}


class Polarity(StrEnum):
    """Whether ink is darker or lighter than its paper."""

    FOUND = "found"
    DARK = "dark"
    LIGHT = "light"


POLARITY_NAMES = {
    Polarity.FOUND: mark("Found by itself"),
    Polarity.DARK: mark("Dark ink"),
    Polarity.LIGHT: mark("Light ink"),
}


def binarise(
    gray: NDArray[np.uint8],
    threshold: Threshold = Threshold.OTSU,
    polarity: Polarity = Polarity.FOUND,
    level: int = 128,
) -> NDArray[np.uint8]:
    """Ink 255, paper 0, of the shape of ``gray``.

    Args:
        gray: ``uint8 (height, width)``.
        threshold: How to tell them apart (Otsu 1979; adaptive as in Bradley and Roth 2007).
        polarity: Which of them is the darker.
        level: Of :attr:`Threshold.MANUAL`, 0 to 255: darker is ink, or lighter for light ink.
    """
    if has_light_ink(gray, polarity):
        gray, level = 255 - gray, 255 - level
    if threshold is Threshold.MANUAL:
        return np.where(gray < level, np.uint8(255), np.uint8(0))
    if int(np.ptp(gray)) < _LEAST_CONTRAST:
        return np.zeros_like(gray)
    if threshold is Threshold.ADAPTIVE:
        return np.where(even_light(gray) < 255 * (1 - _GRAIN), np.uint8(255), np.uint8(0))
    return cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[1]


def has_light_ink(gray: NDArray[np.uint8], polarity: Polarity) -> bool:
    """Whether the ink is lighter than the paper."""
    return ink_is_light(gray) if polarity is Polarity.FOUND else polarity is Polarity.LIGHT


def may_be_dark_ink(gray: NDArray[np.uint8]) -> bool:
    """Whether ink that seems lighter than its paper may be darker all the same: a frame or a shadow darkens the edge.

    Then most of the picture is light, which none of 4,000 pictures white on black is, or the edge is once the light is
    evened. It is also where somebody wrote with chalk on a gray board: both ways are worth a look.
    """
    if not ink_is_light(gray):
        return False
    light = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    return 2 * cv2.countNonZero(light) > light.size or not ink_is_light(even_light(gray))


def even_light(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Dark ink on paper that is 255 everywhere, whatever shadow lay on it, ``uint8`` of the shape of ``gray``.

    The paper's brightness at each place is what is left when strokes are closed away; the picture is divided by it.
    """
    height, width = gray.shape
    scale = min(1.0, 256 / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    # 31 of 256 pixels: wider than any stroke, and than most of the ink of a line of text.
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_KERNEL_PX, _KERNEL_PX))
    # Carried on beyond its edge: closing and blur would take the paper there for as bright as that farther in.
    wide = cv2.copyMakeBorder(small, _KERNEL_PX, _KERNEL_PX, _KERNEL_PX, _KERNEL_PX, cv2.BORDER_REPLICATE)
    paper = cv2.GaussianBlur(cv2.morphologyEx(wide, cv2.MORPH_CLOSE, kernel), (0, 0), 8)
    paper = np.ascontiguousarray(paper[_KERNEL_PX:-_KERNEL_PX, _KERNEL_PX:-_KERNEL_PX])
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.divide(gray, np.maximum(paper, 1), scale=255)
