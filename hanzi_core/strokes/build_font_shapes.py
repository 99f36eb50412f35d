"""Render the fonts that ``bench/fetch_fonts.sh`` fetched into a cache of distance fields; needs fonttools and brotli.

python -m hanzi_core.strokes.build_font_shapes FONTS_FOLDER CACHE_FOLDER [CHARACTERS_FILE]

Without a file of characters, those of the stroke library are rendered.
"""

import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from hanzi_core.strokes.character_sets import read_characters
from hanzi_core.strokes.font_shapes import SOURCES, FontSource, distance_field
from hanzi_core.strokes.library import StrokeLibrary

_RENDER_SIZE_PX = 160


def build_cache(fonts: Path, cache: Path, characters: Sequence[str]) -> None:
    """Render ``characters`` in all fonts found below ``fonts`` into distance fields in ``cache``."""
    cache.mkdir(parents=True, exist_ok=True)
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


def _glyphs(source: FontSource, fonts: Path, characters: Sequence[str]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
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


if __name__ == "__main__":
    listed = read_characters(Path(sys.argv[3])) if len(sys.argv) > 3 else StrokeLibrary.load().characters
    build_cache(Path(sys.argv[1]), Path(sys.argv[2]), listed)
