"""Ink on paper: a pen's path as a gray picture, drawn by OpenCV and spoilt as scanners, cameras and paper spoil it."""

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.strokes.hand import PenPath
from hanzi_core.strokes.style import HandStyle

_DRAWING_SIZE_PX = 144
"""The longer side of the ink when drawn. Shrinking gives the soft edges, 3 times quicker than LINE_AA would."""

_MARGIN_PX = 10
_FRACTION_BITS = 3


def draw(path: PenPath, styles: list[HandStyle], rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Draw each character of ``path``: dark ink on light paper, ``uint8 (height, width)`` of varying size."""
    for character, style in enumerate(styles):
        strokes = slice(path.first[character], path.first[character + 1])
        ink = draw_ink(path.points[strokes], path.widths[strokes])
        yield spoil(ink, style, strokes.stop - strokes.start, rng)


def draw_ink(
    points: NDArray[np.float32], widths: NDArray[np.float32], size_px: int = _DRAWING_SIZE_PX
) -> NDArray[np.uint8]:
    """One character's ink, 255 on 0, the longer side of its middle lines ``size_px``.

    Args:
        points: ``(strokes, PATH_POINTS, 2)``.
        widths: ``(strokes, PATH_POINTS)``, in the unit of ``points``; 0 where the pen is lifted.
        size_px: Pixels.
    """
    flat, line = points.reshape(-1, 2), widths.reshape(-1)
    inked = flat[line > 0]
    low, high = inked.min(0), inked.max(0)
    scale = size_px / max(float((high - low).max()), 1e-3)
    margin = _MARGIN_PX + float(line.max()) * scale / 2
    width_px, height_px = np.ceil((high - low) * scale + 2 * margin).astype(int)
    canvas = np.zeros((int(height_px), int(width_px)), np.uint8)
    fixed = np.rint(((flat - low) * scale + margin) * (1 << _FRACTION_BITS)).astype(np.int32)
    drawn = (line[:-1] > 0) & (line[1:] > 0)
    thickness = np.where(drawn, _cv2_thickness(np.minimum(line[:-1], line[1:]) * scale), 0)
    for level, lines in _runs(fixed, thickness).items():
        cv2.polylines(canvas, lines, False, 255, level, cv2.LINE_8, _FRACTION_BITS)
    return canvas


def _runs(points: NDArray[np.int32], thickness: NDArray[np.int32]) -> dict[int, list[NDArray[np.int32]]]:
    """Pieces of the path by their thickness, 0 left out: a few long lines are quicker than many short."""
    changes = np.flatnonzero(thickness[1:] != thickness[:-1]) + 1
    runs: dict[int, list[NDArray[np.int32]]] = {}
    for begin, end in pairwise([0, *changes.tolist(), len(thickness)]):
        if level := int(thickness[begin]):
            runs.setdefault(level, []).append(points[begin : end + 1])
    return runs


def _cv2_thickness(widths_px: NDArray[np.floating]) -> NDArray[np.int32]:
    """The thickness to ask of OpenCV 5: measured, it draws 1, 2, 3, 5, 7, 9 as 0.9, 3.0, 4.9, 6.9, 8.9, 10.9 px."""
    steps = np.floor(widths_px / 2).astype(np.int32)
    return np.where(steps < 2, steps + 1, 2 * steps - 1)


def spoil(ink: NDArray[np.uint8], style: HandStyle, stroke_count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Dark ink on light paper as it reaches us: uneven ink, a coarse scan, blur, grain, JPEG.

    Args:
        ink: ``uint8 (height, width)``, ink 255.
        style: How often and how much.
        stroke_count: Of the character: the more strokes, the finer the scan must be for them to be seen.
        rng: Source of chance.
    """
    if rng.random() < style.ink_flaws:
        ink = _uneven(ink, rng)
    size_px = _resolution_px(style, stroke_count, rng)
    shrink = min(1.0, size_px / max(ink.shape))
    size = max(4, round(ink.shape[1] * shrink)), max(4, round(ink.shape[0] * shrink))
    ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    if rng.random() < style.blur:
        ink = cv2.GaussianBlur(ink, (0, 0), float(rng.uniform(0.35, 0.5 + size_px / 120)))
    paper, contrast = rng.uniform(170, 255), rng.uniform(0.45, 1.0)
    gray = cv2.convertScaleAbs(paper - ink * np.float32(contrast * paper / 255))
    if rng.random() < style.noise:
        gray = _grain(gray, rng)
    if rng.random() < style.jpeg:
        quality = int(rng.integers(25, 85))
        gray = cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)
    return gray


def _resolution_px(style: HandStyle, stroke_count: int, rng: np.random.Generator) -> float:
    low, high = style.resolution_px
    low = min(max(low, 10 * stroke_count**0.5), high)
    return low * (high / low) ** rng.random()


def _uneven(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Ink that runs dry in patches, or spreads."""
    height, width = ink.shape
    cells = int(rng.integers(5, 60))
    patches = cv2.resize(rng.random((cells, cells), np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    dryness = rng.uniform(0.1, 0.8)
    strength = 1 - dryness * np.clip((patches - rng.uniform(0.45, 0.8)) * 4, 0, 1)
    return cv2.convertScaleAbs(ink * strength)


def _grain(gray: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Sensor noise, and light that falls from one side."""
    height, width = gray.shape
    noise = np.empty((height, width), np.float32)
    cv2.setRNGSeed(int(rng.integers(1 << 31)))  # cv2's own generator is 5 times quicker than numpy's
    cv2.randn(noise, 0, rng.uniform(1, 9))
    light = rng.uniform(-25, 25, (2, 2)).astype(np.float32)
    noise += cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.convertScaleAbs(np.maximum(gray + noise, 0))
