"""What the pad cannot be told in Python.

The canvas is to hide its own toolbar, which shows on hovering only, above our text; and Esc, Ctrl+Z and Ctrl+Y, the
pad's keys everywhere else, belong to the text field that one is typing in.

The paper is laid under it: a canvas that is given a picture of paper tells the server of it as soon as it is loaded,
which costs a run, and comes to harm where the page is left meanwhile; see `page_change`.
"""

import base64

import streamlit as st

# Pale cinnabar, as the squares of 米字格 in exercise books.
_GUIDE = """
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 420" fill="none" stroke="#f0d7cd" stroke-width="2">
<rect x="1" y="1" width="418" height="418"/>
<path d="M0 0 420 420M0 420 420 0M210 0V420M0 210H420" stroke-dasharray="6"/>
</svg>
"""
_GUIDE_ADDRESS = "data:image/svg+xml;base64," + base64.b64encode(_GUIDE.strip().encode()).decode()

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
      let style = shadowRoot.querySelector(".hanzi-manners");
      if (!style) {
        style = document.createElement("style");
        style.className = "hanzi-manners";
        shadowRoot.append(style);
      }
      style.textContent = `
        .dc-toolbar { display: none !important }
        .dc-background-canvas { background: #fff ${data.paper} 0 0 / 100% 100% }
      `;
    }
    if (!hosts.length && tries) setTimeout(dress, 50, tries - 1);
  };
  dress(100);
}
"""

_element = st.components.v2.component("hanzi_ink_pad_manners", html="<i></i>", js=_JS)


def teach_manners(canvas_key: str, guide: bool) -> None:
    """Hide the toolbar of the canvas with key ``canvas_key``, lay paper under it, and leave text fields their keys.

    Args:
        canvas_key: Of the canvas, as given to Streamlit.
        guide: Whether the paper has the lines of a 米字格.
    """
    told = {"canvas": canvas_key, "paper": f"url({_GUIDE_ADDRESS})" if guide else ""}
    _element(key=f"{canvas_key}-manners", data=told, width="content", height="content")
