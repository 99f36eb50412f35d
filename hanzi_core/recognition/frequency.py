"""What is preferred where a picture leaves it open: common characters, or rare ones."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hanzi_core.language import mark
from hanzi_core.strokes.frequency import frequencies_per_million

RARE_PER_MILLION = 0.1
"""What a character that the list lacks is taken to be: nearly as frequent as the rarest that it has."""


class Favour(StrEnum):
    """Which characters are preferred in doubt; see :data:`FAVOUR_NAMES` for how each is shown."""

    COMMON = "common"
    NONE = "none"
    RARE = "rare"


FAVOUR_NAMES = {
    Favour.COMMON: mark("Common characters"),
    Favour.NONE: mark("What the model has learned"),
    Favour.RARE: mark("Rare characters"),
}

POWERS = {Favour.COMMON: 0.05, Favour.NONE: 0.0, Favour.RARE: -0.15}
"""Of the frequency in the prior. 的, 2,500 times as frequent as 杓, is favoured one and a half times by the first:
enough for a tie; the built-in model has learned what is common, and a stronger prior counts that twice. The
last takes most of what it has learned of it away again (docs/builtin-model.md, try 24)."""


def frequency_prior(labels: Sequence[str], favour: Favour) -> NDArray[np.float32]:
    """A factor for the probability of each label, ``float32 (labels,)``: a power of its frequency."""
    known = frequencies_per_million()
    rates = np.array([max(known.get(label, 0.0), RARE_PER_MILLION) for label in labels], np.float32)
    return rates ** np.float32(POWERS[favour])
