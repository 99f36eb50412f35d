"""Common characters first: what the frequency of a character adds to what its picture says."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hanzi_core.strokes.frequency import frequencies_per_million

RARE_PER_MILLION = 0.1
"""What a character that the list lacks is taken to be: nearly as frequent as the rarest that it has."""

STRENGTH = 0.15
"""Power of the frequency in the prior. At 1 a rare character could hardly be written at all: 的 is 2,500
times as frequent as 杓; at 0.15 it is favoured 3 times, enough to settle what the picture leaves open and no more."""


def frequency_prior(labels: Sequence[str]) -> NDArray[np.float32]:
    """A factor for the probability of each label, ``float32 (labels,)``: ``frequency ** STRENGTH``."""
    known = frequencies_per_million()
    rates = np.array([max(known.get(label, 0.0), RARE_PER_MILLION) for label in labels], np.float32)
    return rates ** np.float32(STRENGTH)
