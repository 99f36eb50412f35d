"""What a person wants of a recogniser: which characters count, and which are preferred in doubt."""

from collections.abc import Callable, Iterable, Sequence
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.language import ngettext
from hanzi_core.recognition.frequency import Favour, frequency_prior
from hanzi_core.recognition.vocabulary import Vocabulary, allowed_labels, is_made_of

_NAMED = 30
"""Characters of one's own list that are named of those that the model lacks."""


class Preferences(BaseModel):
    """Applied to the scores of whatever model answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocabulary: Vocabulary = Field(Vocabulary.ALL, description="Which characters count.")
    listed: str = Field("", description="The characters of one's own list.")
    favour: Favour = Field(Favour.COMMON, description="What is preferred where the picture leaves it open.")

    def weights(self, labels: Sequence[str]) -> NDArray[np.float32]:
        """A factor for the probability of each label, ``float32 (labels,)``; 0 where it does not count."""
        allowed = allowed_labels(self.vocabulary, labels, self._characters())
        return np.where(allowed, frequency_prior(labels, self.favour), np.float32(0))

    def counts_taught(self, label: str) -> bool:
        """Whether a taught character counts: a chosen standard knows nothing of it, one's own list may leave it out."""
        return self.vocabulary is not Vocabulary.LIST or is_made_of(label, self._characters())

    def lacking(self, labels: Iterable[str]) -> list[str]:
        """The characters of one's own list that are in none of ``labels``, in their order."""
        known = set("".join(labels))
        listed = dict.fromkeys("".join(self.listed.split()))
        return [each for each in listed if known.isdisjoint(each + normalize("NFKC", each))]

    def lacking_words(self, labels: Iterable[str], written: Callable[[str], str] = str) -> str:
        """What to tell of :meth:`lacking`, the first of them by name as ``written``; empty where none is."""
        lacking = self.lacking(labels)
        if not lacking:
            return ""
        words = ngettext(
            "{count} of them is unknown to the model: {characters}",
            "{count} of them are unknown to the model: {characters}",
            len(lacking),
        )
        more = "" if len(lacking) <= _NAMED else " …"
        return words.format(count=len(lacking), characters=written("".join(lacking[:_NAMED])) + more)

    def _characters(self) -> frozenset[str]:
        """Those of one's own list, and what each stands for: a PDF holds ⼈, a radical (U+2F08), that looks like 人."""
        return frozenset(self.listed + normalize("NFKC", self.listed))


PLAIN = Preferences(favour=Favour.NONE)
"""The model's own probabilities, untouched: what figures are measured with."""
