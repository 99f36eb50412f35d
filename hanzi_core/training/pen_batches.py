"""Batches as the pen wrote them, for :mod:`hanzi_core.training.device_simulation` to draw.

The processes that write import neither Keras nor its backend, so that they start soon and leave the accelerator alone.
"""

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hanzi_core.dataset.parallel import end_with_parent
from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.cursive import cursive_forms
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.segments import segments_of
from hanzi_core.strokes.style import PRESETS, HandStyle
from hanzi_core.training.simulation import STYLE_SHARES, character_weights

SEGMENTS_MULTIPLE = 256
"""Batches come with 512 to 1,024 segments a character: three or four compilations in all."""

INK_SHARE = 7 / 8
"""Of the side: what the normalisation leaves between its margins."""

BANK_PX = 512
"""Side of the square of noise from which each picture is given a piece of its own."""

_AHEAD = 4
"""Batches that each process writes ahead."""

Floats = NDArray[np.float32]


class Written(NamedTuple):
    """A batch as the pen wrote it, and what is to happen to its pictures."""

    ends: Floats
    """``(batch, segments, 4)``."""
    widths: Floats
    """``(batch, segments)``, of the side of the ink; below 0 for padding."""
    flaws: Floats
    """``(batch, 7)``; see :class:`Flaws`."""
    offsets: NDArray[np.int32]
    """``(batch, 2, 2)``: where in the bank of noise its grain and its patches are cut."""
    labels: NDArray[np.int32]


class Flaws(NamedTuple):
    """Columns of :attr:`Written.flaws`: lengths in pixels of the picture, the rest in gray levels or shares."""

    blur_px: Any
    grain: Any
    light_x: Any
    light_y: Any
    contrast: Any
    dryness: Any
    dry_from: Any


@dataclass(frozen=True)
class PenSettings:
    """What the writing processes need to know."""

    batch_size: int
    seed: int


def written_batches(settings: PenSettings, first: int = 0, processes: int = 0) -> Iterator[Written]:
    """Batches without end, batch n the same for the same seed, whoever writes it.

    Args:
        settings: Size and seed.
        first: Number of the first batch.
        processes: That write; 0 for this one.
    """
    number = first
    if not processes:
        while True:
            yield write_batch(settings, number)
            number += 1
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin)
    waiting: deque[Any] = deque()
    try:
        while True:
            while len(waiting) < _AHEAD * processes:
                waiting.append(pool.submit(write_batch, settings, number))
                number += 1
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    threading.Thread(target=end_with_parent, daemon=True).start()


def write_batch(settings: PenSettings, number: int) -> Written:
    """Batch ``number`` of the seed."""
    rng = np.random.default_rng([settings.seed, number])
    hand, weights, strokes = _writer()
    labels = rng.choice(len(weights), settings.batch_size, p=weights)
    names = rng.choice(list(STYLE_SHARES), settings.batch_size, p=list(STYLE_SHARES.values()))
    styles = [PRESETS[name] for name in names]
    ends, widths = segments_of(hand.write(labels, styles, rng), with_pen=True, multiple=SEGMENTS_MULTIPLE)
    offsets = rng.integers(0, BANK_PX - IMAGE_SIZE_PX, (settings.batch_size, 2, 2)).astype(np.int32)
    return Written(ends, widths, _flaws(styles, strokes[labels], rng), offsets, labels.astype(np.int32))


@cache
def _writer() -> tuple[Hand, NDArray[np.float64], NDArray[np.int64]]:
    """The hand, how often each character is written, and how many strokes each has."""
    library = StrokeLibrary.load()
    anatomy = study(library, library.characters, cursive_forms())
    return Hand(anatomy), character_weights(library.characters), np.diff(anatomy.first)[: len(library)]


def _flaws(styles: list[HandStyle], strokes: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """What :func:`hanzi_core.strokes.draw.spoil` would do to each picture, as figures."""
    count = len(styles)

    def happens(name: str) -> NDArray[np.bool_]:
        return rng.random(count) < np.array([getattr(style, name) for style in styles])

    low, high = np.array([style.resolution_px for style in styles]).T
    low = np.minimum(np.maximum(low, 10 * strokes**0.5), high)
    resolution_px = low * (high / low) ** rng.random(count)
    pixel = np.maximum(IMAGE_SIZE_PX * INK_SHARE / resolution_px, 1.0)
    # A box of n pixels has the variance (n² - 1) / 12; the blur is of the coarse picture's pixels.
    blur_px = np.where(happens("blur"), rng.uniform(0.35, 0.5 + resolution_px / 120), 0.0) * pixel
    values = Flaws(
        blur_px=np.sqrt(blur_px**2 + (pixel**2 - 1) / 12),
        grain=np.where(happens("noise"), rng.uniform(1, 9, count), 0.0) / pixel,
        light_x=rng.uniform(-25, 25, count),
        light_y=rng.uniform(-25, 25, count),
        contrast=rng.uniform(0.45, 1.0, count) * rng.uniform(170, 255, count),
        dryness=np.where(happens("ink_flaws"), rng.uniform(0.1, 0.8, count), 0.0),
        dry_from=rng.uniform(0.45, 0.8, count),
    )
    return np.stack(values, axis=1).astype(np.float32)
