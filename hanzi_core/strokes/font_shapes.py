"""Characters as people drew them for free fonts: real shapes beside the simulated ones, for training alone.

A glyph is kept as its signed distance field, from which ink of any thickness can be had. The fonts lie outside the
product (``bench/fetch_fonts.sh``, ``build_font_shapes.py``), none of them is shipped.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.errors import TrainingError
from hanzi_core.language import mark
from hanzi_core.strokes.library import StrokeLibrary

FIELD_SIZE_PX = 96
FIELD_STEPS_PER_PX = 8
"""A field holds 128 + 8 times the distance in pixels, positive within the ink."""

GLYPH_SIZE_PX = 76
"""The longer side of the ink within the field; the rest is room for thicker ink and for bending."""

_RIM_PX = 4
"""Around a glyph where it is measured, beyond what its field shows."""

BENT_ROOM = 1.25
"""Side of a bent glyph's square in sides of its field: what is bent outwards is not cut."""

_SWELL_SHARE, _STEP_SHARE = 0.035, 0.02
"""Standard deviations in shares of the side: running hands divide a character otherwise than print does."""


@dataclass(frozen=True)
class FontSource:
    """A font and where its files lie; its licence is named in the model's card."""

    name: str
    pattern: str
    licence: str
    weight: float = 1.0


SOURCES = (
    FontSource("ma-shan-zheng", "fontsource-ma-shan-zheng-*/**/*-normal.woff2", "OFL-1.1", 2.5),
    FontSource("zhi-mang-xing", "fontsource-zhi-mang-xing-*/**/*-normal.woff2", "OFL-1.1", 2.5),
    FontSource("liu-jian-mao-cao", "fontsource-liu-jian-mao-cao-*/**/*-normal.woff2", "OFL-1.1", 2.5),
    FontSource("long-cang", "fontsource-long-cang-*/**/*-normal.woff2", "OFL-1.1", 2.5),
    FontSource("hlxsjt", "chinese-fonts-hlxsjt-*/**/*.woff2", "MIT (package)", 2.5),
    FontSource("jxzk", "chinese-fonts-jxzk-*/**/*.woff2", "MIT (package)", 2.5),
    FontSource("yomogi", "fontsource-yomogi-*/**/*-normal.woff2", "OFL-1.1"),
    FontSource("zen-kurenaido", "fontsource-zen-kurenaido-*/**/*-normal.woff2", "OFL-1.1"),
    FontSource("yusei-magic", "fontsource-yusei-magic-*/**/*-normal.woff2", "OFL-1.1", 0.7),
    FontSource("yuji-syuku", "fontsource-yuji-syuku-*/**/*-normal.woff2", "OFL-1.1"),
    FontSource("new-tegomin", "fontsource-new-tegomin-*/**/*-normal.woff2", "OFL-1.1 (package: MIT)", 0.7),
    FontSource("hachi-maru-pop", "fontsource-hachi-maru-pop-*/**/*-normal.woff2", "OFL-1.1", 0.5),
    FontSource("iansui", "fontsource-iansui-*/**/*-normal.woff2", "OFL-1.1", 1.5),
    FontSource("klee", "fonts-klee/**/KleeOne-Regular.ttf", "OFL-1.1"),
    FontSource("seto", "fonts-seto/**/setofont.ttf", "OFL-1.1", 1.3),
    FontSource("yozvox", "fonts-yozvox-yozfont-standard-kana/**/YOzRS_.ttf", "OFL-1.1", 1.3),
    FontSource("kiloji", "fonts-kiloji/**/kiloji.ttf", "BSD-3-Clause", 1.3),
    FontSource("lxgw-wenkai", "fonts-lxgw-wenkai/**/LXGWWenKai-Regular.ttf", "OFL-1.1"),
    FontSource("arphic-kai-gb", "fonts-arphic-gkai00mp/**/gkai00mp.ttf", "Arphic-1999"),
    FontSource("arphic-kai-big5", "fonts-arphic-bkai00mp/**/bkai00mp.ttf", "Arphic-1999"),
    FontSource("aoyagi-soseki", "fonts-aoyagi-soseki/**/*.ttf", "public domain", 1.5),
    FontSource("aoyagi-kouzan", "fonts-aoyagi-kouzan-t/**/*.ttf", "public domain", 1.5),
    FontSource("kouzan-mouhitsu", "fonts-kouzan-mouhitsu/**/kouzan-mouhitsu.ttf", "public domain", 2.0),
    FontSource("kouzan-gyosho", "fonts-kouzan-mouhitsu/**/kouzan-mouhitsu-gyosho.ttf", "public domain", 2.5),
    FontSource("kouzan-sousho", "fonts-kouzan-mouhitsu/**/KouzanBrushFontSousyo.ttf", "public domain", 0.5),
    FontSource("tw-kai", "fonts-cns11643-kai/**/TW-Kai-98_1.ttf", "OGDL-Taiwan-1.0"),
)


class FontShapes:
    """Glyphs of all cached fonts, opened without reading them.

    Args:
        cache: Folder that ``build_font_shapes`` filled.
        count: How many characters it was made for; those of the stroke library where it is not said.

    Raises:
        TrainingError: there are none.
    """

    def __init__(self, cache: Path, count: int | None = None) -> None:
        self._count = len(StrokeLibrary.load()) if count is None else count
        self._fields: list[NDArray[np.uint8]] = []
        characters, places, weights = [], [], []
        for source in SOURCES:
            path = cache / f"{source.name}.npy"
            if not path.exists():
                continue
            index = np.load(cache / f"{source.name}.index.npy")
            characters.append(index)
            places.append(np.stack([np.full(len(index), len(self._fields)), np.arange(len(index))], axis=1))
            weights.append(np.full(len(index), source.weight))
            self._fields.append(np.load(path, mmap_mode="r"))
        if not self._fields:
            raise TrainingError(
                mark("{folder} holds no font shapes: make them with hanzi_core.strokes.build_font_shapes."),
                folder=cache,
            )
        self._starts = np.cumsum([0, *map(len, self._fields)])
        self._build(np.concatenate(characters), np.concatenate(places), np.concatenate(weights))

    def _build(self, characters: NDArray[np.int64], places: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        order = np.argsort(characters, kind="stable")
        self._places = places[order]
        self._first = np.searchsorted(characters[order], np.arange(self._count + 1))
        self._weight_sum = np.concatenate([[0.0], np.cumsum(weights[order])])

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """Which of the characters any font draws."""
        return np.diff(self._first) > 0

    def all_fields(self) -> NDArray[np.uint8]:
        """Every glyph's field, ``uint8 (glyphs, FIELD_SIZE_PX, FIELD_SIZE_PX)``, read into memory: 9 KB a glyph."""
        return np.concatenate(self._fields)

    def choose(self, character: int, rng: np.random.Generator) -> tuple[int, NDArray[np.uint8]]:
        """A glyph of ``character`` from a font chosen by weight: its place among all, and its field."""
        begin, end = self._first[character], self._first[character + 1]
        low, high = self._weight_sum[begin], self._weight_sum[end]
        place = int(np.searchsorted(self._weight_sum, rng.uniform(low, high), side="right")) - 1
        font, glyph = self._places[min(max(place, begin), end - 1)]
        return int(self._starts[font] + glyph), self._fields[font][glyph]

    def ink(self, character: int, size_px: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """``character`` from a font chosen by weight, bent, thinner or thicker: ``uint8 (size_px, size_px)``."""
        return bend(self.choose(character, rng)[1], size_px, rng)


def distance_field(ink: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The signed distance field of ``ink`` (255 on 0), cut to it and centred; ``None`` where there is no ink."""
    mask = (ink > 127).astype(np.uint8)
    if not mask.any():
        return None
    left, top, width, height = cv2.boundingRect(mask)
    scale = GLYPH_SIZE_PX / max(width, height)
    room = round((FIELD_SIZE_PX - GLYPH_SIZE_PX) / 2 / scale) + _RIM_PX
    mask = np.pad(mask[top : top + height, left : left + width], room)
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    middle_x, middle_y = mask.shape[1] / 2, mask.shape[0] / 2
    to_field = np.array(
        [[scale, 0, FIELD_SIZE_PX / 2 - scale * middle_x], [0, scale, FIELD_SIZE_PX / 2 - scale * middle_y]]
    )
    field = cv2.warpAffine(
        distance, to_field, (FIELD_SIZE_PX, FIELD_SIZE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.clip(128 + field * scale * FIELD_STEPS_PER_PX, 0, 255).astype(np.uint8)


def bend(field: NDArray[np.uint8], size_px: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Ink 255 on 0 of ``size_px`` from a distance field, slanted, turned, bent, and of another thickness."""
    distance = cv2.remap(field, bent_places(size_px, rng), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    slope = 255 / FIELD_STEPS_PER_PX * size_px / (BENT_ROOM * FIELD_SIZE_PX)
    swollen = distance.astype(np.float32) - 128 + np.float32(another_thickness(field, rng))
    return cv2.convertScaleAbs(np.clip(swollen * np.float32(slope) + 128, 0, 255))


def another_thickness(field: NDArray[np.uint8], rng: np.random.Generator) -> float:
    """What to add to ``field`` for thinner or thicker ink: at least two fifths of a line's width stay."""
    half_width = max(2 * float(field[field > 128].mean() - 128), 8.0)
    return float(rng.uniform(-0.6 * half_width, min(0.8 * half_width, 24.0)))


def bent_places(size_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Where in its field each pixel of a bent glyph lies: x and y, ``(size_px, size_px, 2)``."""
    cells = int(rng.integers(3, 7))
    strength = FIELD_SIZE_PX * abs(rng.normal(0, 0.035)) * (4 / cells) ** 0.5
    shift = rng.standard_normal((cells, cells, 2), np.float32) * np.float32(strength)
    shift = cv2.resize(shift, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    shear, tilt, aspect = rng.normal(0, 0.1), rng.normal(0.02, 0.06), np.exp(rng.normal(0.05, 0.09))
    grid = (BENT_ROOM * FIELD_SIZE_PX * np.linspace(-0.5, 0.5, size_px)).astype(np.float32)
    shift[..., 0] += grid[None, :] * np.float32(aspect) + grid[:, None] * np.float32(shear) + FIELD_SIZE_PX / 2
    shift[..., 1] += grid[:, None] / np.float32(aspect) + grid[None, :] * np.float32(tilt) + FIELD_SIZE_PX / 2
    shift[..., 0] += _swell(grid, rng)[None, :] + _step(grid, rng)[:, None]
    shift[..., 1] += _swell(grid, rng)[:, None] + _step(grid, rng)[None, :]
    return shift


def _swell(grid: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Shifts along an axis by which one side, or the middle, takes room from the rest."""
    phase, size = rng.uniform(0, np.pi), rng.normal(0, _SWELL_SHARE * FIELD_SIZE_PX)
    return (size * np.cos(2 * np.pi * grid / (1.6 * FIELD_SIZE_PX) + phase)).astype(np.float32)


def _step(grid: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Shifts across an axis by which the components on either side of a place stand at different heights."""
    place, size = rng.uniform(-0.25, 0.25) * FIELD_SIZE_PX, rng.normal(0, _STEP_SHARE * FIELD_SIZE_PX)
    return (size * np.tanh((grid - place) / (0.12 * FIELD_SIZE_PX))).astype(np.float32)
