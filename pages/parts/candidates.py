"""The candidates of one character, best first."""

import streamlit as st

from hanzi_core.language import gettext as _
from hanzi_core.recognition import Candidate


def show_candidates(candidates: list[Candidate]) -> None:
    """Each with its probability; the first large."""
    if not candidates:
        st.info(_("No ink found: draw or upload one dark character on light paper, or the other way round."))
        return
    for place, candidate in enumerate(candidates):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{'#' if place == 0 else '###'} {candidate.label}", width=72)
            st.progress(min(1.0, candidate.probability), text=f"{candidate.probability:.1%}")
