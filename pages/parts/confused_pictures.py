"""The pairs that were confused, and the pictures behind each."""

import pandas as pd
import streamlit as st

from hanzi_core.dataset import Dataset
from hanzi_core.dataset.pack import sample_pictures
from hanzi_core.jobs import Job
from hanzi_core.language import gettext as _
from pages.parts.job_panel import escape
from pages.parts.session import workspace

PICTURE_LIMIT = 40
PAIR_LIMIT = 500


def show_pairs(job: Job, predictions: pd.DataFrame, pairs: pd.DataFrame) -> None:
    """A table of pairs; the selected one's pictures beside it."""
    table, pictures = st.columns(2)
    with table:
        columns = st.column_config
        selected = st.dataframe(
            pairs.head(PAIR_LIMIT),
            hide_index=True,
            height=320,
            on_select="rerun",
            selection_mode="single-row-required",
            selection_default={"selection": {"rows": [0]}},
            column_config={
                "label": columns.TextColumn(_("Written"), width=64),
                "predicted": columns.TextColumn(_("Recognised as"), width=104),
                "count": columns.NumberColumn(_("Times"), width=56),
                "share": columns.ProgressColumn(_("Share"), format="percent", min_value=0, max_value=1, width=120),
            },
            key=f"pairs-{job.id}",
        )
    row = pairs.iloc[selected.selection.rows[0] if selected.selection.rows else 0]
    with pictures:
        st.markdown(
            _("**{label}** taken for **{predicted}**").format(
                label=escape(row["label"]), predicted=escape(row["predicted"])
            )
        )
        _show_pictures(job, predictions[_is_pair(predictions, row)])


def _is_pair(predictions: pd.DataFrame, pair: pd.Series) -> pd.Series:
    return (predictions["label"] == pair["label"]) & (predictions["predicted_1"] == pair["predicted"])


def _show_pictures(job: Job, rows: pd.DataFrame) -> None:
    worst = rows.sort_values("probability_1", ascending=False).head(PICTURE_LIMIT)
    source = Dataset.find(workspace(), job.config["dataset"]).source()
    pictures = sample_pictures(source, list(worst["path"]))
    shown = [
        (picture, f"{probability:.0%}")
        for picture, probability in zip(pictures, worst["probability_1"], strict=True)
        if picture is not None
    ]
    if shown:
        st.image([picture for picture, _p in shown], caption=[text for _p, text in shown], width=96)
        st.caption(_("Below each, how sure the model was of its wrong answer."))
    else:
        st.info(_("The pictures can no longer be read: the dataset's source has moved."))
