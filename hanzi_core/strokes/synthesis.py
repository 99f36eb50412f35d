"""Starter datasets: a folder of pictures a character, written by the simulated hand.

Every picture depends on its character, its number and the seed alone, so an interrupted synthesis is continued, and a
larger one keeps what a smaller one wrote.
"""

import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.errors import HanziError
from hanzi_core.language import mark
from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.draw import draw
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.style import HandStyle, style_named
from hanzi_core.workspace import replace_file, replace_json, writing

DESCRIPTION = ".synthesis.json"
CHUNK = 16
"""Pictures written together; a chunk is drawn whole even where only a part of it is wanted."""

GB2312_LEVELS = {"gb2312-1": (0xB0, 0xD7), "gb2312-2": (0xD8, 0xF7)}
"""First bytes of the levels of GB/T 2312-1980: 3,755 characters in common use, and 3,008 more."""

Report = Callable[[int, int], None]


class SynthesisError(HanziError):
    """A synthesis that cannot be done as asked."""


class SynthesisConfig(BaseModel):
    """What to write."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    characters: str = Field(description="Characters, repeated ones once; or gb2312-1, gb2312-2, library.")
    per_class: int = Field(20, ge=1, le=100_000, description="Pictures a character.")
    style: str = Field("everyday", description="Preset of the hand.")
    unknown: Literal["error", "skip"] = Field("error", description="What to do with characters the library lacks.")
    training_only: bool = Field(False, description="Put all below train/, where every split leaves them.")
    seed: int = Field(0, ge=0, description="The same seed writes the same pictures.")


class SynthesisResult(BaseModel):
    """What was written."""

    characters: int
    images: int
    skipped: str
    """Characters that the library lacks."""


def synthesise(config: SynthesisConfig, folder: Path, report: Report | None = None) -> SynthesisResult:
    """Write PNG files ``folder/[train/]<character>/synthetic-<number>.png``; those that are there are left alone.

    Args:
        config: What to write.
        folder: Made where it is missing.
        report: Called with pictures done and in all.

    Raises:
        SynthesisError: no character is left, or one is unknown and ``config.unknown`` is ``error``.
        StyleError: there is no such style.
        WorkspaceError: no space is left; what was written stays, whole.
    """
    library = StrokeLibrary.load()
    style_named(config.style)
    known, unknown = _sort_out(config, library)
    total = len(known) * config.per_class
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    replace_json(folder / DESCRIPTION, {"synthetic": True, **config.model_dump()})
    done = 0
    for character in known:
        target = folder / "train" / character if config.training_only else folder / character
        with writing(target):
            target.mkdir(parents=True, exist_ok=True)
        _complete(target, character, config)
        done += config.per_class
        if report:
            report(done, total)
    return SynthesisResult(characters=len(known), images=total, skipped="".join(unknown))


def characters_named(text: str) -> list[str]:
    """The characters that ``text`` names: a set's, or its own in order without repeats and white space."""
    library = StrokeLibrary.load()
    if text == "library":
        return list(library.characters)
    if text in GB2312_LEVELS:
        first, last = GB2312_LEVELS[text]
        return [character for character in library.characters if _lead_byte(character) in range(first, last + 1)]
    return list(dict.fromkeys("".join(text.split())))


def write_chunk(character: str, style: str, number: int, seed: int) -> list[NDArray[np.uint8]]:
    """The :data:`CHUNK` gray pictures of ``character`` with this number, dark ink on light paper, of varying size."""
    rng = np.random.default_rng([seed, zlib.crc32(style.encode()), ord(character), number])
    return write_character(character, style_named(style), CHUNK, rng)


def write_character(character: str, style: HandStyle, count: int, rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    """``count`` gray pictures of ``character``, each by a writer of its own, ``uint8 (height, width)`` of varying size.

    Raises:
        StrokeLibraryError: the library lacks the character.
    """
    styles = [style] * count
    path = _hand(character).write(np.zeros(count, np.int64), styles, rng)
    return list(draw(path, styles, rng))


@lru_cache(maxsize=64)
def _hand(character: str) -> Hand:
    return Hand(study(StrokeLibrary.load(), character))


def _sort_out(config: SynthesisConfig, library: StrokeLibrary) -> tuple[list[str], list[str]]:
    wanted = characters_named(config.characters)
    known = [character for character in wanted if character in library]
    unknown = [character for character in wanted if character not in library]
    if unknown and config.unknown == "error":
        raise SynthesisError(
            mark("The stroke library has no {characters}: leave them out, or skip what it lacks."),
            characters=" ".join(unknown[:20]),
        )
    if not known:
        raise SynthesisError(mark("There is no character to write: give some that the stroke library has."))
    return known, unknown


def _complete(folder: Path, character: str, config: SynthesisConfig) -> None:
    """Write the pictures that ``folder`` still lacks."""
    for chunk in range(-(-config.per_class // CHUNK)):
        numbers = range(chunk * CHUNK, min((chunk + 1) * CHUNK, config.per_class))
        paths = {number: folder / f"synthetic-{number:05d}.png" for number in numbers}
        missing = [number for number in numbers if not paths[number].exists()]
        pictures = write_chunk(character, config.style, chunk, config.seed) if missing else []
        for number in missing:
            replace_file(paths[number], cv2.imencode(".png", pictures[number % CHUNK])[1].tobytes())


def _lead_byte(character: str) -> int:
    try:
        return character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return 0
