"""From a picture of one character to candidates."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.bundle import Bundle, Output, largest
from hanzi_core.errors import BundleError
from hanzi_core.image.normalise import is_blank, normalise
from hanzi_core.language import mark
from hanzi_core.recognition.preferences import PLAIN, Preferences

SURE = 0.7
"""Below this assurance an answer is said to be doubtful: ``python -m bench.doubt`` tells what it costs and saves."""

_SLANTS = (0.1, -0.1)
"""Shears under which an answer must hold: a scribble looks like something else then, a character does not."""

_LEAST_SUPPORT = 0.05
"""Share of the model's own belief that the characters which count must hold: of five allowed characters one is always
the most probable, whatever was scribbled."""

_KEPT_WEIGHTS = 8
_BATCH = 32


@dataclass(frozen=True)
class Candidate:
    """A class that a picture may show, and how probable the model finds it, 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True)
class Answer:
    """What a recogniser has to say of one picture."""

    seen: NDArray[np.uint8]
    """What the model was shown: ``uint8 (size, size)``, white ink on black."""
    candidates: tuple[Candidate, ...]
    """Best first; none for a blank picture."""
    assurance: float
    """The least probability of the first candidate, 0 to 1, as written and slanted a little either way."""
    is_sure: bool
    """Whether the first candidate is more likely right than wrong."""
    embedding: NDArray[np.float32]
    """``(dimensions,)``: the shape, as the model sees it."""


class Reader(Protocol):
    """Whoever answers to pictures: a recogniser, or one that knows taught characters as well."""

    def see(self, gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`Recogniser.see`."""

    def answer(self, seen: Sequence[NDArray[np.uint8]], preferences: Preferences, count: int = 10) -> list[Answer]:
        """See :meth:`Recogniser.answer`."""


class Recogniser:
    """A model bundle in memory, ready to answer; safe to share between threads."""

    def __init__(self, bundle: Bundle) -> None:
        """Load the bundle.

        Raises:
            BundleError: it is damaged.
        """
        self.bundle = bundle
        self._model = bundle.load()
        self._weights: dict[Preferences, NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> "Recogniser":
        """The recogniser of the bundle in ``folder``.

        Raises:
            BundleError: it is damaged.
        """
        return cls(Bundle.open(folder))

    def see(self, gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the model is shown of a picture ``(height, width)``: ``uint8`` ``(size, size)``, white ink on black."""
        return normalise(gray, self.bundle.card.image_size_px)

    def recognise(self, gray: NDArray[np.uint8], count: int = 5) -> list[Candidate]:
        """The ``count`` most probable classes of one character, best first; none for a blank picture.

        Args:
            gray: ``uint8`` of shape ``(height, width)``, ink of either polarity.
            count: How many candidates.
        """
        return list(self.answer([self.see(gray)], PLAIN, count)[0].candidates)

    def answer(self, seen: Sequence[NDArray[np.uint8]], preferences: Preferences, count: int = 10) -> list[Answer]:
        """Answers to pictures that :meth:`see` has prepared, ``count`` candidates each.

        Raises:
            BundleError: the model knows none of the characters that count.
        """
        answers: list[Answer] = []
        for start in range(0, len(seen), _BATCH):
            some = np.stack(seen[start : start + _BATCH])
            output = self._model.predict(some)
            slanted = [self._model.predict(slant(some, by)).probabilities for by in _SLANTS]
            answers += self._judge(some, output, slanted, self.weights(preferences), count)
        return answers

    def predict(self, seen: NDArray[np.uint8]) -> Output:
        """The model's own words on pictures ``uint8 (n, size, size)``, without preferences."""
        return self._model.predict(seen)

    def knows_any(self, preferences: Preferences) -> bool:
        """Whether any of the model's classes counts."""
        return bool(self._weights_of(preferences).any())

    def weights(self, preferences: Preferences) -> NDArray[np.float32]:
        """:meth:`Preferences.weights` for this model's labels.

        Raises:
            BundleError: all are 0.
        """
        if not self.knows_any(preferences):
            raise BundleError(
                mark("The model “{name}” knows none of the characters that count: let others count."),
                name=self.bundle.name,
            )
        return self._weights_of(preferences)

    def _weights_of(self, preferences: Preferences) -> NDArray[np.float32]:
        """The last ones are kept: they take milliseconds for thousands of labels."""
        with self._lock:
            if preferences not in self._weights:
                while len(self._weights) >= _KEPT_WEIGHTS:
                    self._weights.pop(next(iter(self._weights)))
                self._weights[preferences] = preferences.weights(self.bundle.labels)
            return self._weights[preferences]

    def _judge(
        self,
        seen: NDArray[np.uint8],
        output: Output,
        slanted: list[NDArray[np.float32]],
        weights: NDArray[np.float32],
        count: int,
    ) -> list[Answer]:
        support = output.probabilities @ (weights > 0)
        known = output.evidence >= self.bundle.card.least_evidence
        scores = _weigh(output.probabilities, weights)
        first = scores.argmax(axis=1)[:, np.newaxis]
        views = [scores, *(_weigh(probabilities, weights) for probabilities in slanted)]
        assurances = np.min([np.take_along_axis(view, first, axis=1) for view in views], axis=0)[:, 0]
        count = min(count, int(np.count_nonzero(weights)))
        answers = []
        sure = known & (support >= _LEAST_SUPPORT)
        rows = zip(seen, scores, sure, assurances, output.embedding, strict=True)
        for picture, row, may, assurance, embedding in rows:
            blank = is_blank(picture)
            best: NDArray[np.intp] | list[int] = [] if blank else largest(row, count)
            candidates = tuple(Candidate(self.bundle.labels[index], float(row[index])) for index in best)
            is_sure = bool(candidates) and bool(may) and float(assurance) >= SURE
            answers.append(Answer(picture, candidates, float(assurance), is_sure, embedding))
        return answers


def slant(images: NDArray[np.uint8], by: float) -> NDArray[np.uint8]:
    """Pictures ``(n, size, size)`` sheared about their middle; ``by`` is how far per unit of height."""
    size_px = images.shape[1]
    shear = np.array([[1, by, -by * (size_px - 1) / 2], [0, 1, 0]], np.float32)
    return np.stack([cv2.warpAffine(image, shear, (size_px, size_px)) for image in images])


def _weigh(probabilities: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities times weights, each row of sum 1 again, or all 0."""
    scores = probabilities * weights
    totals = scores.sum(axis=1, keepdims=True)
    return np.divide(scores, totals, out=np.zeros_like(scores), where=totals > 0)
