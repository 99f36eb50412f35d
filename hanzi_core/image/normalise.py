"""The one normalisation: whatever a character was written on, it becomes white ink on black in a square.

Training, evaluation, upload and canvas all call :func:`normalise`; a model bundle records :data:`VERSION`, so that a
model is never shown pictures prepared in another way than those that it learned from.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

VERSION = 1
"""Raised with every change that alters a single output pixel; packs are made anew and older bundles are refused."""

IMAGE_SIZE_PX = 64
_MARGIN = 1 / 16
"""Of the side, left free on each edge, so that augmentation can shift and turn without cutting ink."""

_GRAYS = np.arange(256.0)

_WORKING_SIZE_PX = 512
"""A longer picture is shrunk to this before anything else: a photo costs no more than a scan."""

_LEAST_CONTRAST = 24
"""Gray levels between paper and ink below which a picture counts as blank; sensor noise on paper is about 10."""

_SPECK = 0.02
"""A spot of less than this share of the largest stroke's area, and far smaller than any dot of a character, is dirt."""


class Ink(NamedTuple):
    """What is written on a picture."""

    picture: NDArray[np.uint8]
    """Normalised, ``(size_px, size_px)``; all zero where there is no ink."""
    is_light: bool
    """Whether it was lighter than its paper."""


def normalise(gray: NDArray[np.uint8], size_px: int = IMAGE_SIZE_PX) -> NDArray[np.uint8]:
    """White ink on black, contrast stretched, cut to the ink, centred in a square with its aspect ratio kept.

    Args:
        gray: ``uint8`` of shape ``(height, width)``; dark ink on light or the other way round.
        size_px: Side of the result.

    Returns:
        ``uint8`` of shape ``(size_px, size_px)``; all zero where there is no ink.
    """
    return read_ink(gray, size_px).picture


def read_ink(gray: NDArray[np.uint8], size_px: int = IMAGE_SIZE_PX) -> Ink:
    """:func:`normalise`, and which way round the picture was."""
    gray = _shrink(gray)
    ink, is_light = _separate(gray)
    box = ink_box(ink)
    if box is None:
        return Ink(np.zeros((size_px, size_px), np.uint8), is_light)
    top, bottom, left, right = box
    return Ink(_centre(ink[top:bottom, left:right], size_px), is_light)


def is_blank(normalised: NDArray[np.uint8]) -> bool:
    """Whether :func:`normalise` found no ink."""
    return cv2.countNonZero(normalised) == 0


def ink_is_light(gray: NDArray[np.uint8]) -> bool:
    """Whether the ink is lighter than the paper, told by the edge of the picture, which is mostly paper.

    Where ink crowds the edge too, the ink is taken to be the smaller part of the picture.
    """
    return _ink_is_light(_otsu(gray)[1])


def _otsu(gray: NDArray[np.uint8]) -> tuple[int, NDArray[np.uint8]]:
    """The level between ink and paper (Otsu 1979), and 1 where the picture is lighter."""
    threshold, light = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return int(threshold), light


def _ink_is_light(light: NDArray[np.uint8]) -> bool:
    edge = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
    share = float(np.count_nonzero(edge) / edge.size)
    if 0.35 < share < 0.65:
        share = cv2.countNonZero(light) / light.size
    return share < 0.5


def extract_ink(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink as brightness: paper is 0, full ink 255, the soft edge of a stroke stays soft.

    Returns:
        ``uint8`` of the shape of ``gray``; all zero where paper and ink do not differ enough to be told apart.
    """
    return _separate(gray)[0]


def _separate(gray: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], bool]:
    """Ink as :func:`extract_ink` gives it, and whether it was light.

    All of a picture but its pixels is in its histogram: 256 counts are turned round, summed and searched, and the
    pixels themselves are passed over three times in all.
    """
    if min(gray.shape) < 2:
        return np.zeros_like(gray), False
    threshold, light = _otsu(gray)
    is_light = _ink_is_light(light)
    levels = _levels(_counts(gray), threshold, is_light)
    return (np.zeros_like(gray) if levels is None else cv2.LUT(gray, levels)), is_light


def _levels(counts: NDArray[np.float32], threshold: int, is_light: bool) -> NDArray[np.uint8] | None:
    """How bright each of 256 gray levels becomes; ``None`` where paper and ink are too alike."""
    if not is_light:
        counts, threshold = counts[::-1], 254 - threshold
    split = threshold + 1
    cumulative = counts.cumsum()
    below, every = cumulative.item(split - 1) if split else 0.0, cumulative.item(-1)
    if below in (0.0, every):
        return None
    paper, full = cumulative.searchsorted((0.5 * below, below + 0.75 * (every - below))).tolist()
    if full - paper < _LEAST_CONTRAST:
        return None
    # The lowest eighth of the range is paper grain; cutting it keeps the background truly black.
    floor = paper + (full - paper) / 8
    levels = (_GRAYS - floor) * (255 / (full - floor))
    levels = np.maximum(np.minimum(levels, 255, out=levels), 0, out=levels).astype(np.uint8)
    return levels if is_light else levels[::-1]


def _counts(pixels: NDArray[np.uint8], first: int = 0) -> NDArray[np.float32]:
    """How many pixels have each level from ``first`` to 255."""
    # float32 counts exactly up to 2^24, so do its sums; a picture has 2^18 pixels by now.
    counts: NDArray[np.float32] = cv2.calcHist([pixels], [0], None, [256 - first], [first, 256]).ravel()
    return counts


def ink_box(ink: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """``(top, bottom, left, right)`` of the ink without specks of dirt, ends exclusive; ``None`` if blank."""
    mask = cv2.threshold(ink, 64, 1, cv2.THRESH_BINARY)[1]
    # A quarter of the pixels at most are spots of their own. Labels of 16 bits take half the time of 32.
    labels = cv2.CV_16U if mask.size < 4 * 2**15 else cv2.CV_32S
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=labels)
    if count < 2:
        return None
    kept = stats[1:] if count == 2 else _without_specks(stats[1:])  # one spot is no speck
    first = kept[:, : cv2.CC_STAT_TOP + 1]
    left, top = first.min(axis=0).tolist()
    right, bottom = (first + kept[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1]).max(axis=0).tolist()
    # One pixel more on each side: the soft edge belongs to the stroke.
    height, width = ink.shape
    return max(0, top - 1), min(height, bottom + 1), max(0, left - 1), min(width, right + 1)


def _without_specks(spots: NDArray[np.int32]) -> NDArray[np.int32]:
    areas, extent = spots[:, cv2.CC_STAT_AREA], spots[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].max(axis=1)
    is_speck = (areas < _SPECK * areas.max()) & (extent < max(2, extent.max() // 16))
    return spots[~is_speck]


def _shrink(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    longest = max(gray.shape)
    if longest <= _WORKING_SIZE_PX:
        return gray
    scale = _WORKING_SIZE_PX / longest
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA)


def _centre(ink: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    room = size_px - 2 * round(size_px * _MARGIN)
    scale = room / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(ink, (width, height), interpolation=way)
    # A hairline that was shrunk has turned gray: its brightest part becomes full ink again.
    cumulative = _counts(small, 33).cumsum()
    whole = cumulative.item(-1)
    peak = 33 + int(cumulative.searchsorted(0.9 * whole)) if whole else 255
    small = cv2.convertScaleAbs(small, alpha=255 / max(peak, 64))
    square = np.zeros((size_px, size_px), np.uint8)
    top, left = (size_px - height) // 2, (size_px - width) // 2
    square[top : top + height, left : left + width] = small
    return square
