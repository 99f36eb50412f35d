"""A finger that goes down on a chart, which plotly takes for the beginning of a zoom: the page did not scroll past it.

Plotly is not told of it. It still hears of a tap, as of a click, and a mouse still zooms.
"""

import streamlit as st

_JS = """
export default function () {
  const onTouch = (event) => { if (event.target.closest?.(".js-plotly-plot")) event.stopPropagation(); };
  document.addEventListener("touchstart", onTouch, { capture: true, passive: true });
  return () => document.removeEventListener("touchstart", onTouch, { capture: true });
}
"""

_element = st.components.v2.component("hanzi_finger_on_chart", html="<i></i>", js=_JS)


def let_fingers_scroll() -> None:
    """Let a finger on a chart scroll the page; on all of them at once."""
    _element(key="finger-on-chart", width="content", height="content")
