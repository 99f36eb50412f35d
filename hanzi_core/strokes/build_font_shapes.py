"""Render the fonts that ``bench/fetch_fonts.sh`` fetched into a cache of distance fields; needs fonttools and brotli.

python -m hanzi_core.strokes.build_font_shapes FONTS_FOLDER CACHE_FOLDER
"""

import io
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from hanzi_core.strokes.font_shapes import FIELD_SIZE_PX, FIELD_STEPS_PER_PX, SOURCES, FontSource
from hanzi_core.strokes.library import StrokeLibrary

_GLYPH_SIZE_PX = 76
"""The longer side of the ink within the field; the rest is room for thicker ink and for bending."""

_RENDER_SIZE_PX = 160
_ROOM_PX = 4


def build_cache(fonts: Path, cache: Path) -> None:
    """Render all fonts found below ``fonts`` into distance fields in ``cache``."""
    cache.mkdir(parents=True, exist_ok=True)
    characters = StrokeLibrary.load().characters
    for source in SOURCES:
        if (cache / f"{source.name}.index.npy").exists():
            continue
        glyphs = dict(_glyphs(source, fonts, characters))
        # A font that draws two code points alike has them only by name: neither is to be trusted.
        drawn = Counter(field.tobytes() for field in glyphs.values())
        kept = sorted(place for place, field in glyphs.items() if drawn[field.tobytes()] == 1)
        print(source.name, len(kept), "glyphs", len(glyphs) - len(kept), "left out", flush=True)
        if kept:
            np.save(cache / f"{source.name}.npy", np.stack([glyphs[place] for place in kept]))
            np.save(cache / f"{source.name}.index.npy", np.array(kept))


def _glyphs(source: FontSource, fonts: Path, characters: tuple[str, ...]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for path in sorted(fonts.glob(source.pattern)):
        font = TTFont(path, fontNumber=0)
        drawn = font.getBestCmap()
        covered = [place for place, character in enumerate(characters) if ord(character) in drawn]
        if not covered:
            continue
        font.flavor = None
        plain = io.BytesIO()
        font.save(plain)
        face = ImageFont.truetype(io.BytesIO(plain.getvalue()), _RENDER_SIZE_PX)
        for place in covered:
            field = distance_field(_render(face, characters[place]))
            if field is not None:
                yield place, field


def _render(face: ImageFont.FreeTypeFont, character: str) -> NDArray[np.uint8]:
    picture = Image.new("L", (2 * _RENDER_SIZE_PX, 2 * _RENDER_SIZE_PX))
    ImageDraw.Draw(picture).text((_RENDER_SIZE_PX // 2, _RENDER_SIZE_PX // 2), character, fill=255, font=face)
    return np.asarray(picture)


def distance_field(ink: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The signed distance field of ``ink`` (255 on 0), cut to it and centred; ``None`` where there is no ink."""
    mask = (ink > 127).astype(np.uint8)
    if not mask.any():
        return None
    left, top, width, height = cv2.boundingRect(mask)
    scale = _GLYPH_SIZE_PX / max(width, height)
    room = round((FIELD_SIZE_PX - _GLYPH_SIZE_PX) / 2 / scale) + _ROOM_PX
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


if __name__ == "__main__":
    build_cache(Path(sys.argv[1]), Path(sys.argv[2]))
