"""What an element of ours is told, in order.

Streamlit imports an element's script anew for each change of its data. While the first import is under way a browser
may end the second before it: 88 of 600 did in Chromium, and the answer to the first of two quick strokes stayed.
"""

import time
from typing import Any

import streamlit as st

IN_ORDER = """
  if (data.told < parentElement.told) return;
  parentElement.told = data.told;
"""
"""For the beginning of the script: what came too late is not shown."""


def in_order(key: str, data: dict[str, Any]) -> dict[str, Any]:
    """``data`` for the element with ``key``, and since when it has been so."""
    last, told = st.session_state.get(f"told-{key}", (None, 0.0))
    if data != last:
        told = time.time()
        st.session_state[f"told-{key}"] = (data, told)
    return {**data, "told": told}
