"""How often each character is written, from a list that the product brings along (see ``build_frequency.py``)."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FREQUENCY_FILE = Path(__file__).parent / "character_frequency.tsv"

RARE_PER_MILLION = 0.1
"""What a character that the list lacks is taken to be: nearly as frequent as the rarest that it has."""

STRENGTH = 0.15
"""Power of the frequency in the prior. At 1 a rare character could hardly be written at all: 的 is 2,500
times as frequent as 杓; at 0.15 it is favoured 3 times, enough to settle what the picture leaves open and no more."""


@cache
def frequencies_per_million() -> dict[str, float]:
    """Times a character occurs in a million characters of mixed text."""
    rows = (line.split("\t") for line in FREQUENCY_FILE.read_text("utf-8").splitlines())
    return {character: float(rate) for character, rate in rows}


def frequency_prior(labels: Sequence[str]) -> NDArray[np.float32]:
    """A factor for the probability of each label, ``float32 (labels,)``: ``frequency ** STRENGTH``."""
    known = frequencies_per_million()
    rates = np.array([max(known.get(label, 0.0), RARE_PER_MILLION) for label in labels], np.float32)
    return rates ** np.float32(STRENGTH)
