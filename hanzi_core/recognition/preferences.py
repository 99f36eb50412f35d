"""What a person wants of a recogniser: which characters count, and whether common ones come first."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.recognition.frequency import frequency_prior
from hanzi_core.recognition.vocabulary import Vocabulary, allowed_labels


class Preferences(BaseModel):
    """Applied to the scores of whatever model answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocabulary: Vocabulary = Field(Vocabulary.ALL, description="Which characters count.")
    listed: str = Field("", description="The characters of one's own list.")
    common_first: bool = Field(True, description="Prefer common characters where the picture leaves it open.")

    def weights(self, labels: Sequence[str]) -> NDArray[np.float32]:
        """A factor for the probability of each label, ``float32 (labels,)``; 0 where it does not count."""
        allowed = allowed_labels(self.vocabulary, labels, self.listed)
        prior = frequency_prior(labels) if self.common_first else np.ones(len(labels), np.float32)
        return np.where(allowed, prior, np.float32(0)).astype(np.float32)


PLAIN = Preferences(common_first=False)
"""The model's own probabilities, untouched: what figures are measured with."""
