"""The sheet of paper in a photo that shows the desk around it: found by its edge, and made a rectangle again."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE_PX = 400
"""A sheet is looked for in a picture of this size."""

_LEAST_SHARE = 0.2
"""Of the picture, for a sheet: what is smaller is a note on something that may be written on as well."""

LEAST_PHOTO_PX = 300
"""Longer side of a picture that may be a photo with something beside the sheet."""

_LEAST_FILLED = 0.93
"""Of the four-cornered outline, by bright paper: strokes and shadows have other shapes."""

_LEAST_BLANK = 0.7
"""Of the sheet, without any writing: a white 目 on black is four-cornered too."""

_LEAST_STEP = 22
"""Gray levels by which paper is brighter than what lies right beside it; a shadow's edge is soft."""

_LONGEST = 1.6
"""Times as wide as high, for a sheet with nothing on it."""

_LEAST_WRITING = 12
"""Pixels: a stroke of a small character."""

_INSET = 0.012
"""Of its side, cut off at each edge: the edge itself and its shadow are no writing."""

Matrix = NDArray[np.float64]
"""``(3, 3)``: takes pixels ``(x, y, 1)`` of one picture to those of another."""


def straighten_sheet(gray: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Matrix]:
    """The sheet alone, as seen from above, and how it came about; the whole picture where it shows no edge of a sheet.

    Args:
        gray: ``uint8 (height, width)``, dark ink on light paper.
    """
    corners = find_sheet(gray)
    if corners is None:
        return gray, np.eye(3)
    middle = corners.mean(axis=0)
    corners = middle + (corners - middle) * (1 - 2 * _INSET)
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = round(float(max(sides[0], sides[2]))), round(float(max(sides[1], sides[3])))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return cv2.warpPerspective(gray, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), matrix


def find_sheet(gray: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """Its corners ``float32 (4, 2)`` as x and y, from the upper left clockwise; ``None`` where no edge is seen."""
    scale = min(1.0, _SIDE_PX / max(gray.shape))
    if max(gray.shape) < LEAST_PHOTO_PX or min(gray.shape) * scale < 32:
        return None
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    small = cv2.GaussianBlur(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
    # Writing and ruling are closed away, or they would cut the paper into pieces.
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    level, bright = cv2.threshold(paper, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    outline = max(
        cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0], key=cv2.contourArea, default=None
    )
    if outline is None or cv2.contourArea(outline) < _LEAST_SHARE * small.size:
        return None
    corners = _four_corners(outline)
    if corners is None or cv2.contourArea(outline) < _LEAST_FILLED * cv2.contourArea(corners):
        return None
    within = cv2.drawContours(np.zeros_like(small), [outline], -1, 1, cv2.FILLED) > 0
    blank = (
        float((small[within] > level).mean()) >= _LEAST_BLANK and float((bright[within] > 0).mean()) >= _LEAST_FILLED
    )
    is_sheet = blank and _has_edge(paper, corners) and not _is_stroke(corners, paper - small, within)
    return (corners / scale).astype(np.float32) if is_sheet else None


def _is_stroke(corners: NDArray[np.float32], writing: NDArray[np.uint8], within: NDArray[np.bool_]) -> bool:
    """Whether it may be a white 一 on black: far longer than paper is cut, and nothing is written on it."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    if max(sides[0], sides[2]) < _LONGEST * max(sides[1], sides[3]):
        return False
    inner = cv2.erode(within.astype(np.uint8), np.ones((31, 31), np.uint8), borderValue=0) > 0
    return int((writing[inner] >= _LEAST_STEP).sum()) < _LEAST_WRITING


def _four_corners(outline: NDArray[np.int32]) -> NDArray[np.float32] | None:
    hull = cv2.convexHull(outline)
    for tolerance in np.linspace(0.02, 0.1, 9):
        found = cv2.approxPolyDP(hull, tolerance * cv2.arcLength(hull, True), True).reshape(-1, 2)
        if len(found) == 4:
            return _clockwise(found.astype(np.float32))
    return None


def _clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """From the upper left: the corner whose coordinates sum to least."""
    middle = corners.mean(axis=0)
    order = np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))
    turned = corners[order]
    return np.roll(turned, -int(turned.sum(axis=1).argmin()), axis=0)


def _has_edge(paper: NDArray[np.uint8], corners: NDArray[np.float32]) -> bool:
    """Whether the brightness falls off at once beyond the sides that lie within the picture, three of them at least."""
    steps = []
    for begin, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = begin + (end - begin) * np.linspace(0.1, 0.9, 33)[:, np.newaxis]
        outward = np.array([end[1] - begin[1], begin[0] - end[0]]) / max(1.0, float(np.linalg.norm(end - begin)))
        inside, outside = along - 5 * outward, along + 9 * outward
        if _within(outside, paper.shape):
            steps.append(float(np.median(_at(paper, inside) - _at(paper, outside))))
    return len(steps) >= 3 and min(steps) >= _LEAST_STEP


def _within(points: NDArray[np.float32], shape: tuple[int, ...]) -> bool:
    return bool((points >= 0).all() and (points < [shape[1], shape[0]]).all())


def _at(picture: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
    x, y = points.astype(int).T.clip(0)
    return picture[y.clip(max=picture.shape[0] - 1), x.clip(max=picture.shape[1] - 1)].astype(np.float32)
