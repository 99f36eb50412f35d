"""Make ``simplified.tsv``: the simplified form of each traditional character.

    python -m hanzi_core.strokes.build_simplified TSCharacters.txt

The table is that of OpenCC (Apache licence 2.0), as the package ``opencc-python-reimplemented`` 0.1.7 has it; where it
names several forms the first is taken.
"""

import sys
from pathlib import Path

from hanzi_core.strokes.simplified import SIMPLIFIED_FILE
from hanzi_core.workspace import replace_file


def first_forms(table: str) -> str:
    """Lines ``traditional<tab>simplified``, in order of ``table``, whose lines are ``traditional<tab>simplified …``."""
    pairs = (line.split("\t") for line in table.splitlines())
    firsts = ((traditional, forms.split(" ")[0]) for traditional, forms in pairs)
    return "".join(f"{traditional}\t{form}\n" for traditional, form in firsts if form != traditional)


if __name__ == "__main__":
    replace_file(SIMPLIFIED_FILE, first_forms(Path(sys.argv[1]).read_text("utf-8")).encode())
