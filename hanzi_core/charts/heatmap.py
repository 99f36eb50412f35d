"""Which character is taken for which, as a picture."""

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hanzi_core.dataset.labels import is_character, short_label
from hanzi_core.language import gettext as _

_CELL_PX, _FRAME_PX, _FEWEST = 14, 90, 18
_COLOURS = [[0, "rgba(208, 60, 46, 0.07)"], [1, "rgba(208, 60, 46, 1)"]]
"""From hardly any, on white paper as on a dark page."""


def confusion_heatmap(matrix: pd.DataFrame, pictures: pd.Series) -> go.Figure:
    """Heatmap of a confusion matrix, rows true, columns predicted.

    Colour is the share of the class's pictures. The diagonal, what was right, has no colour: it would outshine every
    mistake. Characters stand there instead: near it are most mistakes, and on a phone the names of the rows soon are
    out of sight.

    Args:
        matrix: Counts; the columns are the rows' classes and others, not all that pictures of a row were taken for.
        pictures: How many there are of each class.
    """
    counts = matrix.to_numpy(dtype=float)
    shares = counts / np.maximum(1, pictures.reindex(matrix.index).to_numpy(dtype=float))[:, np.newaxis]
    shares[matrix.index.to_numpy()[:, np.newaxis] == matrix.columns.to_numpy()] = np.nan
    # Plotly takes what looks like a tag for one.
    names, taken_for = ([escape(label) for label in labels] for labels in (matrix.index, matrix.columns))
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=taken_for,
            y=names,
            customdata=counts,
            colorscale=_COLOURS,
            zmin=0,
            zmax=float(np.nanmax(shares)) if np.isfinite(shares).any() and np.nanmax(shares) > 0 else 1,
            hovertemplate=_("%{y} taken for %{x}: %{customdata:.0f} (%{z:.1%})") + "<extra></extra>",
            hoverongaps=False,
            colorbar={"tickformat": ".0%", "thickness": 12},
            xgap=1,
            ygap=1,
        )
    )
    figure.add_scatter(
        x=names,
        y=names,
        text=[name if is_character(label) else "" for label, name in zip(matrix.index, names, strict=True)],
        mode="text",
        textfont={"color": "gray", "size": 11},
        hoverinfo="skip",
        showlegend=False,
    )
    # Of a fixed size: squeezed into a phone's width, a column of fifty has no room for its name. A drag is for the box
    # that scrolls, and no zoom.
    figure.update_layout(
        width=_FRAME_PX + _CELL_PX * max(_FEWEST, len(taken_for)),
        height=_FRAME_PX + _CELL_PX * max(_FEWEST, len(names)),
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        dragmode=False,
    )
    fixed = {"type": "category", "fixedrange": True, "showgrid": False, "tickfont": {"size": 11}}
    for axis, labels in ((figure.layout.xaxis, matrix.columns), (figure.layout.yaxis, matrix.index)):
        shown = [escape(short_label(label)) for label in labels]
        ends = [-0.5, len(shown) - 0.5]
        axis.update(fixed, tickvals=list(range(len(shown))), ticktext=shown, range=ends)
    upright = all(is_character(label) for label in matrix.columns)
    figure.update_xaxes(title=_("recognised as"), side="top", tickangle=0 if upright else -90)
    figure.update_yaxes(title=_("written"), range=figure.layout.yaxis.range[::-1])
    return figure
