"""The candidates of one character, best first."""

from collections.abc import Callable

import streamlit as st

from hanzi_core.language import gettext as _
from hanzi_core.recognition import Answer, Candidate
from hanzi_core.recognition.reference import readings, stroke_count
from pages.parts.stroke_animation import show_stroke_animation

_ANIMATION_PX = 132

Choose = Callable[[str], None]
"""Told which label was chosen."""


def show_candidates(answer: Answer, choose: Choose, key: str = "") -> None:
    """The first large, with its stroke order; the others as buttons. Choosing one calls ``choose`` with its label."""
    if not answer.candidates:
        st.info(_("No ink found: draw or upload one dark character on light paper, or the other way round."))
        return
    if not answer.is_sure:
        st.warning(_("Not sure. It may be one of these, or none."), icon=":material/help:")
    best, *others = answer.candidates
    _show_best(best, choose, key)
    with st.container(key=f"{key}choices", horizontal=True, gap="small"):
        for place, candidate in enumerate(others):
            _show_button(candidate, choose, f"{key}choice-{place}")


def _show_best(best: Candidate, choose: Choose, key: str) -> None:
    with st.container(key=f"{key}best", horizontal=True, vertical_alignment="center", gap="medium"):
        _show_button(best, choose, f"{key}choice-best")
        show_stroke_animation(best.label, _ANIMATION_PX, f"{key}strokes")
        count = stroke_count(best.label)
        if count is not None:
            st.caption(_("{count} strokes").format(count=count), width="content")


def _show_button(candidate: Candidate, choose: Choose, key: str) -> None:
    said = readings(candidate.label)
    below = " ".join(f":small[{text}]" for text in [*said[:1], _percent(candidate.probability)])
    st.button(
        f"{candidate.label} {below}",
        key=key,
        on_click=choose,
        args=(candidate.label,),
        help=_("Write {label}").format(label=candidate.label) + (f" ({', '.join(said)})" if said else ""),
    )


def _percent(probability: float) -> str:
    return f"{probability:.0%}" if probability >= 0.01 else "<1%"
