"""How far the probabilities of a model can be trusted."""

import pandas as pd
import streamlit as st

from hanzi_core.charts.confidence import coverage_curve, reliability_diagram
from hanzi_core.evaluation.calibration import calibration_error, coverage, reliability
from hanzi_core.language import gettext as _
from pages.parts.chart import show_chart

_SURE = 0.9


def show_confidence(predictions: pd.DataFrame) -> None:
    """How often it is right when it is so sure, and what one gains by heeding only what it is sure of."""
    table, covered = reliability(predictions), coverage(predictions)
    sure = covered[covered["least"] == _SURE].iloc[0]
    with st.container(horizontal=True):
        st.metric(
            _("Calibration error"),
            f"{calibration_error(table):.2%}",
            border=True,
            help=_(
                "By how much the confidence of an answer misses how often such answers are right, in the mean over "
                "all pictures (expected calibration error, ten bins)."
            ),
        )
        st.metric(_("Confidence of {sure} or more").format(sure=f"{_SURE:.0%}"), f"{sure['share']:.1%}", border=True)
        right = f"{sure['right']:.2%}" if sure["share"] else "–"
        st.metric(_("Of these, right"), right, border=True)
    first, second = st.columns(2)
    with first:
        show_chart(reliability_diagram(table), "reliability")
        st.caption(
            _(
                "Above the dotted line a model is right more often than it says, below it less often; a larger point "
                "stands for more pictures."
            )
        )
    with second:
        show_chart(coverage_curve(covered), "coverage")
        st.caption(
            _(
                "If a person looks at all that the model is less sure of: coverage is the share that is left to the "
                "model, accuracy how much of that is right."
            )
        )
