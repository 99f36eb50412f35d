"""Which character is taken for which, as a picture."""

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hanzi_core.language import gettext as _

_COLOURS = [[0, "rgba(208, 60, 46, 0.07)"], [1, "rgba(208, 60, 46, 1)"]]
"""From hardly any, on white paper as on a dark page."""


def confusion_heatmap(matrix: pd.DataFrame, pictures: pd.Series) -> go.Figure:
    """Heatmap of a confusion matrix, rows true, columns predicted.

    Colour is the share of the class's pictures. The diagonal, what was right, has no colour: it would outshine every
    mistake.

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
            hovertemplate=_("%{y} taken for %{x}: %{customdata:.0f} (%{z:.0%})") + "<extra></extra>",
            colorbar={"tickformat": ".0%", "thickness": 12},
            xgap=1,
            ygap=1,
        )
    )
    side = max(360, min(900, 130 + 14 * len(names)))
    figure.update_layout(height=side, margin={"l": 0, "r": 0, "t": 8, "b": 0})
    # On a phone not every column has room for its name: plotly leaves some out.
    figure.update_xaxes(title=_("recognised as"), type="category", side="top", tickangle=0, tickfont={"size": 11})
    figure.update_yaxes(title=_("written"), type="category", autorange="reversed", dtick=1)
    return figure
