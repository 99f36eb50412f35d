"""A picture from the clipboard, which Streamlit's uploader does not take."""

import base64
import binascii
from collections.abc import Callable

import streamlit as st

from hanzi_core.language import gettext as _

_HTML = '<button type="button"></button>'

_CSS = """
button {
  width: 100%; min-height: 44px; padding: 0 .9rem; cursor: pointer;
  font: .875rem var(--st-font); color: var(--st-text-color); background: var(--st-background-color);
  border: 1px dashed var(--st-border-color); border-radius: var(--st-button-radius, .5rem);
}
button:hover, button:focus { border-color: var(--st-primary-color); color: var(--st-primary-color); outline: none; }
kbd { margin-left: .5rem; font: inherit; opacity: .6; }
@media (hover: none) { kbd { display: none; } }
"""

# Ctrl+V works wherever the page is in focus, but in a text field a text comes first: Word and Excel copy a picture of
# theirs as well. The button is for fingers, and asks the browser for permission. A picture is told once: what an
# element keeps is sent again with each click on the page.
_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const button = parentElement.querySelector("button");
  button.textContent = data.label;
  button.append(Object.assign(document.createElement("kbd"), { textContent: "Ctrl + V" }));
  const send = (blob) => {
    const reader = new FileReader();
    reader.onload = () => setTriggerValue("picture", reader.result);
    reader.readAsDataURL(blob);
  };
  const onPaste = (event) => {
    const item = [...(event.clipboardData?.items ?? [])].find((each) => each.type.startsWith("image/"));
    const isText = event.target.matches?.("input, textarea") && event.clipboardData.getData("text/plain");
    if (item && !isText) { event.preventDefault(); send(item.getAsFile()); }
  };
  button.onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((each) => each.startsWith("image/"));
        if (type) return send(await item.getType(type));
      }
      button.textContent = data.none;
    } catch { button.textContent = matchMedia("(hover: none)").matches ? data.refused : data.keys; }
  };
  document.addEventListener("paste", onPaste);
  return () => document.removeEventListener("paste", onPaste);
}
"""

_element = st.components.v2.component("hanzi_paste_picture", html=_HTML, css=_CSS, js=_JS)


def paste_picture(key: str, on_paste: Callable[[bytes], None]) -> None:
    """A button that takes a picture, as Ctrl+V does; ``on_paste`` is given each file."""

    def take() -> None:
        if picture := _file(st.session_state[key].picture):
            on_paste(picture)

    texts = {
        "label": _("Paste a picture"),
        "none": _("The clipboard holds no picture"),
        "keys": _("Press Ctrl+V to paste"),
        "refused": _("The browser does not let this page read the clipboard"),
    }
    _element(key=key, data=texts, on_picture_change=take)


def _file(address: str) -> bytes | None:
    """What a ``data:`` address holds; ``None`` if it is none."""
    try:
        return base64.b64decode(address.split(",", 1)[1], validate=True)
    except (IndexError, binascii.Error):
        return None
