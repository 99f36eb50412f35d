"""What one chooses before recognising: the model, the characters that count, the pad."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hanzi_core.bundle import CARD
from hanzi_core.errors import BundleError
from hanzi_core.language import gettext as _
from hanzi_core.language import sentences
from hanzi_core.recognition import FAVOUR_NAMES, VOCABULARY_NAMES, Favour, Preferences, Recogniser, Vocabulary
from pages.parts.choice import choose
from pages.parts.drawing import PEN_PX
from pages.parts.model_card import names_to_choose
from pages.parts.plain_text import escape

_OPEN_LIMIT = 4
"""Models in memory at once, whoever uses them."""


@st.cache_resource(show_spinner=False, max_entries=_OPEN_LIMIT)
def load_recogniser(folder: Path, changed: float) -> Recogniser:
    """One recogniser a server and bundle; a bundle that was written anew is loaded anew.

    Streamlit leaves out of the key what begins with an underscore: the time must not.
    """
    recogniser = Recogniser.open(folder)
    # What the first answer would have to wait for: the frequencies are read, the runtime takes its memory.
    blank = recogniser.see(np.zeros((8, 8), np.uint8))
    recogniser.answer([blank], Preferences())
    return recogniser


def choose_recogniser(bundles: dict[str, Path], complaints: DeltaGenerator) -> tuple[str, Recogniser] | None:
    """Key and recogniser of the chosen bundle; of the first that works where the chosen one is broken, and why."""
    chosen = choose(_("Model"), names_to_choose(bundles), "model")
    for key in [chosen, *bundles]:
        try:
            return key, load_recogniser(bundles[key], (bundles[key] / CARD).stat().st_mtime)
        except BundleError as error:
            if key == chosen:
                meanwhile = _("Another model answers meanwhile.")
                complaints.error(sentences(str(error), meanwhile), icon=":material/error:")
        except OSError:
            continue  # deleted since it was listed
    return None


def choose_preferences(known: Iterable[str]) -> Preferences:
    """Which characters count, and which are preferred in doubt; those that are in none of ``known`` are told."""
    vocabulary = st.selectbox(
        _("Characters that count"),
        format_func=lambda choice: _(VOCABULARY_NAMES[choice]),
        **kept_choice("vocabulary", list(Vocabulary), Vocabulary.ALL),
    )
    listed = ""
    if vocabulary is Vocabulary.LIST:
        listed = st.text_area(
            _("My list"), placeholder=_("Paste the characters here, in any order."), **kept("listed", "")
        )
        if not listed.strip():
            st.caption(_("The list is empty: until it is filled, all characters count."))
            vocabulary = Vocabulary.ALL
        if lacking := Preferences(listed=listed).lacking_words(known, escape):
            st.caption(lacking)
    favour = st.selectbox(
        _("In doubt prefer"),
        format_func=lambda choice: _(FAVOUR_NAMES[choice]),
        help=_("A picture may be 末 or 未: common characters suit running text, rare ones names and old texts."),
        **kept_choice("favour", list(Favour), Favour.COMMON),
    )
    return Preferences(vocabulary=vocabulary, listed="".join(listed.split()), favour=favour)


def choose_pad() -> None:
    """Pen and guide of the pad."""
    # As told, and not only when changed: in a new session the browser may tell what was set in the one before.
    st.session_state["kept-pen-px"] = st.slider(_("Pen width"), 4, 32, **kept("pen-px", PEN_PX))
    st.session_state["kept-guide"] = st.toggle(_("Guide lines"), **kept("guide", True))


def kept(name: str, default: Any) -> dict[str, Any]:
    """Settings for a widget that keeps its value when the page is left, which a widget of Streamlit's does not.

    What is set in the session alone is told to the browser once, and is lost if the widget is folded away by then: a
    popover that was opened after the next run had another pen and no guide.
    """
    key, stored = f"widget-{name}", f"kept-{name}"
    st.session_state[stored] = st.session_state.get(key, st.session_state.get(stored, default))
    return {"key": key, "value": st.session_state[stored], "on_change": _keep, "args": (key, stored)}


def kept_choice(name: str, choices: list[Any], default: Any) -> dict[str, Any]:
    """The same for one that chooses among ``choices``.

    Streamlit keeps a choice by its words. Those in another language are no choice of ours: it takes the one at
    ``index`` then, which is the one before.
    """
    key, stored = f"widget-{name}", f"kept-{name}"
    st.session_state.setdefault(stored, default)
    _keep_choice(key, stored, choices)
    index = choices.index(st.session_state[stored])
    return {"key": key, "options": choices, "index": index, "on_change": _keep_choice, "args": (key, stored, choices)}


def _keep_choice(key: str, stored: str, choices: list[Any]) -> None:
    if st.session_state.get(key) in choices:
        st.session_state[stored] = st.session_state[key]


def _keep(key: str, stored: str) -> None:
    st.session_state[stored] = st.session_state[key]
