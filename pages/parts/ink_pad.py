"""The canvas that one draws on, with its drawing kept over page changes."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit_drawable_canvas import st_canvas

from hanzi_core.image.decode import flatten
from hanzi_core.language import gettext as _

SIDE_PX = 340
"""Fits a phone of 390 px without scrolling sideways."""
PEN_PX = 14


def show_ink_pad() -> NDArray[np.uint8] | None:
    """The drawing as gray ``uint8`` ``(SIDE_PX, SIDE_PX)``, dark ink on white; ``None`` while the pad is empty."""
    # Kept under keys that are no widget's: a widget's state goes with its page.
    kept = st.session_state.setdefault("ink", None)
    version = st.session_state.setdefault("ink-version", 0)
    result = st_canvas(
        stroke_width=PEN_PX,
        stroke_color="#101010",
        background_color="#ffffff",
        height=SIDE_PX,
        width=SIDE_PX,
        initial_drawing=st.session_state.setdefault(f"ink-start-{version}", kept),
        return_image_data=True,
        key=f"ink-{version}",
    )
    if st.button(_("Clear"), icon=":material/delete:", width=SIDE_PX):
        st.session_state["ink"] = None
        st.session_state["ink-version"] = version + 1
        st.rerun()
    objects = (result.json_data or {}).get("objects") if result.json_data else None
    if objects:
        st.session_state["ink"] = result.json_data
    elif result.json_data is not None:
        st.session_state["ink"] = None
    if not objects or result.image_data is None:
        return None
    return flatten(np.asarray(result.image_data, np.uint8))
