"""Make ``character_frequency.tsv``: how often each character is written.

    python -m hanzi_core.strokes.build_frequency jieba/dict.txt TSCharacters.txt

Counts of words come from ``jieba`` 0.42.1 (MIT licence, © Sun Junyi), the counts of traditional forms from those of
their simplified ones by the table of OpenCC (Apache licence 2.0).
"""

import sys
from collections import Counter
from pathlib import Path

from hanzi_core.strokes.frequency import FREQUENCY_FILE
from hanzi_core.workspace import replace_file

_FIRST_HAN, _LAST_HAN = "\u3400", "\u9fff"


def count_characters(words: str) -> Counter[str]:
    """How often each Chinese character stands in the text that a list of ``word count class`` lines was counted in."""
    counts: Counter[str] = Counter()
    for line in words.splitlines():
        word, count, *_ = line.split(" ")
        for character in word:
            if _FIRST_HAN <= character <= _LAST_HAN:
                counts[character] += int(count)
    return counts


def add_traditional(counts: Counter[str], table: str) -> Counter[str]:
    """``counts`` with each traditional form as frequent as its simplified one; lines ``traditional<tab>simplified …``.

    A form whose simplified one is itself in use in traditional text (后 beside 後) is given a tenth.
    """
    whole = counts.copy()
    for line in table.splitlines():
        traditional, simplified = line.split("\t")
        shares = (counts[form] // (10 if form.encode("big5", "ignore") else 1) for form in simplified.split(" "))
        whole[traditional] = max(counts[traditional], *shares)
    return whole


def write_frequency(counts: Counter[str], target: Path) -> None:
    """Write ``character<tab>times in a million``, the most frequent first."""
    total = counts.total()
    rows = [(character, count * 1e6 / total) for character, count in counts.most_common() if count]
    lines = [f"{character}\t{rate:.3g}" for character, rate in rows if len(character) == 1]
    replace_file(target, ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    word_list, variant_table = (Path(name).read_text("utf-8") for name in sys.argv[1:3])
    write_frequency(add_traditional(count_characters(word_list), variant_table), FREQUENCY_FILE)
