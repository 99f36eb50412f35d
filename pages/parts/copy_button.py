"""A button that copies a text to the clipboard, which Streamlit has only inside code blocks."""

import streamlit as st

from hanzi_core.language import gettext as _
from pages.parts.in_order import IN_ORDER, in_order

_HTML = '<button type="button"></button>'

_CSS = """
button {
  min-height: 44px; padding: 0 .9rem; cursor: pointer; white-space: nowrap;
  font: .875rem var(--st-font); color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, .5rem);
}
button:hover:not(:disabled) { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:disabled { opacity: .4; cursor: not-allowed; }
"""

# Outside https and localhost browsers offer no clipboard: the old way with a selection works everywhere.
_JS = (
    f"export default function ({{ data, parentElement }}) {{{IN_ORDER}"
    + """
  const button = parentElement.querySelector("button");
  button.textContent = data.label;
  button.disabled = !data.text;
  const select = () => {
    const area = document.createElement("textarea");
    area.value = data.text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  const field = data.field && document.querySelector(data.field);
  if (field && field !== document.activeElement) setTimeout(() => { field.scrollLeft = field.scrollWidth; }, 100);
  button.onclick = async () => {
    try { await navigator.clipboard.writeText(data.text); } catch { select(); }
    button.textContent = data.done;
    setTimeout(() => { button.textContent = data.label; }, 1200);
  };
}
"""
)

_button = st.components.v2.component("hanzi_copy_button", html=_HTML, css=_CSS, js=_JS)


def show_copy_button(text: str, key: str, field: str = "") -> None:
    """A button that copies ``text``; it says so when it has.

    Args:
        field: CSS selector of the input that shows ``text``, whose end is brought into view.
    """
    data = {"text": text, "label": _("Copy"), "done": _("Copied"), "field": field}
    _button(key=key, data=in_order(key, data), width="content")
