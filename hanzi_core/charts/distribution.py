"""How pictures are spread over classes, sizes and coverage."""

from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hanzi_core.charts.curves import COLOURS
from hanzi_core.dataset.labels import is_character, short_label
from hanzi_core.language import gettext as _

_NAMED_LIMIT = 60
_BAR_LIMIT = 200
"""Bars up to which each is a thing of its own in the browser, which takes seconds to show seven thousand."""
_FEW_PICTURES = 5
"""Up to which an axis has a tick for each: plotly's own choice begins with 0.2 of a picture."""
_MARK = COLOURS[1]
_MOST = 0.95
_FAR = 4.0
"""A value is far above the others that is more than so many times what :data:`_MOST` of them reach."""


def class_histogram(counts: pd.Series, logarithmic: bool = False, marked: str | None = None) -> go.Figure:
    """Pictures of each class, the largest first.

    Args:
        counts: Pictures by label.
        logarithmic: Show counts on a logarithmic axis: at 7,328 uneven classes the small ones vanish otherwise.
        marked: A label to point at.
    """
    ordered = counts.sort_values(ascending=False, kind="stable")
    names = [escape(label) for label in ordered.index]
    is_named = len(ordered) <= _NAMED_LIMIT
    data = {
        "x": names if is_named else list(range(1, len(ordered) + 1)),
        "y": ordered.to_numpy(),
        "customdata": names,
        "hovertemplate": "%{customdata}: %{y}<extra></extra>",
    }
    bars = go.Bar(**data, marker_line_width=0) if len(ordered) <= _BAR_LIMIT else _outline(data)
    figure = go.Figure(bars)
    figure.update_layout(bargap=0.1, hovermode="x")
    figure.update_yaxes(type="log" if logarithmic else "linear")
    _count_pictures(figure, int(ordered.max()))
    figure.update_xaxes(title=_("Classes by size"))
    if is_named:
        # Of categories plotly leaves out what there is no room for: on a phone forty names lay over each other.
        short = {name: _shown(label) for name, label in zip(names, ordered.index, strict=True)}
        figure.update_xaxes(type="category", labelalias=short, ticklabeloverflow="allow", title=None)
        if all(is_character(label) for label in ordered.index):
            figure.update_xaxes(tickangle=0)
    if marked is not None and marked in ordered.index:
        place = int(np.flatnonzero(ordered.index == marked)[0]) + (not is_named)
        figure.add_vline(x=place, line_color=_MARK, annotation_text=f"{_shown(marked)} · {ordered[marked]}")
    return _compact(figure)


def _shown(label: str) -> str:
    """A label as plotly shows it: what it takes for a tag swallows what follows."""
    return escape(short_label(label))


def _outline(data: dict[str, Any]) -> go.Scatter:
    """Bars that touch each other, as one shape."""
    return go.Scatter(**data, mode="lines", line={"shape": "hvh", "width": 1}, fill="tozeroy", fillcolor=COLOURS[0])


def value_histogram(values: pd.Series, title: str, bins: int = 40) -> go.Figure:
    """How often each value comes, in even bins; binned here, so that a page gets forty figures and not a million.

    A few values far above all others have the last bar together, or they would squeeze all others into the first.

    Args:
        values: One figure a picture.
        title: Of the axis, with the unit.
        bins: How many.
    """
    figures = values.to_numpy(np.float64)
    near = figures[figures <= _FAR * np.quantile(figures, _MOST, method="higher")]
    heights, edges = np.histogram(near, bins)
    centres = (edges[:-1] + edges[1:]) / 2
    ranges = [f"{low:.4g} – {high:.4g}" for low, high in pairwise(edges)]
    if far := len(figures) - len(near):
        least, most = np.partition(figures, [-far, -1])[[-far, -1]]
        heights, centres = np.append(heights, far), np.append(centres, 2 * centres[-1] - centres[-2])
        ranges.append(f"{least:.6g} – {most:.6g}")
        title = _("{title}; the last bar: up to {most}").format(title=title, most=f"{most:,.6g}")
    bars = go.Bar(x=centres, y=heights, customdata=ranges, hovertemplate="%{customdata}: %{y}<extra></extra>")
    figure = go.Figure(bars)
    figure.update_layout(bargap=0)
    figure.update_xaxes(title=title)
    if np.ptp(near) == 0:
        figure.update_xaxes(tickvals=[near[0]], ticktext=[f"{round(near[0], 2):.6g}"])
    _count_pictures(figure, int(heights.max()))
    return _compact(figure)


def _count_pictures(figure: go.Figure, most: int) -> None:
    figure.update_yaxes(title=_("Pictures"))
    if most <= _FEW_PICTURES:
        figure.update_yaxes(tickvals=list(range(most + 1)))


def _compact(figure: go.Figure) -> go.Figure:
    figure.update_layout(height=280, colorway=COLOURS, margin={"l": 0, "r": 0, "t": 24, "b": 0}, showlegend=False)
    return figure
