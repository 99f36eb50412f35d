"""The line of text that one writes by choosing candidates, whichever way they came about."""

import time
from collections.abc import Callable

import streamlit as st

from hanzi_core.language import gettext as _
from pages.parts.copy_button import show_copy_button

_TEXT = "written"
_BOX = "written-box"
_BEFORE = "written-before"
_LATE_S = 1.0
"""So long after a change of ours the old text is taken for an echo: nobody has typed it again by then."""

Write = Callable[[str], None]
"""Told which label to put at the end of the text."""


def write(label: str) -> None:
    """Put a character at the end of the text."""
    _set_text(_text() + label)


def show_writing() -> None:
    """The text with copy and backspace; it can be typed into as well."""
    # A new session leaves the field what the browser tells: it may have been there before the server was started anew.
    if _BOX not in st.session_state and _TEXT in st.session_state:
        st.session_state[_BOX] = st.session_state[_TEXT]
    _overhear()
    with st.container(key="writing", horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        text = st.text_input(
            _("Text"),
            key=_BOX,
            placeholder=_("Chosen characters"),
            label_visibility="collapsed",
            width="stretch",
        )
        st.session_state[_TEXT] = text
        st.button(
            _("Backspace"),
            icon=":material/backspace:",
            key="backspace",
            on_click=lambda: _set_text(_text()[:-1]),
            disabled=not text,
        )
        show_copy_button(text, key="copy", field=f".st-key-{_BOX} input")


def _text() -> str:
    """The text as it is now: what was typed is told together with the click that follows it."""
    return str(st.session_state.get(_BOX, st.session_state.get(_TEXT, "")))


def _overhear() -> None:
    """Leave out the old text, which a browser that has not heard of our change tells with a stroke on its way."""
    before, changed = st.session_state.get(_BEFORE, ("", 0.0))
    if st.session_state.get(_BOX) == before and time.monotonic() - changed < _LATE_S:
        st.session_state[_BOX] = st.session_state[_TEXT]


def _set_text(text: str) -> None:
    st.session_state[_BEFORE] = _text(), time.monotonic()
    st.session_state[_TEXT] = st.session_state[_BOX] = text
