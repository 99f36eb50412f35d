"""Why this answer: what the model saw, which strokes mattered, and what looks alike."""

import cv2
import streamlit as st

from hanzi_core.language import gettext as _
from hanzi_core.recognition import Answer, Recogniser
from hanzi_core.recognition.explanation import LookAlikes, heat_picture, occlusion_map
from pages.parts.plain_text import escape
from pages.parts.recognise_desk import Desk
from pages.parts.session import choices_kept, first

_SIDE_PX = 200


@st.cache_resource(show_spinner=False, max_entries=4)
def _look_alikes(_recogniser: Recogniser, _dimensions: int, key: tuple[str, float]) -> LookAlikes:
    return LookAlikes(_recogniser.bundle, _dimensions)


def show_why(desk: Desk, answer: Answer, key: str = "") -> None:
    """Behind a switch, since the heat map takes 81 passes; it stays as it is while the pad is empty."""
    if not answer.candidates:
        return
    with choices_kept(f"{key}why"):
        if not st.toggle(_("Why this answer?"), key=first(f"{key}why", False)):
            return
    recogniser = desk.recogniser
    best = answer.candidates[0].label
    if best not in recogniser.bundle.index:
        st.caption(_("It is like the drawings that this character was taught by."))
        return
    heat = heat_picture(answer.seen, occlusion_map(recogniser, answer.seen, best))
    saw = cv2.resize(answer.seen, (heat.shape[1], heat.shape[0]), interpolation=cv2.INTER_NEAREST)
    with st.container(horizontal=True, wrap=False, key=f"{key}views-why", width=2 * _SIDE_PX + 20):
        st.image(saw, caption=_("What the model saw"), width="stretch")
        st.image(heat, caption=_("Red speaks for {label}, blue against").format(label=escape(best)), width="stretch")
    bundle = recogniser.bundle
    alike = _look_alikes(recogniser, len(answer.embedding), (str(bundle.folder), bundle.card.created)).of(best)
    if alike:
        st.markdown(
            _("To this model {label} looks like").format(label=escape(best)) + " " + "  ".join(map(escape, alike))
        )
