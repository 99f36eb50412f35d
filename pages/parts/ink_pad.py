"""The pad that one draws on: the canvas, driven by buttons and keys of ours, its drawing kept over page changes."""

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from hanzi_core.language import gettext as _
from hanzi_core.recognition.ink import Stroke
from pages.parts.drawing import PEN_PX, Drawing
from pages.parts.ink_pad_manners import teach_manners

SIDE_PX = 420
"""Of the pad; the style sheet makes it smaller on a phone."""

_INK = "#101010"


def drawing_of(name: str) -> Drawing:
    """The drawing of the pad called ``name`` in this session."""
    drawing: Drawing = st.session_state.setdefault(f"drawing-{name}", Drawing())
    return drawing


def show_ink_pad(name: str = "pad", side_px: int = SIDE_PX, shortcuts: bool = True) -> list[Stroke]:
    """The pad with its buttons, and what is drawn on it; a page may show several under names of their own."""
    is_new = f"drawing-{name}" not in st.session_state
    drawing = drawing_of(name)
    pen_px = st.session_state.get("kept-pen-px", PEN_PX)
    # Another pen is another canvas: one that is told of several in quick succession may show nothing any more.
    key = f"{name}-canvas-{pen_px}"
    if key not in st.session_state and drawing.objects:
        drawing.show_again()  # a new canvas, or the page was left and is back: it starts with what had been drawn
    with st.container(key=name, gap="small"):
        result = st_canvas(
            stroke_width=pen_px,
            stroke_color=_INK,
            height=side_px,
            width=side_px,
            initial_drawing=drawing.start,
            key=key,
            on_change=lambda: drawing.hear(st.session_state[key]["drawing"]["raw"]),  # before the page can be left
        )
        teach_manners(key, guide=st.session_state.get("kept-guide", True))
        is_to_show = drawing.hear(result.json_data)
        if is_new and drawing.objects:  # drawn before this session, as when the server was started anew: it would clear
            drawing.show_again()
            is_to_show = True
        if is_to_show:
            st.rerun()
        with st.container(key=f"{name}-tools", horizontal=True, gap="small"):
            _show_tools(name, drawing, shortcuts)
    return drawing.strokes()


def _show_tools(name: str, drawing: Drawing, shortcuts: bool) -> None:
    tools = [
        (_("Undo"), "undo", drawing.undo, not drawing.objects, "Ctrl+Z"),
        (_("Redo"), "redo", drawing.redo, not drawing.undone, "Ctrl+Y"),
        (_("Clear"), "delete", drawing.clear, not drawing.objects, "Esc"),
    ]
    for label, icon, act, disabled, shortcut in tools:
        st.button(
            label,
            key=f"{name}-{icon}",
            icon=f":material/{icon}:",
            on_click=act,
            disabled=disabled,
            shortcut=shortcut if shortcuts else None,
        )
