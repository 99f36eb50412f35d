"""The pad that one draws on: the canvas, driven by buttons and keys of ours, its drawing kept over page changes."""

from functools import cache

import cv2
import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from hanzi_core.language import gettext as _
from hanzi_core.recognition.ink import Stroke
from pages.parts.drawing import PEN_PX, Drawing
from pages.parts.ink_pad_manners import teach_manners

SIDE_PX = 420
"""Of the pad; the style sheet makes it smaller on a phone."""

_INK = "#101010"
_GUIDE_LEVEL = (205, 215, 240)  # blue, green, red: pale cinnabar, as the squares in exercise books


def drawing_of(name: str) -> Drawing:
    """The drawing of the pad called ``name`` in this session."""
    drawing: Drawing = st.session_state.setdefault(f"drawing-{name}", Drawing())
    return drawing


def show_ink_pad(name: str = "pad", side_px: int = SIDE_PX, shortcuts: bool = True) -> list[Stroke]:
    """The pad with its buttons, and what is drawn on it; a page may show several under names of their own."""
    drawing = drawing_of(name)
    pen_px = st.session_state.get("kept-pen-px", PEN_PX)
    guide = st.session_state.get("kept-guide", True)
    # Another pen or paper is another canvas: one that is told of several in quick succession may show nothing any more.
    key = f"{name}-canvas-{pen_px}-{'guide' if guide else 'plain'}"
    if key not in st.session_state and drawing.objects:
        drawing.show_again()  # a new canvas, or the page was left and is back: it starts with what had been drawn
    with st.container(key=name, gap="small"):
        result = st_canvas(
            stroke_width=pen_px,
            stroke_color=_INK,
            background_image=_paper(guide),
            height=side_px,
            width=side_px,
            initial_drawing=drawing.start,
            key=key,
        )
        teach_manners(key)
        if drawing.hear(result.json_data):
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


@cache
def _paper(guide: bool) -> bytes:
    """White paper as PNG, with the lines of a 米字格 if wished."""
    side = 2 * SIDE_PX
    paper = np.full((side, side, 3), 255, np.uint8)
    if guide:
        end, middle = side - 1, side // 2
        for start, stop in (
            ((0, 0), (end, end)),
            ((0, end), (end, 0)),
            ((middle, 0), (middle, end)),
            ((0, middle), (end, middle)),
        ):
            _dash(paper, np.array(start, float), np.array(stop, float))
        cv2.rectangle(paper, (1, 1), (end - 1, end - 1), _GUIDE_LEVEL, 4)
    return cv2.imencode(".png", paper)[1].tobytes()


def _dash(paper: np.ndarray, start: np.ndarray, stop: np.ndarray) -> None:
    """A dashed line, one dash in every 24 pixels."""
    count = int(np.hypot(*(stop - start)) // 24)
    for place in range(count):
        ends = [start + (stop - start) * (place + share) / count for share in (0.0, 0.5)]
        (x1, y1), (x2, y2) = ((round(float(x)), round(float(y))) for x, y in ends)
        cv2.line(paper, (x1, y1), (x2, y2), _GUIDE_LEVEL, 2, cv2.LINE_AA)
