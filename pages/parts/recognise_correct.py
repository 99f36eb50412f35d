"""“It should be …”: keeping a wrong answer with the right one, and the list of those that were kept."""

from datetime import datetime

import numpy as np
import pandas as pd
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
    desk: Desk, picture: NDArray[np.uint8], answer: Answer, strokes: list[Stroke] | None = None, key: str = ""
) -> None:
    """A candidate, or typed; and the last one back."""
    corrections = Corrections(desk.space)
    with st.popover(_("It should be …"), icon=":material/edit:"):
        with st.form(f"{key}correct", border=False, clear_on_submit=True):
            others = [each.label for each in answer.candidates[1:]]
            picked = st.pills(_("One of these"), others, key=f"{key}correct-pick") if others else None
            typed = st.text_input(_("Or another"), key=f"{key}correct-typed", max_chars=64)
            save = st.form_submit_button(_("Keep as correction"), icon=":material/save:", type="primary")
        if save and (label := typed.strip() or picked):
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


def show_corrections(desk: Desk) -> None:
    """All that were kept: look, export, delete, train on."""
    corrections = Corrections(desk.space)
    kept = corrections.all()
    if not kept:
        st.info(_("Nothing has been corrected yet. Where an answer is wrong, say what it should be."))
        return
    chosen = _show_table(corrections, kept)
    with st.container(horizontal=True):
        st.button(
            _("Delete the chosen"),
            icon=":material/delete:",
            disabled=not chosen,
            on_click=lambda: corrections.delete([each.id for each in chosen]),
        )
        st.download_button(
            _("Export as zip"), corrections.export, "corrections.zip", "application/zip", icon=":material/download:"
        )
        st.page_link("pages/datasets.py", label=_("See the dataset"), icon=":material/photo_library:")
        st.page_link(
            "pages/training.py",
            label=_("Train on them"),
            icon=":material/model_training:",
            query_params={"dataset": NAME, "start": desk.model},
        )


def _show_table(corrections: Corrections, kept: list[Correction]) -> list[Correction]:
    table = pd.DataFrame(
        {
            "label": [each.label for each in kept],
            "recognised": [each.recognised for each in kept],
            "model": [each.model for each in kept],
            "time": [datetime.fromtimestamp(each.time) for each in kept],
        }
    )
    shown = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"corrections-{len(kept)}",
        column_config={
            "label": _("Should be"),
            "recognised": _("Recognised as"),
            "model": _("Model"),
            "time": st.column_config.DatetimeColumn(_("Time"), format="YYYY-MM-DD HH:mm"),
        },
    )
    chosen = [kept[row] for row in shown.selection.rows if row < len(kept)]
    pictures = [str(corrections.picture_path(each)) for each in chosen if corrections.picture_path(each).exists()]
    if pictures:
        st.image(pictures, width=96)
    return chosen
