"""How pictures are spread over classes."""

import pandas as pd
import plotly.graph_objects as go

from hanzi_core.language import gettext as _


def class_histogram(counts: pd.Series, logarithmic: bool = False) -> go.Figure:
    """Pictures of each class, the largest first.

    Args:
        counts: Pictures by label.
        logarithmic: Show counts on a logarithmic axis: at 7,328 uneven classes the small ones vanish otherwise.
    """
    ordered = counts.sort_values(ascending=False, kind="stable")
    bars = go.Bar(
        x=list(range(1, len(ordered) + 1)),
        y=ordered.to_numpy(),
        customdata=ordered.index.to_numpy(dtype=str),
        hovertemplate="%{customdata}: %{y}<extra></extra>",
        marker_line_width=0,
    )
    figure = go.Figure(bars)
    figure.update_layout(
        height=280, margin={"l": 0, "r": 0, "t": 8, "b": 0}, bargap=0.1 if len(ordered) < 200 else 0, showlegend=False
    )
    figure.update_yaxes(title=_("Pictures"), type="log" if logarithmic else "linear")
    figure.update_xaxes(title=_("Classes by size"))
    if len(ordered) <= 60:
        figure.update_xaxes(tickvals=list(range(1, len(ordered) + 1)), ticktext=list(ordered.index), title=None)
    return figure
