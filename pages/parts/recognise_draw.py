"""Drawing a character: the pad, the candidates beside it, and the line of text that one writes with them."""

import time

import streamlit as st

from hanzi_core.language import gettext as _
from hanzi_core.recognition import Preferences, Recogniser
from hanzi_core.recognition.ink import draw_strokes
from pages.parts.candidates import show_candidates
from pages.parts.ink_pad import SIDE_PX, drawing_of, show_ink_pad
from pages.parts.recognise_writing import show_writing, write


@st.fragment
def show_draw(recogniser: Recogniser, preferences: Preferences) -> None:
    """Pad and answer; a fragment, so that a stroke redraws nothing else of the page."""
    show_writing()
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
    write(label)
    drawing_of("pad").clear()
