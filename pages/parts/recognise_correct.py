"""“It should be …”: keeping a wrong answer with the right one."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.language import gettext as _
from hanzi_core.recognition import Answer
from hanzi_core.recognition.corrections import NAME, Corrections
from hanzi_core.recognition.ink import Stroke
from pages.parts.recognise_desk import Desk
from pages.parts.session import errors_shown

_LAST = "last-correction"


def show_correct(
    desk: Desk, picture: NDArray[np.uint8], answer: Answer, strokes: list[Stroke] | None = None, key: str = ""
) -> None:
    """A candidate, or typed; and the last one back."""
    corrections = Corrections(desk.space)
    popover = st.popover(_("It should be …"), icon=":material/edit:", key=f"{key}correct-open", on_change="rerun")
    if not popover.open:  # what nobody sees need not be drawn anew after each stroke
        return
    with popover:
        with st.form(f"{key}correct", border=False, clear_on_submit=True):
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
                kept = corrections.add(picture, label, list(answer.candidates), card, strokes)
                st.session_state[_LAST] = kept.id
                st.success(_("Kept in the dataset {name} as {label}.").format(name=NAME, label=label))
        if _LAST in st.session_state:
            st.button(
                _("Undo the last correction"),
                icon=":material/undo:",
                key=f"{key}correct-undo",
                on_click=lambda: corrections.delete([st.session_state.pop(_LAST)]),
            )
