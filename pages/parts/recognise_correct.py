"""“It should be …”: keeping a wrong answer with the right one."""

from collections.abc import Hashable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.dataset.store import CORRECTIONS
from hanzi_core.language import gettext as _
from hanzi_core.recognition import Answer
from hanzi_core.recognition.corrections import Correction, Corrections
from hanzi_core.recognition.ink import Stroke
from hanzi_core.workspace import Workspace
from pages.parts.plain_text import escape
from pages.parts.recognise_desk import Desk
from pages.parts.recognise_writing import Write
from pages.parts.session import errors_shown

Place = Hashable
"""What tells a picture from every other of the session: on a page, two may look the same."""

_REMEMBERED_LIMIT = 500
"""Corrections that a session can take back; the older stay in the dataset."""


def kept_at(space: Workspace, place: Place) -> Correction | None:
    """What this session last kept of the picture at ``place``, unless it was deleted since."""
    kept = _remembered().get(place)
    return kept if kept and Corrections(space).picture_path(kept).is_file() else None


def show_correct(
    desk: Desk,
    picture: NDArray[np.uint8],
    answer: Answer,
    strokes: list[Stroke] | None = None,
    *,
    place: Place,
    key: str = "",
    write: Write | None = None,
) -> None:
    """A button that asks for the right answer; what was kept of this picture is told, and can be taken back.

    It can be written too by ``write``, where a text is written: it was not among the candidates.

    It asks in a dialog: where there is no room below the button, as on a phone, a popover is cut to a strip.
    """
    if st.button(_("It should be …"), icon=":material/edit:", key=f"{key}correct-open"):
        st.dialog(_("It should be …"))(_ask)(desk, picture, answer, strokes, place=place, key=key)
    if kept := kept_at(desk.space, place):
        _show_kept(desk, kept, key, write)


def _ask(
    desk: Desk,
    picture: NDArray[np.uint8],
    answer: Answer,
    strokes: list[Stroke] | None,
    *,
    place: Place,
    key: str,
) -> None:
    """A candidate, or typed."""
    before = kept_at(desk.space, place)
    with st.form(f"{key}correct", border=False):
        others = _others(answer, before)
        # By place: a browser keeps what was typed into a dialog that was dismissed, and would offer it for any other.
        picked = st.pills(_("One of these"), others, key=f"{key}correct-pick-{place}") if others else None
        typed = st.text_input(_("Or another"), key=f"{key}correct-typed-{place}", max_chars=64)
        save = st.form_submit_button(_("Keep as correction"), icon=":material/save:", type="primary")
    label = typed.strip() or picked
    if save and not label:
        st.warning(_("Choose one, or type another."), icon=":material/help:")
    elif save and label:
        with errors_shown():
            corrections, card = Corrections(desk.space), desk.recogniser.bundle.card
            _remember(place, corrections.add(picture, label, list(answer.candidates), card, strokes))
            if before:
                corrections.delete([before.id])
            st.rerun()


def _others(answer: Answer, before: Correction | None) -> list[str]:
    """The candidates but for what it is taken to be now."""
    labels = [each.label for each in answer.candidates]
    return [label for label in labels if label != before.label] if before else labels[1:]


def _show_kept(desk: Desk, correction: Correction, key: str, write: Write | None) -> None:
    label = escape(correction.label)
    words = _("Kept in the dataset {name} as {label}.").format(name=CORRECTIONS, label=label)
    st.markdown(f":green[:material/check: {words}]", width="content")
    if write:
        words = _("Write {label}").format(label=label)
        st.button(
            words, icon=":material/edit_note:", key=f"{key}correct-write", on_click=write, args=[correction.label]
        )
    if st.button(_("Undo the correction"), icon=":material/undo:", key=f"{key}correct-undo"):
        with errors_shown():
            Corrections(desk.space).delete([correction.id])
            st.rerun()


def _remember(place: Place, correction: Correction) -> None:
    remembered = _remembered()
    remembered[place] = correction
    if len(remembered) > _REMEMBERED_LIMIT:
        del remembered[next(iter(remembered))]


def _remembered() -> dict[Place, Correction]:
    remembered: dict[Place, Correction] = st.session_state.setdefault("remembered-corrections", {})
    return remembered
