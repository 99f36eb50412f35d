"""“It should be …”: keeping a wrong answer with the right one."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.language import gettext as _
from hanzi_core.recognition import Answer
from hanzi_core.recognition.corrections import NAME, Correction, Corrections
from hanzi_core.recognition.ink import Stroke
from pages.parts.recognise_desk import Desk
from pages.parts.session import errors_shown

_LAST = "last-correction"


def show_correct(
    desk: Desk,
    picture: NDArray[np.uint8],
    answer: Answer,
    strokes: list[Stroke] | None = None,
    *,
    key: str = "",
    said: Callable[[str], None] = lambda _label: None,
) -> None:
    """A button that asks for the right answer; what was kept of this picture is told, and can be taken back.

    It asks in a dialog: where there is no room below the button, as on a phone, a popover is cut to a strip. ``said``
    is told the label that was kept, and an empty one when that is taken back.
    """
    if st.button(_("It should be …"), icon=":material/edit:", key=f"{key}correct-open"):
        st.dialog(_("It should be …"))(_ask)(desk, picture, answer, strokes, key=key, said=said)
    kept = st.session_state.get(_LAST)
    if kept and np.array_equal(kept[0], picture):
        _show_kept(desk, kept[1], key, said)


def _ask(
    desk: Desk,
    picture: NDArray[np.uint8],
    answer: Answer,
    strokes: list[Stroke] | None,
    *,
    key: str,
    said: Callable[[str], None],
) -> None:
    """A candidate, or typed."""
    with st.form(f"{key}correct", border=False):
        others = [each.label for each in answer.candidates[1:]]
        picked = st.pills(_("One of these"), others, key=f"{key}correct-pick") if others else None
        typed = st.text_input(_("Or another"), key=f"{key}correct-typed", max_chars=64)
        save = st.form_submit_button(_("Keep as correction"), icon=":material/save:", type="primary")
    label = typed.strip() or picked
    if save and not label:
        st.warning(_("Choose one, or type another."), icon=":material/help:")
    elif save and label:
        with errors_shown():
            card = desk.recogniser.bundle.card
            kept = Corrections(desk.space).add(picture, label, list(answer.candidates), card, strokes)
            st.session_state[_LAST] = (picture, kept)
            said(kept.label)
            st.rerun()


def _show_kept(desk: Desk, correction: Correction, key: str, said: Callable[[str], None]) -> None:
    words = _("Kept in the dataset {name} as {label}.").format(name=NAME, label=correction.label)
    st.markdown(f":green[:material/check: {words}]", width="content")

    def undo() -> None:
        del st.session_state[_LAST]
        Corrections(desk.space).delete([correction.id])
        said("")

    st.button(_("Undo the last correction"), icon=":material/undo:", key=f"{key}correct-undo", on_click=undo)
