"""Drawing a character: the pad, the candidates beside it, and the line of text that one writes with them."""

import time

import streamlit as st

from hanzi_core.language import gettext as _
from hanzi_core.recognition import Preferences, Recogniser
from hanzi_core.recognition.ink import draw_strokes
from pages.parts.candidates import show_candidates
from pages.parts.copy_button import show_copy_button
from pages.parts.ink_pad import SIDE_PX, drawing_of, show_ink_pad

_WRITTEN = "written"
_BOX = "written-box"


@st.fragment
def show_draw(recogniser: Recogniser, preferences: Preferences) -> None:
    """Pad and answer; a fragment, so that a stroke redraws nothing else of the page."""
    _show_writing()
    with st.container(key="draw", horizontal=True, gap="medium"):
        with st.container(width=SIDE_PX):
            strokes = show_ink_pad()
        answer = st.container(key="answer", width="stretch")
    with answer:
        if not strokes:
            st.caption(_("Draw one character; the answer comes after each stroke."))
            return
        started = time.perf_counter()
        found = recogniser.answer([recogniser.see(draw_strokes(strokes, SIDE_PX))], preferences)[0]
        elapsed_ms = (time.perf_counter() - started) * 1000
        show_candidates(found, _write)
        st.caption(_("Recognised in {time} ms").format(time=f"{elapsed_ms:.1f}"))


def _write(label: str) -> None:
    """Put a character at the end of the text, and the pad ready for the next."""
    _set_text(st.session_state.get(_WRITTEN, "") + label)
    drawing_of("pad").clear()


def _set_text(text: str) -> None:
    st.session_state[_WRITTEN] = st.session_state[_BOX] = text


def _show_writing() -> None:
    """The text with copy and backspace; it can be typed into as well."""
    text = st.session_state.setdefault(_WRITTEN, "")
    if _BOX not in st.session_state:
        st.session_state[_BOX] = text
    with st.container(key="writing", horizontal=True, vertical_alignment="center", gap="small"):
        st.text_input(
            _("Text"),
            key=_BOX,
            on_change=lambda: st.session_state.update({_WRITTEN: st.session_state[_BOX]}),
            placeholder=_("The characters you choose are written here."),
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
        show_copy_button(text, key="copy")
