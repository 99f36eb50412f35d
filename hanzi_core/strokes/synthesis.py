"""Datasets by the simulated hand: a new one, or pictures for the classes of one that have too few.

Every picture depends on its folder and name alone, so an interrupted synthesis is continued, and a larger one keeps
what a smaller one wrote. Another hand or seed, or another dataset to fill up, has other names, and so other pictures.
"""

import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.dataset import Dataset, rescan
from hanzi_core.dataset.listing import Report
from hanzi_core.dataset.statistics import all_class_counts
from hanzi_core.dataset.written import WRITTEN, are_written
from hanzi_core.errors import HanziError
from hanzi_core.image.normalise import is_blank, normalise
from hanzi_core.image.synthetic import encode_synthetic
from hanzi_core.language import mark
from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.character_sets import characters_named
from hanzi_core.strokes.cursive import cursive_forms
from hanzi_core.strokes.draw import draw
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.style import PRESETS, HandStyle, style_named
from hanzi_core.workspace import replace_file, writing

WRITING = mark("Writing characters")

MIXED = "mixed"
"""In the place of a preset: all of them by turns."""

CHUNK = 16
"""Pictures written together; a chunk is drawn whole even where only a part of it is wanted."""

_TRIES = 5
_PNG_END = b"IEND\xaeB`\x82"


class SynthesisError(HanziError):
    """A synthesis that cannot be done as asked."""


class SynthesisConfig(BaseModel):
    """What to write."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    characters: str = Field(
        "", description="Characters, repeated ones once; or gb2312-1, gb2312-2, big5-1, common-300, library."
    )
    per_class: int = Field(20, ge=1, le=100_000, description="Pictures a character.")
    style: str = Field("everyday", description="Preset of the hand, or mixed for all of them by turns.")
    adjust: dict[str, float | tuple[float, float]] = Field(
        default_factory=dict, description="Single values of the style that differ from the preset."
    )
    unknown: Literal["error", "skip"] = Field("error", description="What to do with characters the library lacks.")
    seed: int = Field(0, ge=0, description="The same seed writes the same pictures.")

    def styles(self) -> list[HandStyle]:
        """The presets that take turns, as adjusted.

        Raises:
            StyleError: there is no such preset or value, or it is out of range.
        """
        return [style_named(name, **self.adjust) for name in (PRESETS if self.style == MIXED else [self.style])]

    def tag(self, topped_up: str = "") -> str:
        """What the names of its files begin with, and all their randomness: another hand or seed has another.

        So has each dataset that is ``topped_up``, for what is in it already may be by the same hand and seed. A hand is
        known by its styles as adjusted, in whatever order, and whether or not by values that the preset has anyway.

        Raises:
            StyleError: there is no such preset or value, or it is out of range.
        """
        hand = " ".join([str(self.seed), *(style.model_dump_json() for style in self.styles()), topped_up])
        return f"synthetic-{self.style}-{zlib.crc32(hand.encode()):08x}"


class SynthesisResult(BaseModel):
    """What was written."""

    characters: int
    images: int
    """Those that were there already included."""
    skipped: str
    """Characters that the library lacks."""


def _untold(_phase: str, _done: int, _total: int) -> None:
    """Progress that nobody asked for."""


def synthesise(config: SynthesisConfig, folder: Path, report: Report = _untold) -> SynthesisResult:
    """Write PNG files ``folder/<character>/synthetic-<style>-<hand>-<number>.png``; what is there is left alone.

    Args:
        config: What to write.
        folder: Made where it is missing.
        report: Called with the phase, pictures done and in all.

    Raises:
        SynthesisError: no character is left, or one is unknown and ``config.unknown`` is ``error``.
        StyleError: there is no such style.
        WorkspaceError: no space left; what was written stays, whole.
    """
    tag = config.tag()
    counts, unknown = _sort_out(dict.fromkeys(characters_named(config.characters), config.per_class), config)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    _write(counts, config.styles(), tag, folder, report)
    return SynthesisResult(characters=len(counts), images=sum(counts.values()), skipped="".join(unknown))


def top_up(dataset: Dataset, config: SynthesisConfig, report: Report = _untold) -> SynthesisResult:
    """Write what each class of ``dataset`` lacks of ``config.per_class`` usable pictures, beside the real ones.

    A character of which there is no usable picture is a class too. It is scanned first: since the last time its source
    may have changed, and a top-up that was broken off has left what no manifest knows of.

    They lie in the dataset's own folder, not in its source; scan it again to have them in its manifest. Who else wants
    to top it up, or to remove what was written, waits.

    Raises:
        DatasetError: the source has gone; or the dataset has been deleted, or is deleted meanwhile.
        SynthesisError: no class has too few, none of them is in the library, or characters were given.
        StyleError: there is no such style.
        WorkspaceError: no space left; what was written stays, whole.
    """
    if config.characters:
        raise SynthesisError(mark("A dataset is topped up as a whole: leave the characters away."))
    tag = config.tag(dataset.name)
    with dataset.locked(WRITTEN):
        rescan(dataset, report)
        wanted = _to_write(dataset, config.per_class, tag)
        if not wanted:
            raise SynthesisError(
                mark("Every class of “{name}” has {count} pictures or more: ask for more a character."),
                name=dataset.name,
                count=config.per_class,
            )
        counts, unknown = _sort_out(wanted, config)
        with writing(dataset.written):
            dataset.written.mkdir(exist_ok=True)
        _write(counts, config.styles(), tag, dataset.written, report)
    return SynthesisResult(characters=len(counts), images=sum(counts.values()), skipped="".join(unknown))


def remove_written(dataset: Dataset) -> SynthesisResult:
    """Take away all that was written for ``dataset``; scan it again to have it leave the manifest too.

    Raises:
        DatasetError: the dataset has been deleted.
        WorkspaceError: its files cannot be removed.
    """
    with dataset.locked(WRITTEN), writing(dataset.written):
        pictures = list(dataset.written.glob("*/*.png"))
        if dataset.written.exists():
            shutil.rmtree(dataset.written)
    return SynthesisResult(characters=len({path.parent for path in pictures}), images=len(pictures), skipped="")


def write_character(
    character: str, styles: Sequence[HandStyle], count: int, rng: np.random.Generator
) -> list[NDArray[np.uint8]]:
    """``count`` gray pictures of ``character``, each by a writer of its own, ``uint8 (height, width)`` of varying size.

    The ``styles`` take turns. One on which the normalisation finds no ink, about one in 4,000, is written again.

    Raises:
        StrokeLibraryError: the library lacks the character.
    """
    used = [styles[number % len(styles)] for number in range(count)]
    pictures = _write_once(character, used, rng)
    for _ in range(_TRIES):
        faint = [number for number, picture in enumerate(pictures) if is_blank(normalise(picture))]
        if not faint:
            break
        again = _write_once(character, [used[number] for number in faint], rng)
        for number, picture in zip(faint, again, strict=True):
            pictures[number] = picture
    return pictures


def _write_once(character: str, styles: Sequence[HandStyle], rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    path = _hand(character).write(np.zeros(len(styles), np.int64), styles, rng)
    return list(draw(path, list(styles), rng))


def _write(counts: Mapping[str, int], styles: Sequence[HandStyle], tag: str, folder: Path, report: Report) -> None:
    """Complete the folder of each character to its count.

    ``folder`` must be there: if it were made, a dataset that is deleted meanwhile would come back as half of one.
    """
    total = sum(counts.values())
    done = 0
    for character, count in counts.items():
        target = folder / character
        with writing(target):
            target.mkdir(exist_ok=True)
        for written in _complete(target, character, count, styles, tag):
            done += written
            report(WRITING, done, total)


def _to_write(dataset: Dataset, per_class: int, tag: str) -> dict[str, int]:
    """How many pictures with this ``tag`` each class needs that has too few, those that it has already included."""
    manifest = dataset.manifest(["path", "label", "fault", "excluded"])
    own = are_written(manifest["path"]) & manifest["path"].str.contains(f"/{tag}-", regex=False)
    counts = all_class_counts(manifest).sort_index()
    held = manifest.loc[own, "label"].value_counts()  # excluded ones too: they keep their names, and others follow
    lacking = per_class - counts[counts < per_class]
    return {str(label): int(count + held.get(label, 0)) for label, count in lacking.items()}


def _complete(folder: Path, character: str, count: int, styles: Sequence[HandStyle], tag: str) -> Iterator[int]:
    """Write what ``folder`` lacks of ``count`` pictures, and say after each chunk how many more are there."""
    for chunk in range(-(-count // CHUNK)):
        numbers = range(chunk * CHUNK, min((chunk + 1) * CHUNK, count))
        paths = {number: folder / f"{tag}-{number:05d}.png" for number in numbers}
        missing = [number for number in numbers if not _is_whole(paths[number])]
        if missing:
            rng = np.random.default_rng([*tag.encode(), ord(character), chunk])
            pictures = write_character(character, styles, CHUNK, rng)
        for number in missing:
            replace_file(paths[number], encode_synthetic(pictures[number % CHUNK]), durable=False)
        yield len(numbers)


def _is_whole(path: Path) -> bool:
    """Whether a picture is there to its end; a machine that went down may leave an empty file."""
    try:
        return path.read_bytes().endswith(_PNG_END)
    except FileNotFoundError:
        return False


@lru_cache(maxsize=64)
def _hand(character: str) -> Hand:
    return Hand(study(StrokeLibrary.load(), character, cursive_forms()))


def _sort_out(wanted: Mapping[str, int], config: SynthesisConfig) -> tuple[dict[str, int], list[str]]:
    """The counts of what the library has, and what it lacks."""
    library = StrokeLibrary.load()
    known = {character: count for character, count in wanted.items() if character in library}
    unknown = [character for character in wanted if character not in library]
    if unknown and config.unknown == "error":
        raise SynthesisError(
            mark("The stroke library has no {characters}: leave them out, or skip what it lacks."),
            characters=" ".join(unknown[:20]),
        )
    if not known:
        raise SynthesisError(mark("There is no character to write: give some that the stroke library has."))
    return known, unknown
