"""What is drawn on a pad, kept apart from the canvas that shows it: a canvas forgets when its page is left."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hanzi_core.recognition.ink import Stroke

PEN_PX = 14
_SHOWN_LIMIT = 20

Object = dict[str, Any]
"""A stroke as the canvas describes it; see fabric.Path."""


@dataclass
class Drawing:
    """Strokes as the canvas describes them, those that were taken back, and what passed between it and us."""

    objects: list[Object] = field(default_factory=list)
    undone: list[Object] = field(default_factory=list)
    start: dict[str, Any] = field(default_factory=lambda: {"objects": []})
    """What the canvas was last told to show."""
    heard: Any = None
    """What the canvas last told."""
    shown: list[list[Object]] = field(default_factory=list)
    """What it was told to show and has not told back yet: it may be two quick changes of ours behind."""
    edits: int = 0
    before: list[Object] = field(default_factory=list)
    """What was there when it was last undone or cleared, as far as we knew."""
    meant: Callable[[], None] | None = None
    """That undo, clear or take, until the canvas has told of it."""

    def show_again(self) -> None:
        """Have the canvas show what is here. It only takes a start that differs from the last, hence the number."""
        self.edits += 1
        self.start = {"objects": list(self.objects), "edit": self.edits}
        self.shown = [*self.shown[-_SHOWN_LIMIT:], list(self.objects)]

    def undo(self) -> None:
        """Take the last stroke back."""
        if self.objects:
            self.before, self.meant = list(self.objects), self.undo
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
            self.before, self.meant = list(self.objects), self.clear
            self.undone = self.objects[::-1]
            self.objects = []
            self.show_again()

    def take(self, use: Callable[[list[Stroke]], None]) -> None:
        """Give the strokes to ``use`` and begin anew; all of them once more if one was still on its way."""
        if self.objects:
            use(self.strokes())
            self.clear()
            self.meant = lambda: self.take(use)

    def hear(self, told: dict[str, Any] | None) -> bool:
        """Take in what the canvas tells, unless it only tells back what it was told to show.

        Returns:
            Whether the canvas must be told anew: a stroke and an undo crossed on their way.
        """
        if told is None or told is self.heard or told == self.heard:
            return False
        self.heard = told
        objects = [each for each in told.get("objects", []) if each.get("path")]
        if _same(objects, self.objects):
            self.objects, self.shown, self.meant = objects, [], None
            return False
        if any(_same(objects, shown) for shown in self.shown):
            return False  # an echo of an earlier change of ours; that of the last one is on its way
        crossed = self.meant if self.shown and _same(objects[: len(self.before)], self.before) else None
        self.objects, self.undone, self.meant = objects, [], None
        if crossed:
            crossed()  # it was meant for all that was on the pad
        else:
            self.shown = []
        return crossed is not None

    def strokes(self) -> list[Stroke]:
        """The strokes in the order they were drawn."""
        return [_stroke(each) for each in self.objects]


def _same(some: list[Object], others: list[Object]) -> bool:
    return [each["path"] for each in some] == [each["path"] for each in others]


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
