"""Teaching a character that no model knows: draw it three times, name it, and it is recognised at once."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.errors import HanziError
from hanzi_core.image.thumbnail import thumbnail
from hanzi_core.language import gettext as _
from hanzi_core.recognition.ink import Stroke, draw_strokes
from hanzi_core.recognition.prototypes import DRAWINGS, Taught, TaughtCharacters
from hanzi_core.workspace import Workspace
from pages.parts.ink_pad import SIDE_PX, drawing_of, show_ink_pad
from pages.parts.picture_address import picture_address
from pages.parts.plain_text import escape, show_error

_PAD = "teach-pad"
_DRAWN = "teach-drawn"
_NAME = "teach-name"
_PROBLEM = "teach-problem"
_SHOWN_PX = 48


@st.fragment
def show_taught(space: Workspace) -> None:
    """A pad to teach with, and all that was taught."""
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=SIDE_PX):
            _show_teaching(space)
        with st.container(width="stretch", key="taught"):
            _show_known(TaughtCharacters(space))


def _show_teaching(space: Workspace) -> None:
    drawn: list[NDArray[np.uint8]] = st.session_state.setdefault(_DRAWN, [])
    st.markdown(
        _("Draw a character that no model knows {count} times, each a little differently.").format(count=DRAWINGS)
    )
    strokes = show_ink_pad(_PAD)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Take drawing {number} of {count}").format(number=min(len(drawn) + 1, DRAWINGS), count=DRAWINGS),
            icon=":material/add:",
            disabled=not strokes or len(drawn) >= DRAWINGS,
            on_click=_take,
        )
        if drawn:
            st.button(_("Begin anew"), icon=":material/restart_alt:", on_click=drawn.clear)
    if drawn:
        with st.container(horizontal=True, gap="small"):
            for picture in drawn:
                # Not from the server, where it is gone when it is taught before the browser has asked for it.
                st.image(picture_address(picture), width=96)
    with st.form("teach", border=False):
        st.text_input(_("Name"), key=_NAME, max_chars=64, placeholder=_("the character, or a word for it"))
        st.form_submit_button(
            _("Teach"),
            type="primary",
            icon=":material/school:",
            disabled=len(drawn) < DRAWINGS,
            on_click=_teach,
            args=(space,),
        )
    # Empty rather than absent: a browser may keep what a page that was cut short no longer has.
    with st.empty():
        if drawn:  # once they are taught, nothing is wrong with them
            _show_problem("teach")


def _teach(space: Workspace) -> None:
    if len(st.session_state[_DRAWN]) < DRAWINGS:
        return  # heard twice
    with _problem_kept("teach"):
        taught = TaughtCharacters(space).add(st.session_state[_NAME], st.session_state[_DRAWN])
        st.toast(_("“{name}” is taught: draw it, and it is among the candidates.").format(name=escape(taught.label)))
        st.session_state[_DRAWN] = []
        st.session_state[_NAME] = ""


def _take() -> None:
    drawn: list[NDArray[np.uint8]] = st.session_state[_DRAWN]
    place = len(drawn)

    def keep(strokes: list[Stroke]) -> None:
        drawn[place:] = [draw_strokes(strokes, SIDE_PX)]

    drawing_of(_PAD).take(keep)  # nothing, if a click on a slow server is heard twice and the pad is empty


def _show_known(taught: TaughtCharacters) -> None:
    for each in taught.all():
        pictures = each.pictures()
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            with st.container(horizontal=True, wrap=False, width="content", gap="small"):
                for picture in pictures:
                    st.image(picture_address(thumbnail(picture, 2 * _SHOWN_PX)), width=_SHOWN_PX)
            _show_name(taught, each)
            if not (each.label and pictures):
                st.caption(_("Damaged, and so not recognised: delete it, and teach it again."))
        _show_problem(each.id)


def _show_name(taught: TaughtCharacters, each: Taught) -> None:
    key = f"taught-name-{each.id}"

    def rename() -> None:
        with _problem_kept(each.id):
            taught.rename(each.id, st.session_state[key])

    def delete() -> None:
        with _problem_kept(each.id):
            taught.delete(each.id)

    st.text_input(_("Name"), each.label, key=key, on_change=rename, label_visibility="collapsed", width=130)
    st.button(_("Delete"), icon=":material/delete:", key=f"taught-delete-{each.id}", on_click=delete)


@contextmanager
def _problem_kept(place: str) -> Iterator[None]:
    """Keep what is wrong for :func:`_show_problem`: what a callback shows lands at the top of the page."""
    st.session_state[_PROBLEM] = None
    try:
        yield
    except HanziError as error:
        st.session_state[_PROBLEM] = (place, str(error))


def _show_problem(place: str) -> None:
    problem = st.session_state.get(_PROBLEM)
    if problem and problem[0] == place:
        show_error(problem[1])
