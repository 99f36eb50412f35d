"""From a picture of one character to candidates."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hanzi_core.bundle import Bundle
from hanzi_core.image.normalise import is_blank, normalise


@dataclass(frozen=True)
class Candidate:
    """A class that a picture may show, and how probable the model finds it, 0 to 1."""

    label: str
    probability: float


class Recogniser:
    """A model bundle in memory, ready to answer; safe to share between threads."""

    def __init__(self, bundle: Bundle) -> None:
        """Load the bundle.

        Raises:
            BundleError: it is damaged.
        """
        self.bundle = bundle
        self._model = bundle.load()

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
        return self.recognise_seen(self.see(gray), count)

    def recognise_seen(self, seen: NDArray[np.uint8], count: int = 5) -> list[Candidate]:
        """:meth:`recognise` for a picture that :meth:`see` has prepared."""
        if is_blank(seen):
            return []
        probabilities = self._model.predict(seen[np.newaxis]).probabilities[0]
        best = np.argsort(-probabilities, kind="stable")[:count]
        return [Candidate(self.bundle.labels[index], float(probabilities[index])) for index in best]
