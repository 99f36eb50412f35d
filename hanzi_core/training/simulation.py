"""Training pictures without end: the simulated hand and the free fonts, normalised as pictures are in use.

Pictures are drawn ahead by processes of their own into shards, folders of two arrays, so that neither drawing nor
training ever waits for the other.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.image.normalise import IMAGE_SIZE_PX, normalise
from hanzi_core.strokes.anatomy import NO_FORMS, Anatomy, study
from hanzi_core.strokes.cursive import Forms, cursive_forms
from hanzi_core.strokes.draw import draw, spoil
from hanzi_core.strokes.font_shapes import FontShapes
from hanzi_core.strokes.frequency import frequencies_per_million
from hanzi_core.strokes.hand import Hand, PenPath
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.style import PRESETS, HandStyle, blend
from hanzi_core.workspace import writing

SHARD_IMAGES = 16_384
STYLE_SHARES = {
    ("neat", "neat", 0.0): 0.14,
    ("neat", "everyday", 0.5): 0.08,
    ("everyday", "everyday", 0.0): 0.14,
    ("everyday", "running", 1 / 3): 0.12,
    ("everyday", "running", 2 / 3): 0.1,
    ("running", "running", 0.0): 0.08,
    ("everyday", "brush", 0.5): 0.06,
    ("running", "brush", 0.5): 0.12,
    ("brush", "brush", 0.0): 0.16,
}
"""How often each style writes: a preset, another, and how far it is from the one to the other."""

FONT_SHARE = 0.45
KANJIVG_SHARE = 0.2
"""Of the written characters that KanjiVG has, so many are written in its forms."""

FREQUENCY_POWER = 0.3
_SELDOM_PER_MILLION = 3.0

_FONT_INK_PX = 136
_CHUNK = 256


@dataclass(frozen=True)
class _Source:
    """A stroke library and where its characters stand in the built-in one."""

    hand: Hand
    anatomy: Anatomy
    places: dict[int, int]


class Simulator:
    """Draws normalised pictures of library characters."""

    def __init__(self, fonts: Path | None = None, kanjivg: Path | None = None) -> None:
        library = StrokeLibrary.load()
        self.weights = character_weights(library.characters)
        self.fonts = FontShapes(fonts) if fonts else None
        self._own = _source(library, library, cursive_forms())
        self._kanjivg = _source(StrokeLibrary.load(kanjivg), library) if kanjivg else None
        self._styles = [blend(PRESETS[one], PRESETS[other], share) for one, other, share in STYLE_SHARES]
        self.stroke_counts = np.diff(self._own.anatomy.first)[: len(library)]
        """``(characters,)``, of the proper forms."""

    def images(self, count: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """``count`` pictures ``uint8 (count, 64, 64)`` and their places in the stroke library, in random order."""
        labels = rng.choice(len(self.weights), count, p=self.weights).astype(np.int32)
        return self.write(labels, rng), labels

    def write(self, labels: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.uint8]:
        """A picture ``uint8 (64, 64)`` of each of ``labels``, which are places in the stroke library."""
        pictures = np.empty((len(labels), IMAGE_SIZE_PX, IMAGE_SIZE_PX), np.uint8)
        for begin in range(0, len(labels), _CHUNK):
            self._fill(pictures[begin : begin + _CHUNK], labels[begin : begin + _CHUNK], rng)
        return pictures

    def styles(self, count: int, rng: np.random.Generator) -> list[HandStyle]:
        """``count`` styles, each as often as :data:`STYLE_SHARES` says."""
        return [self._styles[place] for place in rng.choice(len(self._styles), count, p=list(STYLE_SHARES.values()))]

    def lead_pen(
        self, labels: NDArray[np.int32], styles: Sequence[HandStyle], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], PenPath]:
        """The pen's way through at least one character, in Chinese or in Japanese form.

        Returns:
            Which of ``labels`` each character of the path is, for they come by their forms; and the path.
        """
        japanese = np.zeros(len(labels), np.bool_)
        if self._kanjivg is not None:
            known = [int(label) in self._kanjivg.places for label in labels]
            japanese = np.array(known) & (rng.random(len(labels)) < KANJIVG_SHARE)
        order, paths = [], []
        for source, chosen in ((self._own, np.flatnonzero(~japanese)), (self._kanjivg, np.flatnonzero(japanese))):
            if source is not None and len(chosen):
                places = np.array([source.places[int(label)] for label in labels[chosen]])
                order.append(chosen)
                paths.append(source.hand.write(places, [styles[index] for index in chosen.tolist()], rng))
        return np.concatenate(order), PenPath.one_after_another(paths)

    def _fill(self, pictures: NDArray[np.uint8], labels: NDArray[np.int32], rng: np.random.Generator) -> None:
        styles = self.styles(len(labels), rng)
        of_font = np.zeros(len(labels), np.bool_)
        if self.fonts is not None:
            of_font = (rng.random(len(labels)) < FONT_SHARE) & self.fonts.drawn[labels]
        by_pen = np.flatnonzero(~of_font)
        if len(by_pen):
            order, path = self.lead_pen(labels[by_pen], [styles[index] for index in by_pen], rng)
            places = by_pen[order]
            for index, gray in zip(places, draw(path, [styles[index] for index in places], rng), strict=True):
                pictures[index] = normalise(gray)
        for index in np.flatnonzero(of_font):
            assert self.fonts is not None
            label = int(labels[index])
            strokes = int(self.stroke_counts[label])
            pictures[index] = font_picture(self.fonts, label, strokes, styles[index], rng)


def font_picture(
    fonts: FontShapes, character: int, stroke_count: int, style: HandStyle, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """``character`` of a font, bent and inked and spoilt as in ``style``, and normalised: ``uint8 (64, 64)``."""
    ink = fonts.ink(character, _FONT_INK_PX, rng)
    return normalise(spoil(ink, style, stroke_count, rng))


def _source(library: StrokeLibrary, labels: StrokeLibrary, cursive: Forms = NO_FORMS) -> _Source:
    anatomy = study(library, library.characters, cursive)
    places = {labels.index(character): place for place, character in enumerate(library.characters)}
    return _Source(Hand(anatomy), anatomy, places)


def character_weights(characters: Sequence[str]) -> NDArray[np.float64]:
    """How often each character is drawn; the sum is 1.

    What the first levels of the Chinese, Taiwanese and Japanese standards hold, since those who made them judged it to
    be in common use, is drawn up to three times as often as the rest; and the more frequent a character is in Chinese
    text, the more often, up to eleven times. The 1,900 most frequent are half of what is drawn.
    """
    rates = frequencies_per_million()
    frequency = np.array([rates.get(character, 0.0) for character in characters])
    weights = np.array([_standard_weight(character) for character in characters])
    weights *= (1 + frequency / _SELDOM_PER_MILLION) ** FREQUENCY_POWER
    return weights / weights.sum()


def _standard_weight(character: str) -> float:
    levels = (("gb2312", 0xB0, 0xD7, 1.0), ("big5", 0xA4, 0xC6, 0.5), ("euc_jp", 0xB0, 0xCF, 0.5))
    weight = 1.0
    for codec, first, last, worth in levels:
        try:
            lead = character.encode(codec)
        except UnicodeEncodeError:
            continue
        weight += worth * (len(lead) == 2 and first <= lead[0] <= last)
    return weight


def draw_shards(simulator: Simulator, pool: Path, numbers: Sequence[int], seed: int) -> None:
    """Write the shards with these ``numbers`` that ``pool`` lacks; each depends on ``seed`` and its number alone."""
    cv2.setNumThreads(1)
    with writing(pool):
        pool.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        folder = pool / f"shard-{number:05d}"
        if folder.exists():
            continue
        images, labels = simulator.images(SHARD_IMAGES, np.random.default_rng([seed, number]))
        building = pool / f".{folder.name}-{os.getpid()}"
        building.mkdir()
        np.save(building / "labels.npy", labels)
        np.save(building / "images.npy", images)
        building.rename(folder)
