"""Forms that running and brush hands give a character beside its proper one; ``build_cursive.py`` makes the file."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hanzi_core.strokes.library import StrokeLibrary

CURSIVE_FILE = Path(__file__).parent / "cursive_forms.npz"

Forms = Mapping[str, Sequence[Sequence[NDArray[np.float32]]]]


@cache
def cursive_forms() -> Forms:
    """By character, forms as strokes ``float32 (n, 2)`` in the order of writing: unit square, y down.

    Raises:
        StrokeLibraryError: the file is missing or broken.
    """
    library = StrokeLibrary.load(CURSIVE_FILE)
    forms = defaultdict(list)
    for place, character in enumerate(library.characters):
        forms[character].append(library.strokes_at(place))
    return dict(forms)
