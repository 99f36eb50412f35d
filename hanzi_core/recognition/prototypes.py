"""Characters taught by a few drawings: recognised at once, without training, beside a model's own classes.

A taught character is the mean direction of its drawings in the model's embedding (prototypical networks, Snell et al.
2017, arXiv 1703.05175). The drawings are kept, not the embeddings, so that they serve any model.

    taught/<id>/    name.json, 0.png, 1.png, …
"""

import contextlib
import secrets
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from hanzi_core.bundle import LABEL_LENGTH_LIMIT
from hanzi_core.errors import ImageError, WorkspaceError
from hanzi_core.image.decode import decode
from hanzi_core.image.normalise import is_blank
from hanzi_core.language import mark
from hanzi_core.recognition.preferences import PLAIN, Preferences
from hanzi_core.recognition.recogniser import SURE, Answer, Candidate, Recogniser
from hanzi_core.workspace import Workspace, replace_file, replace_json, writing

DRAWINGS = 3
"""To be drawn of a new character; ``python -m bench.doubt`` tells how well three do."""

_NAME = "name.json"
_STEEPNESS = 0.04
"""How fast a likeness turns into certainty around :attr:`Card.taught_likeness`, at which it is even."""


@dataclass(frozen=True)
class Taught:
    """A character that was taught."""

    id: str
    label: str
    """Empty where it cannot be read: damaged by hand, or deleted by now."""
    drawings: tuple[Path, ...]

    def pictures(self) -> list[NDArray[np.uint8]]:
        """The drawings that can be read, each ``uint8 (height, width)``."""
        found = []
        for path in self.drawings:
            with contextlib.suppress(OSError, ImageError):
                found.append(decode(path.read_bytes(), path.name))
        return found


class _Name(BaseModel):
    """What a taught character is called, as its file says."""

    label: str


class TaughtCharacters:
    """All that was taught in a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.folder = workspace.root / "taught"

    def add(self, label: str, drawings: Sequence[NDArray[np.uint8]]) -> Taught:
        """Keep a character with its drawings, each ``uint8 (height, width)``.

        Raises:
            WorkspaceError: no name, no drawings, or the disk is full.
        """
        label = _check_label(label)
        if not drawings:
            raise WorkspaceError(mark("Draw the character at least once."))
        folder = self.folder / secrets.token_hex(6)
        with writing(folder):
            folder.mkdir(parents=True)
            for number, drawing in enumerate(drawings):
                replace_file(folder / f"{number}.png", cv2.imencode(".png", drawing)[1].tobytes())
            self._write_name(folder.name, label)
        return _read(folder)

    def all(self) -> list[Taught]:
        """Every taught character, by its name; damaged ones too, so that they can be mended or deleted."""
        found = [_read(path.parent) for path in self.folder.glob(f"*/{_NAME}")]
        return sorted(found, key=lambda each: (each.label, each.id))

    def rename(self, taught_id: str, label: str) -> None:
        """Call it ``label`` from now on.

        Raises:
            WorkspaceError: that is no name.
        """
        self._write_name(taught_id, _check_label(label))

    def delete(self, taught_id: str) -> None:
        """Forget it.

        Raises:
            WorkspaceError: the disk does not let us.
        """
        folder = self.folder / taught_id
        with writing(folder):
            (folder / _NAME).unlink(missing_ok=True)  # first: without a name, what an interruption leaves is not read
        shutil.rmtree(folder, ignore_errors=True)

    def version(self) -> tuple[tuple[str, str], ...]:
        """Changes with every change: what was made of the list may be kept until then."""
        return tuple((each.id, each.label) for each in self.all())

    def _write_name(self, taught_id: str, label: str) -> None:
        replace_json(self.folder / taught_id / _NAME, _Name(label=label).model_dump())


class TaughtRecogniser:
    """A recogniser that knows taught characters as well as the classes of its model."""

    def __init__(self, recogniser: Recogniser, taught: Sequence[Taught]) -> None:
        """Embed the drawings of ``taught``; one without a name, or a drawing that can be read, is left out."""
        self._recogniser = recogniser
        self._halfway = recogniser.bundle.card.taught_likeness
        sound = [(each.label, pictures) for each in taught if each.label and (pictures := each.pictures())]
        self._labels = [label for label, _pictures in sound]
        rows = [_direction(recogniser, pictures) for _label, pictures in sound]
        self._directions = np.stack(rows) if rows else None

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of its model, and what was taught."""
        return (*self._recogniser.bundle.labels, *self._labels)

    def see(self, gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`Recogniser.see`."""
        return self._recogniser.see(gray)

    def answer(self, seen: Sequence[NDArray[np.uint8]], preferences: Preferences, count: int = 10) -> list[Answer]:
        """As :meth:`Recogniser.answer`, taught characters among the candidates: as probable as they are like each.

        Of one's own list they count where each of their characters is on it, also where the model knows none of those.

        Raises:
            BundleError: neither the model nor what was taught knows any of the characters that count.
        """
        counting = [place for place, label in enumerate(self._labels) if preferences.counts_taught(label)]
        if counting and not self._recogniser.knows_any(preferences):
            shapes = self._recogniser.answer(seen, PLAIN, 0)
            own = [replace(each, assurance=0.0, is_sure=False) for each in shapes]
        else:
            own = self._recogniser.answer(seen, preferences, count)
        return [self._consider(each, counting, count) for each in own]

    def _consider(self, answer: Answer, counting: list[int], count: int) -> Answer:
        if self._directions is None or not counting or is_blank(answer.seen):
            return answer
        likeness = self._directions[counting] @ (answer.embedding / np.linalg.norm(answer.embedding))
        probabilities = 1 / (1 + np.exp((self._halfway - likeness.astype(np.float64)) / _STEEPNESS))
        taught = _best_of_each([self._labels[place] for place in counting], probabilities)
        # What the taught ones claim is taken from the model's own classes; among themselves they share it.
        claimed = max(taught.values())
        share = claimed / sum(taught.values())
        own = [Candidate(each.label, each.probability * (1 - claimed)) for each in answer.candidates]
        mine = [Candidate(label, probability * share) for label, probability in taught.items()]
        merged = _merged([*mine, *own])[:count]
        # What the model doubts is sure only if it is like what was taught: a scribble is not, whatever its label.
        likely = answer.is_sure or taught.get(merged[0].label, 0.0) * share >= SURE
        sure = merged[0].probability >= SURE and likely
        return replace(answer, candidates=tuple(merged), is_sure=sure)


class TaughtCache:
    """What the last recognisers make of the taught characters; made anew when something was taught."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[Recogniser, object, TaughtRecogniser]] = {}

    def of(self, recogniser: Recogniser, taught: TaughtCharacters) -> TaughtRecogniser:
        """``recogniser`` with the characters that are taught by now."""
        version = (taught.folder, taught.version())
        with self._lock:
            kept = self._kept.get(id(recogniser))
            if kept and kept[0] is recogniser and kept[1] == version:
                return kept[2]
            made = TaughtRecogniser(recogniser, taught.all())
            self._kept = {**dict(list(self._kept.items())[-3:]), id(recogniser): (recogniser, version, made)}
            return made


def _direction(recogniser: Recogniser, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    seen = np.stack([recogniser.see(each) for each in pictures])
    embedding = recogniser.predict(seen).embedding
    mean = (embedding / np.linalg.norm(embedding, axis=1, keepdims=True)).mean(axis=0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)


def _best_of_each(labels: Sequence[str], probabilities: NDArray[np.float64]) -> dict[str, float]:
    best: dict[str, float] = {}
    for label, probability in zip(labels, probabilities, strict=True):
        best[label] = max(best.get(label, 0.0), float(probability))
    return best


def _merged(candidates: list[Candidate]) -> list[Candidate]:
    """Best first; a taught character that the model knows as well has the sum of both."""
    sums: dict[str, float] = {}
    for each in candidates:
        sums[each.label] = min(1.0, sums.get(each.label, 0.0) + each.probability)
    return sorted((Candidate(label, value) for label, value in sums.items()), key=lambda each: -each.probability)


def _read(folder: Path) -> Taught:
    label = ""
    drawings: tuple[Path, ...] = ()
    with contextlib.suppress(OSError, ValidationError):
        drawings = tuple(sorted(folder.glob("*.png")))
        label = _Name.model_validate_json((folder / _NAME).read_bytes()).label
    return Taught(folder.name, label, drawings)


def _check_label(label: str) -> str:
    clean = label.strip()
    if not 0 < len(clean) <= LABEL_LENGTH_LIMIT or not clean.isprintable():
        raise WorkspaceError(
            mark("“{name}” cannot name a character: use 1 to {limit} letters."),
            name=clean[:40],
            limit=LABEL_LENGTH_LIMIT,
        )
    return clean
