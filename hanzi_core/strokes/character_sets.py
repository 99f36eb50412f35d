"""Sets of characters by name, for a dataset to be written of."""

import re
import unicodedata
from pathlib import Path

from hanzi_core.dataset.entry import is_unicode
from hanzi_core.errors import HanziError
from hanzi_core.language import mark
from hanzi_core.strokes.frequency import frequencies_per_million
from hanzi_core.strokes.library import StrokeLibrary

WHOLE_LIBRARY = "library"

LEVELS = {
    "gb2312-1": ("gb2312", 0xB0, 0xD7),
    "gb2312-2": ("gb2312", 0xD8, 0xF7),
    "big5-1": ("big5", 0xA4, 0xC6),
}
"""Codec, and first bytes of a level: of GB/T 2312-1980, 3,755 simplified characters in common use and 3,008 more; of
Big5, 5,401 traditional ones in common use, of which the library has 5,105."""

HSK_SIZES = (300, 600, 900, 1200, 1500, 1800, 3000)
"""Characters to know at levels 1 to 6 and 9 of the Chinese proficiency standard GF 0025-2021, lower levels included."""

_SIDE_FORMS = "氵亻扌忄犭纟讠钅饣辶灬艹冫彳罒覀爫礻衤攵夂丷乛乚卩阝"
"""Forms that radicals take beside or above the rest; Unicode's blocks of radicals do not lead to all of them."""

_COMMON = re.compile(r"common-(\d{1,9})")


class CharacterSetError(HanziError):
    """A set of characters that there is not."""


def characters_named(text: str) -> list[str]:
    """The characters that ``text`` names: a set's, or its own in order without repeats and white space.

    Sets are :data:`LEVELS`, ``library`` for all of the stroke library, and ``common-300`` or any other number for the
    most frequent simplified characters.

    Raises:
        CharacterSetError: no such set, or not as many common characters; or what was typed is no UTF-8.
    """
    if not is_unicode(text):
        raise CharacterSetError(mark("The characters are in a wrong encoding: give them in UTF-8."))
    name = text.strip()
    if name == WHOLE_LIBRARY:
        return list(StrokeLibrary.load().characters)
    if name in LEVELS:
        codec, first, last = LEVELS[name]
        library = StrokeLibrary.load().characters
        return [character for character in library if first <= _lead_byte(character, codec) <= last]
    if common := _COMMON.fullmatch(name):
        return _most_frequent(int(common[1]))
    if name.isascii() and name:
        sets = ", ".join([*LEVELS, "common-300", WHOLE_LIBRARY])
        raise CharacterSetError(mark("There is no set “{name}”: choose one of {sets}."), name=name, sets=sets)
    return list(dict.fromkeys("".join(text.split())))


def read_characters(path: Path) -> list[str]:
    """The characters that the text file ``path`` names; see :func:`characters_named`.

    Raises:
        CharacterSetError: it cannot be read, names none, or a set that there is not.
    """
    try:
        found = characters_named(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        found = []
    if not found:
        raise CharacterSetError(mark("{file} cannot be read: give a text file of characters in UTF-8."), file=path)
    return found


def _most_frequent(count: int) -> list[str]:
    library = StrokeLibrary.load()
    frequent = [c for c in frequencies_per_million() if _lead_byte(c, "gb2312") and c in library]
    if not 0 < count <= len(frequent):
        raise CharacterSetError(
            mark("There is no set common-{count}: ask for 1 to {most} characters."), count=count, most=len(frequent)
        )
    return frequent[:count]


def _lead_byte(character: str, codec: str) -> int:
    """The first of two bytes; 0 for a character that the codec lacks or has in one byte."""
    code = character.encode(codec, "ignore")
    return code[0] if len(code) == 2 else 0


def bare_components() -> list[str]:
    """What the library has of radicals that hardly ever stand by themselves: less than once in 4 million characters."""
    blocks = (unicodedata.normalize("NFKC", chr(code)) for code in range(0x2E80, 0x2FE0))
    rates, library = frequencies_per_million(), StrokeLibrary.load()
    seldom = {character for character in blocks if rates.get(character, 0.0) < 0.25}
    return sorted(character for character in seldom | set(_SIDE_FORMS) if character in library)
