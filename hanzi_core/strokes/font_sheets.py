"""Font shapes on the way to another machine, one with a GPU and no network, say: a fortieth of their size.

    python -m hanzi_core.strokes.font_sheets pack CACHE_FOLDER SHEETS_FOLDER
    python -m hanzi_core.strokes.font_sheets unpack SHEETS_FOLDER CACHE_FOLDER

A font's glyphs stand one below the other on the pages of a bilevel TIFF file, compressed as faxes are (ITU-T T.6).
"""

import argparse
import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from hanzi_core.strokes.font_shapes import FIELD_SIZE_PX, GLYPH_SIZE_PX, distance_field

_PICTURE_PX = 112
"""Side of a glyph on a sheet."""

_GLYPHS_A_PAGE = 256
_MARGIN_PX = (FIELD_SIZE_PX - GLYPH_SIZE_PX) // 2 - 2
_INDEX = ".index.npy"


def pack(cache: Path, sheets: Path) -> None:
    """Write every font of ``cache`` to ``sheets``, 230 bytes a glyph."""
    sheets.mkdir(parents=True, exist_ok=True)
    for name in _fonts(cache):
        fields = np.load(cache / f"{name}.npy", mmap_mode="r")
        pages = [_page(fields[begin : begin + _GLYPHS_A_PAGE]) for begin in range(0, len(fields), _GLYPHS_A_PAGE)]
        pages[0].save(sheets / f"{name}.tiff", save_all=True, append_images=pages[1:], compression="group4")
        shutil.copy(cache / f"{name}{_INDEX}", sheets)


def unpack(sheets: Path, cache: Path) -> None:
    """Make a cache from ``sheets``, on all processors; edges lie within a quarter of a field's pixel, on average."""
    cache.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for _ in pool.map(partial(_unpack_font, sheets, cache), _fonts(sheets)):
            pass


def _fonts(folder: Path) -> list[str]:
    return sorted(path.name.removesuffix(_INDEX) for path in folder.glob(f"*{_INDEX}"))


def _page(fields: NDArray[np.uint8]) -> Image.Image:
    inner = slice(_MARGIN_PX, FIELD_SIZE_PX - _MARGIN_PX)
    size = (_PICTURE_PX, _PICTURE_PX)
    pictures = [cv2.resize(field[inner, inner], size, interpolation=cv2.INTER_CUBIC) > 128 for field in fields]
    return Image.fromarray(np.vstack(pictures))


def _unpack_font(sheets: Path, cache: Path, name: str) -> None:
    fields = []
    with Image.open(sheets / f"{name}.tiff") as file:
        for page in ImageSequence.Iterator(file):
            pictures = np.asarray(page.convert("L")).reshape(-1, _PICTURE_PX, _PICTURE_PX)
            fields += [distance_field(picture) for picture in pictures]
    np.save(cache / f"{name}.npy", np.array(fields, np.uint8))
    shutil.copy(sheets / f"{name}{_INDEX}", cache)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=["pack", "unpack"])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    {"pack": pack, "unpack": unpack}[arguments.way](arguments.source, arguments.target)
