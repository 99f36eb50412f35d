"""Which characters count: a choice that is applied to the scores of any model, not another model."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hanzi_core.language import mark


def _rows(codec: str, first: int, last: int, columns: range) -> Iterator[str]:
    """The Chinese characters of a two-byte code whose lead byte is ``first`` to ``last``."""
    for row in range(first, last + 1):
        for column in columns:
            character = bytes([row, column]).decode(codec, errors="replace")
            if "\u4e00" <= character <= "\u9fff":  # no code, a Latin letter, or a duplicate kept for round trips
                yield character


# The standards order characters in rows: 16 to 55 of GB 2312 are its level 1, to 87 its level 2 (row = byte - 0xA0).
GB2312_LEVEL_1 = frozenset(_rows("gb2312", 0xB0, 0xD7, range(0xA1, 0xFF)))
"""The 3,755 simplified characters of everyday text."""
GB2312 = GB2312_LEVEL_1 | frozenset(_rows("gb2312", 0xD8, 0xF7, range(0xA1, 0xFF)))
"""The 6,763 simplified characters of GB 2312-1980."""
BIG5 = frozenset(_rows("big5", 0xA4, 0xF9, range(0x40, 0xFF)))
"""The 13,051 traditional characters of Big5 (it lists two of its 13,053 twice)."""


class Vocabulary(StrEnum):
    """A choice of characters; see :data:`VOCABULARY_NAMES` for how each is shown."""

    ALL = "all"
    SIMPLIFIED = "simplified"
    TRADITIONAL = "traditional"
    GB2312_LEVEL_1 = "gb2312-1"
    LIST = "list"


VOCABULARY_NAMES = {
    Vocabulary.ALL: mark("All that the model knows"),
    Vocabulary.SIMPLIFIED: mark("Simplified (GB 2312)"),
    Vocabulary.TRADITIONAL: mark("Traditional (Big5)"),
    Vocabulary.GB2312_LEVEL_1: mark("Everyday simplified (GB 2312, level 1)"),
    Vocabulary.LIST: mark("My own list"),
}

_CHARACTERS = {
    Vocabulary.SIMPLIFIED: GB2312,
    Vocabulary.TRADITIONAL: BIG5,
    Vocabulary.GB2312_LEVEL_1: GB2312_LEVEL_1,
}


def allowed_labels(
    vocabulary: Vocabulary, labels: Sequence[str], listed: frozenset[str] = frozenset()
) -> NDArray[np.bool_]:
    """Which of ``labels`` count, ``bool (labels,)``; ``listed`` are the characters of :attr:`Vocabulary.LIST`."""
    if vocabulary is Vocabulary.ALL:
        return np.ones(len(labels), bool)
    characters = listed if vocabulary is Vocabulary.LIST else _CHARACTERS[vocabulary]
    return np.array([is_made_of(label, characters) for label in labels], bool)


def is_made_of(label: str, characters: frozenset[str]) -> bool:
    """Whether each character of ``label``, which may be a word, is one of ``characters``."""
    return characters.issuperset("".join(label.split()))
