"""What every way of recognising needs at hand."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.recognition import Answer, Preferences, Reader, Recogniser
from hanzi_core.recognition.photo import Find, Read, read_photos
from hanzi_core.recognition.prototypes import TaughtCache, TaughtCharacters
from hanzi_core.workspace import Workspace


@st.cache_resource(show_spinner=False)
def _taught_cache() -> TaughtCache:
    return TaughtCache()


@dataclass(frozen=True)
class Desk:
    """The workspace, who answers, and what counts."""

    space: Workspace
    model: str
    """Key of the bundle."""
    recogniser: Recogniser
    preferences: Preferences

    def reader(self) -> Reader:
        """The recogniser with the characters that are taught by now."""
        return _taught_cache().of(self.recogniser, TaughtCharacters(self.space))

    def answer(self, seen: NDArray[np.uint8]) -> Answer:
        """What the reader says of one picture."""
        return self.reader().answer([seen], self.preferences)[0]

    def read(self, picture: NDArray[np.uint8], find: Find) -> Read:
        """The same of one that was uploaded, maybe a photo; ``find`` as in :func:`read_photos`."""
        return read_photos(self.reader(), [picture], self.preferences, find=find)[0]
