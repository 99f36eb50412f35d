"""What every way of recognising needs at hand."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.recognition import Answer, Preferences, Recogniser
from hanzi_core.recognition.prototypes import PrototypeCache, TaughtCharacters
from hanzi_core.workspace import Workspace


@st.cache_resource(show_spinner=False)
def _prototypes() -> PrototypeCache:
    return PrototypeCache()


@dataclass(frozen=True)
class Desk:
    """The workspace, who answers, and what counts."""

    space: Workspace
    model: str
    """Key of the bundle."""
    recogniser: Recogniser
    preferences: Preferences

    def answer(self, seen: NDArray[np.uint8]) -> Answer:
        """The recogniser's answer to one picture, taught characters among its candidates."""
        own = self.recogniser.answer([seen], self.preferences)[0]
        return _prototypes().of(self.recogniser, TaughtCharacters(self.space)).consider(own)
