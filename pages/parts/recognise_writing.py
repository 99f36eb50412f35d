"""The line of text that one writes by choosing candidates, whichever way they came about."""

from collections.abc import Callable

import streamlit as st

from hanzi_core.language import gettext as _
from pages.parts.copy_button import show_copy_button

_TEXT = "written"
_BOX = "written-box"

Write = Callable[[str], None]
"""Told which label to put at the end of the text."""


def write(label: str) -> None:
    """Put a character at the end of the text."""
    _set_text(st.session_state.get(_TEXT, "") + label)


def show_writing() -> None:
    """The text with copy and backspace; it can be typed into as well."""
    text = st.session_state.setdefault(_TEXT, "")
    if _BOX not in st.session_state:
        st.session_state[_BOX] = text
    with st.container(key="writing", horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.text_input(
            _("Text"),
            key=_BOX,
            on_change=lambda: st.session_state.update({_TEXT: st.session_state[_BOX]}),
            placeholder=_("Chosen characters"),
            label_visibility="collapsed",
            width="stretch",
        )
        st.button(
            _("Backspace"),
            icon=":material/backspace:",
            key="backspace",
            on_click=lambda: _set_text(text[:-1]),
            disabled=not text,
        )
        show_copy_button(text, key="copy", field=f".st-key-{_BOX} input")


def _set_text(text: str) -> None:
    st.session_state[_TEXT] = st.session_state[_BOX] = text
