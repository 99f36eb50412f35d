"""How pictures are spread over classes, sizes and coverage."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hanzi_core.language import gettext as _

_NAMED_LIMIT = 60
_BAR_LIMIT = 200
"""Bars up to which each is a thing of its own in the browser, which takes seconds to show seven thousand."""
_MARK = "#b23a2e"


def class_histogram(counts: pd.Series, logarithmic: bool = False, marked: str | None = None) -> go.Figure:
    """Pictures of each class, the largest first.

    Args:
        counts: Pictures by label.
        logarithmic: Show counts on a logarithmic axis: at 7,328 uneven classes the small ones vanish otherwise.
        marked: A label to point at.
    """
    ordered = counts.sort_values(ascending=False, kind="stable")
    places = list(range(1, len(ordered) + 1))
    data = {
        "x": places,
        "y": ordered.to_numpy(),
        "customdata": ordered.index.to_numpy(dtype=str),
        "hovertemplate": "%{customdata}: %{y}<extra></extra>",
    }
    bars = go.Bar(**data, marker_line_width=0) if len(ordered) <= _BAR_LIMIT else _outline(data)
    figure = go.Figure(bars)
    figure.update_layout(bargap=0.1, hovermode="x")
    figure.update_yaxes(title=_("Pictures"), type="log" if logarithmic else "linear")
    figure.update_xaxes(title=_("Classes by size"))
    if len(ordered) <= _NAMED_LIMIT:
        figure.update_xaxes(tickvals=places, ticktext=list(ordered.index), title=None)
    if marked is not None and marked in ordered.index:
        place = int(np.flatnonzero(ordered.index == marked)[0]) + 1
        figure.add_vline(x=place, line_color=_MARK, annotation_text=f"{marked} · {ordered[marked]}")
    return _compact(figure)


def _outline(data: dict[str, Any]) -> go.Scatter:
    """Bars that touch each other, as one shape."""
    return go.Scatter(**data, mode="lines", line={"shape": "hvh", "width": 1}, fill="tozeroy")


def value_histogram(values: pd.Series, title: str, bins: int = 40) -> go.Figure:
    """How often each value comes, in even bins; binned here, so that a page gets forty figures and not a million.

    Args:
        values: One figure a picture.
        title: Of the axis, with the unit.
        bins: How many.
    """
    heights, edges = np.histogram(values.to_numpy(np.float64), bins)
    centres = (edges[:-1] + edges[1:]) / 2
    ranges = [f"{low:.4g} – {high:.4g}" for low, high in pairwise(edges)]
    bars = go.Bar(x=centres, y=heights, customdata=ranges, hovertemplate="%{customdata}: %{y}<extra></extra>")
    figure = go.Figure(bars)
    figure.update_layout(bargap=0)
    figure.update_xaxes(title=title, tickvals=[values.iloc[0]] if values.nunique() == 1 else None)
    figure.update_yaxes(title=_("Pictures"))
    return _compact(figure)


def _compact(figure: go.Figure) -> go.Figure:
    figure.update_layout(height=280, margin={"l": 0, "r": 0, "t": 24, "b": 0}, showlegend=False)
    return figure
