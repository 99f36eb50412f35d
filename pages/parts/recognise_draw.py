"""Drawing a character: the pad, the candidates beside it, and the line of text that one writes with them."""

import hashlib
import time

import streamlit as st

from hanzi_core.language import gettext as _
from hanzi_core.language import ngettext
from hanzi_core.recognition.ink import Stroke, draw_strokes
from pages.parts.candidates import show_candidates
from pages.parts.ink_pad import SIDE_PX, drawing_of, show_ink_pad
from pages.parts.recognise_correct import show_correct
from pages.parts.recognise_desk import Desk
from pages.parts.recognise_why import show_why
from pages.parts.recognise_writing import show_writing, write
from pages.parts.session import errors_shown


@st.fragment
def show_draw(desk: Desk) -> None:
    """Pad and answer; a fragment, so that a stroke redraws nothing else of the page."""
    show_writing()
    with st.container(key="draw", horizontal=True, gap="medium"):
        with st.container(width=SIDE_PX):
            strokes = show_ink_pad()
        side = st.container(key="answer", width="stretch")
    with side, errors_shown():  # those of a fragment do not reach the page
        _show_answer(desk, strokes)


def _show_answer(desk: Desk, strokes: list[Stroke]) -> None:
    if not strokes:
        st.caption(_("Draw one character; the answer comes after each stroke."))
        return
    started = time.perf_counter()
    picture = draw_strokes(strokes, SIDE_PX)
    found = desk.answer(desk.recogniser.see(picture))
    elapsed_ms = (time.perf_counter() - started) * 1000
    show_candidates(found, _write)
    with st.container(horizontal=True, vertical_alignment="center"):
        digest = hashlib.blake2b(picture.tobytes(), digest_size=6).hexdigest()
        show_correct(desk, picture, found, strokes, place=digest, write=_write)
        words = ngettext(
            "{count} stroke, recognised in {time} ms", "{count} strokes, recognised in {time} ms", len(strokes)
        )
        st.caption(words.format(count=len(strokes), time=f"{elapsed_ms:.1f}"))
    show_why(desk, found)


def _write(label: str) -> None:
    """Put a character at the end of the text, and the pad ready for the next."""
    drawing = drawing_of("pad")
    if drawing.objects:  # none, if a click is heard twice
        write(label)
        drawing.clear()
