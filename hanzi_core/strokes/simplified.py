"""Which simplified form a traditional character has, from a table in the product (see ``build_simplified.py``)."""

from functools import cache
from pathlib import Path

SIMPLIFIED_FILE = Path(__file__).parent / "simplified.tsv"


def simplified(character: str) -> str:
    """The simplified form of a traditional character; any other, and what is no single character, as it is."""
    return _table().get(character, character)


@cache
def _table() -> dict[str, str]:
    return dict(line.split("\t") for line in SIMPLIFIED_FILE.read_text("utf-8").splitlines())
