"""The pairs that were confused, and the pictures behind each."""

import pandas as pd
import streamlit as st

from hanzi_core.jobs import Job
from hanzi_core.language import gettext as _
from pages.parts.evaluated_pictures import choose_row, show_evaluated
from pages.parts.plain_text import escape
from pages.parts.tables import share_column

PAIR_LIMIT = 500


def show_pairs(job: Job, predictions: pd.DataFrame, pairs: pd.DataFrame) -> None:
    """A table of pairs; the selected one's pictures beside it."""
    table, pictures = st.columns(2)
    with table:
        st.caption(_("The most frequent first."))  # and no tab is where a touch screen shows the buttons of the table
        columns = {
            "label": st.column_config.TextColumn(_("Written"), width=64),
            "predicted": st.column_config.TextColumn(_("Recognised as"), width=98),
            "count": st.column_config.NumberColumn(_("Times"), width=56),
            "share": share_column(_("Share"), 104),
        }
        row = choose_row(pairs.head(PAIR_LIMIT), columns, height=320, key=f"pairs-{job.id}")
        if len(pairs) > PAIR_LIMIT:
            st.caption(_("The first {shown} of {all}.").format(shown=PAIR_LIMIT, all=f"{len(pairs):,}"))
    with pictures:
        st.markdown(
            _("**{label}** taken for **{predicted}**").format(
                label=escape(row["label"]), predicted=escape(row["predicted"])
            )
        )
        rows = predictions[_is_pair(predictions, row)].sort_values("probability_1", ascending=False)
        captions = [f"{probability:.0%}" for probability in rows["probability_1"]]
        show_evaluated(job, rows, captions, _("Below each, how sure the model was of its wrong answer."))


def _is_pair(predictions: pd.DataFrame, pair: pd.Series) -> pd.Series:
    return (predictions["label"] == pair["label"]) & (predictions["predicted_1"] == pair["predicted"])
