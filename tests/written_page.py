"""Pages written by the simulated hand, photographed badly: what segmentation and the upload page are tried on."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.draw import draw_ink
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.style import PRESETS


@dataclass(frozen=True)
class Place:
    """Where the ink of a character lies, in pixels, ends exclusive."""

    label: str
    left: float
    top: float
    right: float
    bottom: float


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


def write_page(lines: list[str], **settings: Any) -> NDArray[np.uint8]:
    """The page of :func:`write_page_with_places` alone."""
    return write_page_with_places(lines, **settings)[0]


def write_page_with_places(
    lines: list[str],
    *,
    columns: bool = False,
    seed: int = 0,
    size_px: int = 64,
    gap: float = 0.18,
    leading: float = 0.7,
    ruling: str = "",
    style: str = "neat",
) -> tuple[NDArray[np.uint8], list[Place]]:
    """Dark ink on white paper, and where each character is in reading order.

    ``lines`` from the top, or as columns from the right; ``ruling``: lines or squares.
    """
    random = np.random.default_rng(seed)
    inks = iter(write("".join(lines), seed, size_px, style))
    step, lead = size_px * (1 + gap), size_px * (1 + leading)
    long, wide = round(max(map(len, lines)) * step + 2 * size_px), round(len(lines) * lead + 2 * size_px)
    page = np.zeros((long, wide) if columns else (wide, long), np.uint8)
    places = []
    for number, line in enumerate(lines):
        for place, label in enumerate(line):
            ink = next(inks)
            along = size_px + (place + 0.5) * step + random.normal(0, 0.03 * size_px)
            across = size_px + (number + 0.5) * lead + random.normal(0, 0.03 * size_px)
            x, y = (wide - across, along) if columns else (along, across)
            places.append(_paste(page, ink, round(x), round(y), label))
    paper = 255 - cv2.convertScaleAbs(page, alpha=0.85)
    if ruling:
        _rule(paper, *((step, lead) if columns else (lead, step)), size_px, squares=ruling == "squares")
    return paper, places


def _paste(page: NDArray[np.uint8], ink: NDArray[np.uint8], x: int, y: int, label: str) -> Place:
    height, width = ink.shape
    top, left = max(0, y - height // 2), max(0, x - width // 2)
    place = page[top : top + height, left : left + width]
    np.maximum(place, ink[: place.shape[0], : place.shape[1]], out=place)
    return _inked(ink, left, top, label)


def _inked(ink: NDArray[np.uint8], left: int, top: int, label: str) -> Place:
    rows, columns = (np.flatnonzero((ink > 96).any(axis=axis)) for axis in (1, 0))
    return Place(label, left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1)


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


def darkened(gray: NDArray[np.uint8], edge: str) -> NDArray[np.uint8]:
    """``gray`` with an ``edge`` that is mostly dark: in the shadow of a hand, of a lens, or within a drawn frame."""
    y, x = np.mgrid[0 : 1 : gray.shape[0] * 1j, 0 : 1 : gray.shape[1] * 1j]
    if edge == "frame":
        width = 1 + max(gray.shape) // 120
        return cv2.copyMakeBorder(gray, width, width, width, width, cv2.BORDER_CONSTANT, value=40)
    hand = 1 - 0.5 / (1 + np.exp((0.6 - x - 0.4 * y) / 0.03))
    lens = 1 - 1.2 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    return (gray * (hand if edge == "hand" else lens)).astype(np.uint8)


def photograph(page: NDArray[np.uint8], skew_deg: float = 0.0, shadow: float = 0.0, seed: int = 0) -> NDArray[np.uint8]:
    """The page by phone: turned, with light that falls off to ``1 - shadow``, and grain."""
    return photograph_with_matrix(page, skew_deg, shadow, seed)[0]


def photograph_with_matrix(
    page: NDArray[np.uint8], skew_deg: float = 0.0, shadow: float = 0.0, seed: int = 0, desk: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The same, and where each pixel of the page went, ``float64 (3, 3)``.

    With ``desk`` the sheet lies on one of that gray, seen at a slant and not quite in focus.
    """
    height, width = page.shape
    random = np.random.default_rng(seed)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), skew_deg, 1.0)
    matrix, size = np.vstack([turn, [0, 0, 1]]), (width, height)
    if desk is not None:
        slant, size = _slant(width, height, random)
        matrix = slant @ matrix
    turned = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_LINEAR, borderValue=255).astype(np.float32)
    if desk is not None:
        covered = cv2.warpPerspective(np.full_like(page, 255), matrix, size)
        turned = cv2.GaussianBlur(np.where(covered > 128, turned, np.float32(desk)), (0, 0), 0.8)
    y, x = np.mgrid[0 : 1 : size[1] * 1j, 0 : 1 : size[0] * 1j]
    light = 1 - shadow * (0.6 * x + 0.4 * y)
    grain = random.normal(0, 3, turned.shape)
    return np.clip(turned * light * 0.92 + grain, 0, 255).astype(np.uint8), matrix


def _slant(width: int, height: int, random: np.random.Generator) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """From the sheet to a picture with a margin of an eighth, its corners up to a twentieth out of place."""
    sheet = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = sheet + np.array([width, height]) * (0.125 + random.uniform(-0.05, 0.05, (4, 2)))
    matrix = cv2.getPerspectiveTransform(sheet, seen.astype(np.float32))
    return matrix, (round(1.25 * width), round(1.25 * height))


def place_after(place: Place, matrix: NDArray[np.float64]) -> Place:
    """Where ``place`` lies once each pixel has gone where ``matrix`` takes it."""
    corners = [(x, y, 1) for x in (place.left, place.right) for y in (place.top, place.bottom)]
    xs, ys, scales = matrix @ np.array(corners, float).T
    return Place(place.label, (xs / scales).min(), (ys / scales).min(), (xs / scales).max(), (ys / scales).max())
