"""What the canvas cannot be told in Python: to hide its own toolbar, which shows on hovering only, above our text."""

import streamlit as st

# The canvas lives in a shadow root, which no style sheet of the page reaches; it may arrive a moment after us.
_JS = """
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
    """Hide the toolbar of the canvas with key ``canvas_key``."""
    _element(key=f"{canvas_key}-manners", data={"canvas": canvas_key}, width="content", height="content")
