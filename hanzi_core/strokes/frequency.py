"""How often each character is written, from a list that the product brings along (see ``build_frequency.py``)."""

from functools import cache
from pathlib import Path

FREQUENCY_FILE = Path(__file__).parent / "character_frequency.tsv"


@cache
def frequencies_per_million() -> dict[str, float]:
    """Times a character occurs in a million characters of mixed text."""
    rows = (line.split("\t") for line in FREQUENCY_FILE.read_text("utf-8").splitlines())
    return {character: float(rate) for character, rate in rows}
