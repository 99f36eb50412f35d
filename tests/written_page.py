"""Pages written by the simulated hand, photographed badly: what segmentation and the upload page are tried on."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.draw import draw_ink
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.style import PRESETS


@cache
def _hand(characters: str) -> Hand:
    return Hand(study(StrokeLibrary.load(), characters))


def write(text: str, seed: int = 0, size_px: int = 64, style: str = "neat") -> list[NDArray[np.uint8]]:
    """Each character as ink 255 on 0, its longer side about ``size_px``."""
    characters = "".join(sorted(set(text)))
    hand = _hand(characters)
    path = hand.write(
        np.array([characters.index(c) for c in text]), [PRESETS[style]] * len(text), np.random.default_rng(seed)
    )
    parts = [slice(path.first[n], path.first[n + 1]) for n in range(len(text))]
    return [draw_ink(path.points[part], path.widths[part], size_px) for part in parts]


def write_page(
    lines: list[str],
    *,
    columns: bool = False,
    seed: int = 0,
    size_px: int = 64,
    gap: float = 0.18,
    leading: float = 0.7,
    ruling: str = "",
    style: str = "neat",
) -> NDArray[np.uint8]:
    """Dark ink on white paper: ``lines`` from the top, or as columns from the right; ``ruling``: lines or squares."""
    random = np.random.default_rng(seed)
    inks = iter(write("".join(lines), seed, size_px, style))
    step, lead = size_px * (1 + gap), size_px * (1 + leading)
    long, wide = round(max(map(len, lines)) * step + 2 * size_px), round(len(lines) * lead + 2 * size_px)
    page = np.zeros((long, wide) if columns else (wide, long), np.uint8)
    for number, line in enumerate(lines):
        for place in range(len(line)):
            ink = next(inks)
            along = size_px + (place + 0.5) * step + random.normal(0, 0.03 * size_px)
            across = size_px + (number + 0.5) * lead + random.normal(0, 0.03 * size_px)
            x, y = (wide - across, along) if columns else (along, across)
            _paste(page, ink, round(x), round(y))
    paper = 255 - cv2.convertScaleAbs(page, alpha=0.85)
    if ruling:
        _rule(paper, lead, step, size_px, squares=ruling == "squares")
    return paper


def _paste(page: NDArray[np.uint8], ink: NDArray[np.uint8], x: int, y: int) -> None:
    height, width = ink.shape
    top, left = max(0, y - height // 2), max(0, x - width // 2)
    place = page[top : top + height, left : left + width]
    np.maximum(place, ink[: place.shape[0], : place.shape[1]], out=place)


def _rule(paper: NDArray[np.uint8], lead: float, step: float, size_px: int, squares: bool) -> None:
    height, width = paper.shape
    y = float(size_px)
    while y < height - size_px / 2:
        cv2.line(paper, (0, round(y)), (width, round(y)), 120, 2)
        y += lead
    x = float(size_px)
    while squares and x < width - size_px / 2:
        cv2.line(paper, (round(x), 0), (round(x), height), 120, 2)
        x += step


def photograph(page: NDArray[np.uint8], skew_deg: float = 0.0, shadow: float = 0.0, seed: int = 0) -> NDArray[np.uint8]:
    """The page by phone: turned, with light that falls off to ``1 - shadow``, and grain."""
    height, width = page.shape
    random = np.random.default_rng(seed)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), skew_deg, 1.0)
    turned = cv2.warpAffine(page, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=255)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    light = 1 - shadow * (0.6 * x + 0.4 * y)
    grain = random.normal(0, 3, page.shape)
    return np.clip(turned * light * 0.92 + grain, 0, 255).astype(np.uint8)
