"""The pad that one draws on: the canvas, driven by buttons and keys of ours, its drawing kept over page changes."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import cv2
import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from hanzi_core.language import gettext as _
from hanzi_core.recognition.ink import Stroke
from pages.parts.ink_pad_manners import teach_manners

SIDE_PX = 420
"""Of the pad; the style sheet makes it smaller on a phone."""

PEN_PX = 14
_INK = "#101010"
_GUIDE_LEVEL = (205, 215, 240)  # blue, green, red: pale cinnabar, as the squares in exercise books

_SHOWN_LIMIT = 20

Object = dict[str, Any]
"""A stroke as the canvas describes it; see fabric.Path."""


@dataclass
class Drawing:
    """What is on a pad, apart from the canvas that shows it: a canvas forgets when its page is left."""

    objects: list[Object] = field(default_factory=list)
    undone: list[Object] = field(default_factory=list)
    start: dict[str, Any] = field(default_factory=lambda: {"objects": []})
    """What the canvas was last told to show."""
    heard: Any = None
    """What the canvas last told."""
    shown: list[list[Object]] = field(default_factory=list)
    """What it was told to show and has not told back yet: it may be two quick changes of ours behind."""
    edits: int = 0

    def show_again(self) -> None:
        """Have the canvas show what is here. It only takes a start that differs from the last, hence the number."""
        self.edits += 1
        self.start = {"objects": list(self.objects), "edit": self.edits}
        self.shown = [*self.shown[-_SHOWN_LIMIT:], list(self.objects)]

    def undo(self) -> None:
        """Take the last stroke back."""
        if self.objects:
            self.undone.append(self.objects.pop())
            self.show_again()

    def redo(self) -> None:
        """Draw again what was last taken back."""
        if self.undone:
            self.objects.append(self.undone.pop())
            self.show_again()

    def clear(self) -> None:
        """Begin anew; what was there can be had back stroke by stroke."""
        if self.objects:
            self.undone = self.objects[::-1]
            self.objects = []
            self.show_again()

    def hear(self, told: dict[str, Any] | None) -> None:
        """Take in what the canvas tells, unless it only tells back what it was told to show."""
        if told is None or told is self.heard or told == self.heard:
            return
        self.heard = told
        objects = [each for each in told.get("objects", []) if each.get("path")]
        if _same(objects, self.objects):
            self.objects, self.shown = objects, []
        elif any(_same(objects, shown) for shown in self.shown):
            return  # an echo of an earlier change of ours; that of the last one is on its way
        else:
            self.objects, self.undone, self.shown = objects, [], []

    def strokes(self) -> list[Stroke]:
        """The strokes in the order they were drawn."""
        return [_stroke(each) for each in self.objects]


def _same(some: list[Object], others: list[Object]) -> bool:
    return [each["path"] for each in some] == [each["path"] for each in others]


def drawing_of(name: str) -> Drawing:
    """The drawing of the pad called ``name`` in this session."""
    drawing: Drawing = st.session_state.setdefault(f"drawing-{name}", Drawing())
    return drawing


def show_ink_pad(name: str = "pad", side_px: int = SIDE_PX, shortcuts: bool = True) -> list[Stroke]:
    """The pad with its buttons, and what is drawn on it; a page may show several under names of their own."""
    drawing = drawing_of(name)
    key = f"{name}-canvas"
    if key not in st.session_state and drawing.objects:
        drawing.show_again()  # the page was left and is back: the canvas starts with what had been drawn
    with st.container(key=name, gap="small"):
        result = st_canvas(
            stroke_width=st.session_state.get("kept-pen-px", PEN_PX),
            stroke_color=_INK,
            # Always a picture, at times a plain one: going from a picture to a colour would lose the drawing.
            background_image=_paper(st.session_state.get("kept-guide", True)),
            height=side_px,
            width=side_px,
            initial_drawing=drawing.start,
            key=key,
        )
        teach_manners(key)
        drawing.hear(result.json_data)
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


def _stroke(each: Object) -> Stroke:
    """A fabric.Path as a line of points; moved, turned and scaled as the canvas's own edit tool may have done."""
    points = _path_points(each["path"])
    centre = (points.min(0) + points.max(0)) / 2
    scale = np.array([each.get("scaleX", 1.0), each.get("scaleY", 1.0)], np.float32)
    angle = np.deg2rad(each.get("angle", 0.0))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    moved = ((points - centre) * scale) @ turn + _centre(each, scale, turn)
    return Stroke(moved.astype(np.float32), float(each.get("strokeWidth", PEN_PX)) * float(scale.mean()))


def _centre(each: Object, scale: np.ndarray, turn: np.ndarray) -> np.ndarray:
    shares = {"left": 0.5, "top": 0.5, "center": 0.0, "right": -0.5, "bottom": -0.5}
    share = np.array([shares[each.get("originX", "left")], shares[each.get("originY", "top")]])
    extent = (np.array([each["width"], each["height"]]) + each.get("strokeWidth", 0)) * scale
    return np.array([each["left"], each["top"]]) + (share * extent) @ turn


def _path_points(path: list[list[Any]]) -> np.ndarray:
    """Points on a path of moves, lines and quadratic curves, two for each curve: a curve spans a pixel or two."""
    points: list[np.ndarray] = []
    for command, *numbers in path:
        pairs = np.array(numbers, np.float32).reshape(-1, 2)
        if command == "Q":
            points.append(0.25 * points[-1] + 0.5 * pairs[0] + 0.25 * pairs[1])
        if len(pairs):
            points.append(pairs[-1])
    return np.array(points, np.float32)
