"""Ten characters as strokes, and real PNG files written from them: what tests train on and draw with the mouse."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Strokes = list[list[tuple[float, float]]]

STROKES: dict[str, Strokes] = {
    "一": [[(0.1, 0.5), (0.9, 0.48)]],
    "二": [[(0.25, 0.3), (0.75, 0.28)], [(0.1, 0.75), (0.9, 0.73)]],
    "三": [[(0.2, 0.2), (0.8, 0.18)], [(0.28, 0.5), (0.72, 0.48)], [(0.1, 0.82), (0.9, 0.8)]],
    "十": [[(0.1, 0.45), (0.9, 0.43)], [(0.5, 0.1), (0.5, 0.92)]],
    "人": [[(0.5, 0.1), (0.42, 0.5), (0.12, 0.92)], [(0.46, 0.42), (0.62, 0.7), (0.9, 0.92)]],
    "大": [
        [(0.12, 0.38), (0.88, 0.36)],
        [(0.5, 0.08), (0.45, 0.5), (0.14, 0.92)],
        [(0.48, 0.42), (0.64, 0.72), (0.9, 0.92)],
    ],
    "木": [
        [(0.1, 0.35), (0.9, 0.33)],
        [(0.5, 0.06), (0.5, 0.95)],
        [(0.48, 0.36), (0.32, 0.62), (0.1, 0.8)],
        [(0.52, 0.36), (0.68, 0.6), (0.92, 0.78)],
    ],
    "口": [[(0.2, 0.2), (0.24, 0.85)], [(0.2, 0.2), (0.8, 0.18), (0.76, 0.82)], [(0.24, 0.8), (0.78, 0.78)]],
    "日": [
        [(0.28, 0.1), (0.28, 0.92)],
        [(0.28, 0.1), (0.74, 0.1), (0.74, 0.92)],
        [(0.28, 0.5), (0.74, 0.5)],
        [(0.28, 0.9), (0.74, 0.9)],
    ],
    "中": [
        [(0.15, 0.28), (0.2, 0.64)],
        [(0.15, 0.28), (0.85, 0.26), (0.8, 0.62)],
        [(0.2, 0.62), (0.8, 0.6)],
        [(0.5, 0.05), (0.5, 0.97)],
    ],
}


def draw(character: str, random: np.random.Generator, side_px: int = 72) -> NDArray[np.uint8]:
    """A shaky ``character``, black on white."""
    paper = np.full((side_px, side_px), 255, np.uint8)
    slant, width = random.uniform(-0.12, 0.12), round(side_px * random.uniform(0.025, 0.09))
    for stroke in STROKES[character]:
        points = np.array(stroke) + random.normal(0, 0.025, (len(stroke), 2))
        points[:, 0] += slant * (points[:, 1] - 0.5)
        pixels = np.round((0.08 + 0.84 * points) * side_px * 16).astype(np.int32)
        cv2.polylines(paper, [pixels[:, np.newaxis]], False, 0, width, cv2.LINE_AA, shift=4)
    return paper


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a picture, its folders included; the path may be Chinese on any system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())


def write_collection(folder: Path, characters: str = "".join(STROKES), count: int = 12, seed: int = 0) -> Path:
    """A folder a character with ``count`` PNG files each."""
    random = np.random.default_rng(seed)
    for character in characters:
        for index in range(count):
            write_png(folder / character / f"{index}.png", draw(character, random))
    return folder
