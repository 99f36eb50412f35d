"""Batches before they are drawn, for :mod:`hanzi_core.training.device_simulation` to draw.

The processes that prepare them import neither Keras nor its backend, so that they start soon and leave the accelerator
alone.
"""

import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.dataset.parallel import end_with_parent
from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.strokes.font_shapes import another_thickness, bent_places
from hanzi_core.strokes.hand import PenPath
from hanzi_core.strokes.segments import segments_of
from hanzi_core.strokes.style import HandStyle
from hanzi_core.training.simulation import FONT_SHARE, Simulator

SEGMENTS_MULTIPLE = 128
"""What is drawn together is padded to it; one compilation for each number that occurs, eight or so in all."""

PARTS = 8
"""In so many parts characters are drawn by the pen, those with few segments apart from those with many."""

KNOTS = 16
"""Of the net by which a font's shape is bent."""

INK_SHARE = 7 / 8
"""Of the side: what the normalisation leaves between its margins."""

BANK_PX = 512
"""Side of the square of noise from which each picture is given pieces of its own."""

_AHEAD = 3
"""Batches that each process prepares ahead."""

_ROUGH, _STREAKED = 0.35, 0.3
"""How many pictures with flawed ink have rough edges, and how many streaks instead of patches."""

Floats = NDArray[np.float32]


class Pen(NamedTuple):
    """Characters as the pen wrote them."""

    ends: NDArray[np.float16]
    """``(characters, segments, 4)``."""
    widths: NDArray[np.float16]
    """``(characters, segments)``, of the side of the ink; below 0 for padding."""


class Glyphs(NamedTuple):
    """Characters from fonts; empty where there are none."""

    numbers: NDArray[np.int32]
    """``(characters,)``: places among all glyphs."""
    places: Floats
    """``(characters, KNOTS, KNOTS, 2)``: where in its field each knot lies."""
    thicker: Floats
    """``(characters,)``: to be added to its field."""


class Undrawn(NamedTuple):
    """A batch: first what the pen wrote, then glyphs, then pictures that are drawn already."""

    pens: tuple[Pen, ...]
    glyphs: Glyphs
    drawn: NDArray[np.uint8]
    """``(pictures, 64, 64)``: drawn and normalised on the CPU, as in use."""
    flaws: Floats
    """``(pens and glyphs, flaws)``; see :class:`Flaws`."""
    offsets: NDArray[np.int32]
    """``(pens and glyphs, 3, 2)``: where in the bank of noise grain, patches and rough edges are cut."""
    labels: NDArray[np.int32]
    """``(batch,)``."""


class Flaws(NamedTuple):
    """Columns of :attr:`Undrawn.flaws`: lengths in pixels of the picture, the rest in gray levels or shares."""

    blur_px: Any
    grain: Any
    light_x: Any
    light_y: Any
    contrast: Any
    dryness: Any
    dry_from: Any
    dry_cells_x: Any
    dry_cells_y: Any
    rough_px: Any
    rough_cells: Any


@dataclass(frozen=True)
class BatchSettings:
    """What the preparing processes need to know."""

    batch_size: int
    seed: int
    fonts: Path | None = None
    kanjivg: Path | None = None
    drawn_share: float = 0.2
    """Of each batch, drawn on the CPU: slow, but with everything that scans, JPEG and the normalisation do."""

    def counts(self, has_fonts: bool) -> tuple[int, int, int]:
        """Of a batch: written by the pen, a multiple of :data:`PARTS` where there are enough; from fonts; drawn."""
        drawn = round(self.batch_size * self.drawn_share)
        glyphs = round((self.batch_size - drawn) * FONT_SHARE) if has_fonts else 0
        pens = self.batch_size - drawn - glyphs
        spare = pens % PARTS if pens > PARTS else 0
        return pens - spare, glyphs, drawn + spare


def undrawn_batches(settings: BatchSettings, first: int = 0, processes: int = 0) -> Generator[Undrawn]:
    """Batches without end, batch n the same for the same settings, whoever prepares it.

    Args:
        settings: Size, seed and shapes.
        first: Number of the first batch.
        processes: That prepare; 0 for this one.
    """
    number = first
    if not processes:
        while True:
            yield prepare_batch(settings, number)
            number += 1
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin)
    waiting: deque[Any] = deque()
    try:
        while True:
            while len(waiting) < _AHEAD * processes:
                waiting.append(pool.submit(prepare_batch, settings, number))
                number += 1
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    cv2.setNumThreads(1)
    threading.Thread(target=end_with_parent, daemon=True).start()


def prepare_batch(settings: BatchSettings, number: int) -> Undrawn:
    """Batch ``number`` of the seed."""
    rng = np.random.default_rng([settings.seed, number])
    simulator = _simulator(settings.fonts, settings.kanjivg)
    pens, glyphs, drawn = settings.counts(simulator.fonts is not None)
    styles = simulator.styles(pens + glyphs, rng)
    pen_labels = _labels(simulator.weights, pens, rng)
    order, path = simulator.lead_pen(pen_labels, styles[:pens], rng)
    by_length, pieces = _in_parts(path)
    order = order[by_length]
    pen_labels = pen_labels[order]
    styles[:pens] = [styles[index] for index in order]
    glyph_labels, shapes = _choose_glyphs(simulator, glyphs, rng)
    pictures, drawn_labels = simulator.images(drawn, rng)
    undrawn = np.concatenate([pen_labels, glyph_labels])
    return Undrawn(
        pieces,
        shapes,
        pictures,
        _flaws(styles, simulator.stroke_counts[undrawn], rng),
        rng.integers(0, BANK_PX - IMAGE_SIZE_PX, (len(undrawn), 3, 2)).astype(np.int32),
        np.concatenate([undrawn, drawn_labels]),
    )


@cache
def _simulator(fonts: Path | None, kanjivg: Path | None) -> Simulator:
    return Simulator(fonts, kanjivg)


def _labels(weights: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.int32]:
    return rng.choice(len(weights), count, p=weights).astype(np.int32)


def _in_parts(path: PenPath) -> tuple[NDArray[np.int64], tuple[Pen, ...]]:
    """The characters of ``path`` by their number of strokes, and parts of equal size in this order."""
    order = np.argsort(np.diff(path.first), kind="stable")
    parts = np.split(order, PARTS) if len(order) % PARTS == 0 else [order]
    return order, tuple(_pen(path.of(part)) for part in parts)


def _pen(path: PenPath) -> Pen:
    ends, widths = segments_of(path, with_pen=True, multiple=SEGMENTS_MULTIPLE)
    return Pen(ends.astype(np.float16), widths.astype(np.float16))


def _choose_glyphs(simulator: Simulator, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int32], Glyphs]:
    """Labels and what is to be done to a glyph of each."""
    labels = np.zeros(0, np.int32)
    numbers, places, thicker = [], [], []
    if simulator.fonts is not None:
        weights = simulator.weights * simulator.fonts.drawn
        labels = _labels(weights / weights.sum(), count, rng)
        for label in labels:
            number, field = simulator.fonts.choose(int(label), rng)
            numbers.append(number)
            places.append(bent_places(KNOTS, rng))
            thicker.append(another_thickness(field, rng))
    return labels, Glyphs(
        np.array(numbers, np.int32),
        np.array(places, np.float32).reshape(-1, KNOTS, KNOTS, 2),
        np.array(thicker, np.float32),
    )


def _flaws(styles: Sequence[HandStyle], strokes: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """What :func:`hanzi_core.strokes.draw.spoil` would do to each picture, as figures; rough edges and streaks too."""
    count = len(styles)

    def happens(name: str) -> NDArray[np.bool_]:
        return rng.random(count) < np.array([getattr(style, name) for style in styles])

    low, high = np.array([style.resolution_px for style in styles]).T
    low = np.minimum(np.maximum(low, 10 * strokes**0.5), high)
    resolution_px = low * (high / low) ** rng.random(count)
    pixel = np.maximum(IMAGE_SIZE_PX * INK_SHARE / resolution_px, 1.0)
    # A box of n pixels has the variance (n² - 1) / 12; the blur is of the coarse picture's pixels.
    blur_px = np.where(happens("blur"), rng.uniform(0.35, 0.5 + resolution_px / 120), 0.0) * pixel
    cells = rng.uniform(5, 60, count)
    along = np.where(rng.random(count) < _STREAKED, 4 / cells, 1.0)
    across = rng.random(count) < 0.5
    values = Flaws(
        blur_px=np.sqrt(blur_px**2 + (pixel**2 - 1) / 12),
        grain=np.where(happens("noise"), rng.uniform(1, 9, count), 0.0) / pixel,
        light_x=rng.uniform(-25, 25, count),
        light_y=rng.uniform(-25, 25, count),
        contrast=rng.uniform(0.45, 1.0, count) * rng.uniform(170, 255, count),
        dryness=np.where(happens("ink_flaws"), rng.uniform(0.1, 0.8, count), 0.0),
        dry_from=rng.uniform(0.45, 0.8, count),
        dry_cells_x=cells * np.where(across, along, 1.0),
        dry_cells_y=cells * np.where(across, 1.0, along),
        rough_px=np.where(rng.random(count) < _ROUGH, rng.uniform(0.1, 0.9, count), 0.0),
        rough_cells=rng.uniform(12, 60, count),
    )
    return np.stack(values, axis=1).astype(np.float32)
