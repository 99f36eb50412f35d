"""How sure a model is, and how often it is right then."""

import pandas as pd
import plotly.graph_objects as go

from hanzi_core.charts.curves import COLOURS
from hanzi_core.language import gettext as _

_MODEL, _OTHER = COLOURS[:2]
_LEAST_PX, _MOST_PX = 6, 26


def reliability_diagram(table: pd.DataFrame) -> go.Figure:
    """How often answers are right over how sure the model was of them; on the diagonal where both agree.

    Args:
        table: As :func:`~hanzi_core.evaluation.calibration.reliability` gives it.
    """
    figure = _figure(_("Confidence"), _("Accuracy"))
    diagonal = {"color": "gray", "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=diagonal, hoverinfo="skip", showlegend=False)
    size = _LEAST_PX + (_MOST_PX - _LEAST_PX) * (table["images"] / table["images"].max()) ** 0.5
    figure.add_scatter(
        x=table["probability"],
        y=table["right"],
        customdata=table["images"],
        mode="lines+markers",
        line={"color": _MODEL},
        marker={"size": size, "opacity": 1},
        cliponaxis=False,
        hovertemplate=_("Of {images} answers with a confidence of {confidence}, {right} are right").format(
            images="%{customdata:,}", confidence="%{x:.0%}", right="%{y:.1%}"
        )
        + "<extra></extra>",
        showlegend=False,
    )
    return figure


def coverage_curve(table: pd.DataFrame) -> go.Figure:
    """How many pictures get an answer that is sure enough, and how many of those answers are right.

    Args:
        table: As :func:`~hanzi_core.evaluation.calibration.coverage` gives it.
    """
    figure = _figure(_("Least confidence"), None)
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(hoverformat=".0%")
    for column, name, colour in (("right", _("Accuracy"), _MODEL), ("share", _("Coverage"), _OTHER)):
        figure.add_scatter(
            x=table["least"],
            y=table[column],
            name=name,
            mode="lines",
            line={"color": colour},
            hovertemplate="%{y:.1%}",
        )
    return figure


def _figure(across: str, up: str | None) -> go.Figure:
    percent = {"tickformat": ".0%", "range": [0, 1.03], "dtick": 0.2}
    return go.Figure(
        layout=go.Layout(
            height=340,
            margin={"l": 0, "r": 16, "t": 36, "b": 0},  # or there is no room for the half of “100%”
            legend={"orientation": "h", "y": 1.14, "x": 1, "xanchor": "right"},
            xaxis={**percent, "title": {"text": across}},
            yaxis={**percent, **({"title": {"text": up}} if up else {})},
        )
    )
