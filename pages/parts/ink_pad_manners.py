"""What the pad cannot be told in Python.

The canvas is to hide its own toolbar, which shows on hovering only, above our text; and Esc, Ctrl+Z and Ctrl+Y, the
pad's keys everywhere else, belong to the text field that one is typing in.
"""

import streamlit as st

# The canvas lives in a shadow root, which no style sheet of the page reaches; it may arrive a moment after us.
# Streamlit hears a button's keys at the document: what ends at the body has passed the field itself and all around it.
_JS = """
const TYPED_IN = "textarea, [contenteditable=true], input:not([type=checkbox], [type=radio], [type=range])";
const leaveToField = (event) => {
  const isOurs = event.key === "Escape" || ((event.ctrlKey || event.metaKey) && /^[zy]$/i.test(event.key));
  if (isOurs && event.target.matches(TYPED_IN)) event.stopPropagation();
};
document.body.addEventListener("keydown", leaveToField);

export default function ({ data }) {
  const dress = (tries) => {
    const canvas = document.querySelector(`.st-key-${data.canvas}`);
    const hosts = canvas ? [...canvas.querySelectorAll("*")].filter((each) => each.shadowRoot) : [];
    for (const { shadowRoot } of hosts) {
      if (shadowRoot.querySelector(".hanzi-manners")) continue;
      const style = document.createElement("style");
      style.className = "hanzi-manners";
      style.textContent = ".dc-toolbar { display: none !important }";
      shadowRoot.append(style);
    }
    if (!hosts.length && tries) setTimeout(dress, 50, tries - 1);
  };
  dress(100);
}
"""

_element = st.components.v2.component("hanzi_ink_pad_manners", html="<i></i>", js=_JS)


def teach_manners(canvas_key: str) -> None:
    """Hide the toolbar of the canvas with key ``canvas_key``, and leave text fields their keys."""
    _element(key=f"{canvas_key}-manners", data={"canvas": canvas_key}, width="content", height="content")
