"""A character that writes itself. Streamlit's own HTML element strips SVG of its style, hence an element of ours."""

import streamlit as st

from hanzi_core.recognition.reference import stroke_order_svg

_CSS = "div { color: var(--st-text-color); line-height: 0; }"

# The drawing is made by us from the stroke library; a click writes it again from the start.
_JS = """
export default function ({ data, parentElement }) {
  const box = parentElement.querySelector("div");
  if (box.dataset.label !== data.label) {
    box.dataset.label = data.label;
    box.innerHTML = data.svg;
  }
  box.onclick = () => { box.innerHTML = data.svg; };
}
"""

_element = st.components.v2.component("hanzi_stroke_animation", html="<div></div>", css=_CSS, js=_JS)


def show_stroke_animation(character: str, size_px: int, key: str) -> None:
    """The stroke order of ``character``, over and over; nothing where the stroke library lacks it."""
    if svg := stroke_order_svg(character, size_px):
        _element(key=key, data={"svg": svg, "label": character}, width=size_px, height=size_px)
