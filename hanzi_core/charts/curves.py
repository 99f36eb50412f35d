"""Runs over their epochs, or over time."""

import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from html import escape
from typing import Any

import plotly.graph_objects as go

from hanzi_core.language import gettext as _
from hanzi_core.language import mark

POINT_LIMIT = 500
"""A curve of more points is thinned: the eye sees no difference, the browser does."""

COLOURS = ["#3b82c4", "#d0473a", "#2f9e77", "#c5861a", "#8a63c9", "#c2568f", "#5f8f9e", "#8d6e52"]
"""Of middling lightness: a curve stands out from white paper and from a dark page."""

Rows = Sequence[dict[str, Any]]

FIGURE_NAMES = {
    "accuracy": mark("Accuracy"),
    "loss": mark("Loss"),
    "top_5": mark("Top-5"),
    "learning_rate": mark("Learning rate"),
    "images_per_s": mark("Images/s"),
    "load": mark("Load"),
}
_SHARES = ("accuracy", "top_5", "load")
_LOADS = {
    "cpu_load": mark("CPU"),
    "memory_load": mark("Memory"),
    "gpu_load": mark("GPU"),
    "gpu_memory_load": mark("GPU memory"),
}


class Axis(StrEnum):
    """What a run is drawn over."""

    EPOCH = "epoch"
    TIME = "time"


AXIS_NAMES = {Axis.EPOCH: mark("Epoch"), Axis.TIME: mark("Minutes of training")}


def learning_curves(rows: Rows, figure_of: str) -> go.Figure:
    """One figure of a run's history over its epochs, training and validation.

    Args:
        rows: History of a run, with rows of kind ``step`` (within an epoch) and ``epoch``.
        figure_of: A key of :data:`FIGURE_NAMES`.
    """
    figure = _empty(figure_of, Axis.EPOCH)
    epochs = _thin([row for row in rows if row.get("kind") == "epoch"])
    steps = _thin([row for row in rows if row.get("kind") == "step"])
    if figure_of == "load":
        for key, name in _LOADS.items():
            _add(figure, steps, "epoch", key, _(name), mode="lines")
    elif figure_of in ("learning_rate", "images_per_s"):
        _add(figure, steps or epochs, "epoch", figure_of, _(FIGURE_NAMES[figure_of]), mode="lines")
    else:
        _add(figure, epochs, "epoch", figure_of, _("training"), mode="lines+markers")
        _add(figure, epochs, "epoch", f"val_{figure_of}", _("validation"), mode="lines+markers")
        faint = {"line": {"width": 1, "color": "gray"}, "opacity": 0.7, "hoverinfo": "skip"}  # neither of the two
        if len(steps) > len(epochs):  # a run of short epochs has few, which a line would join across what it skips
            _add(figure, steps, "epoch", figure_of, _("within epochs"), **faint)
    return figure


def compared_curves(runs: Mapping[str, Rows], figure_of: str, axis: Axis) -> go.Figure:
    """One figure of several runs in validation, over epochs or over minutes of training.

    Args:
        runs: History of each run by its name.
        figure_of: ``accuracy``, ``loss`` or ``top_5``.
        axis: What to draw over.
    """
    figure = _empty(figure_of, axis)
    # Names are as long as people make them: below, a line each on a phone, they hide neither title nor curve.
    figure.update_layout(height=300 + 22 * len(runs), legend={"x": 0, "xanchor": "left", "y": -0.25, "yanchor": "top"})
    along: str | Callable[[dict[str, Any]], float] = "epoch" if axis is Axis.EPOCH else _minutes
    for name, rows in runs.items():
        epochs = _thin([row for row in rows if row.get("kind") == "epoch"])
        _add(figure, epochs, along, f"val_{figure_of}", escape(name), mode="lines+markers")  # plotly reads tags
    return figure


def _minutes(row: dict[str, Any]) -> float:
    return float(row.get("elapsed_s", 0.0)) / 60


def _add(
    figure: go.Figure,
    rows: Rows,
    along: str | Callable[[dict[str, Any]], float],
    key: str,
    name: str,
    **style: Any,
) -> None:
    known = [row for row in rows if row.get(key) is not None]
    x = [along(row) if callable(along) else row[along] for row in known]
    if known or "load" not in key:
        figure.add_scatter(x=x, y=[row[key] for row in known], name=name, **style)


def _empty(figure_of: str, axis: Axis) -> go.Figure:
    layout = go.Layout(
        height=300,
        colorway=COLOURS,
        margin={"l": 0, "r": 0, "t": 36, "b": 0},
        title={"text": _(FIGURE_NAMES[figure_of]), "font": {"size": 15}},
        legend={"orientation": "h", "y": 1.14, "x": 1, "xanchor": "right"},
        hovermode="x unified",
        uirevision="curves",  # zoom survives the next second
        xaxis={"title": {"text": _(AXIS_NAMES[axis])}, "rangemode": "tozero"},
        yaxis={"tickformat": ".0%", "range": [0, 1.02]} if figure_of in _SHARES else {},
    )
    return go.Figure(layout=layout)


def _thin(rows: Rows) -> Rows:
    stride = max(1, math.ceil(len(rows) / POINT_LIMIT))
    return rows if stride == 1 else [*rows[:-1:stride], rows[-1]]
