"""A run over its epochs."""

from typing import Any

import plotly.graph_objects as go

from hanzi_core.language import gettext as _

POINT_LIMIT = 500
"""A curve of more points is thinned: the eye sees no difference, the browser does."""


def learning_curves(rows: list[dict[str, Any]], figure_of: str) -> go.Figure:
    """Training and validation ``loss`` or ``accuracy`` of a run's history over its epochs.

    Args:
        rows: History of a run, with rows of kind ``step`` (within an epoch) and ``epoch``.
        figure_of: ``loss`` or ``accuracy``.
    """
    epochs = [row for row in rows if row.get("kind") == "epoch"]
    steps = _thin([row for row in rows if row.get("kind") == "step" and row.get(figure_of) is not None])
    figure = go.Figure()
    figure.add_scatter(
        x=[row["epoch"] for row in steps],
        y=[row[figure_of] for row in steps],
        name=_("within epochs"),
        line={"width": 1},
        opacity=0.35,
        hoverinfo="skip",
    )
    for key, name in ((figure_of, _("training")), (f"val_{figure_of}", _("validation"))):
        known = _thin([row for row in epochs if row.get(key) is not None])
        figure.add_scatter(
            x=[row["epoch"] for row in known], y=[row[key] for row in known], name=name, mode="lines+markers"
        )
    figure.update_layout(
        height=300,
        margin={"l": 0, "r": 0, "t": 36, "b": 0},
        title={"text": _("Loss") if figure_of == "loss" else _("Accuracy"), "font": {"size": 15}},
        legend={"orientation": "h", "y": 1.14, "x": 1, "xanchor": "right"},
        hovermode="x unified",
        uirevision="curves",  # zoom survives the next second
    )
    figure.update_xaxes(title=_("Epoch"), rangemode="tozero")
    if figure_of == "accuracy":
        figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return figure


def _thin(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    stride = max(1, len(rows) // POINT_LIMIT)
    return rows if stride == 1 else [*rows[:-1:stride], rows[-1]]
