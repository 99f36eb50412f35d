"""What one chooses in an evaluation, and its pictures with what a model took them for."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.dataset import Dataset
from hanzi_core.dataset.pack import sample_pictures
from hanzi_core.errors import DatasetError
from hanzi_core.image.thumbnail import thumbnail
from hanzi_core.jobs import Job
from hanzi_core.language import gettext as _
from pages.parts.dataset_facts import source_of
from pages.parts.plain_text import escape
from pages.parts.session import workspace
from pages.parts.tables import table_height

PICTURE_LIMIT = 40
_SHOWN_PX = 96


def show_evaluated(job: Job, rows: pd.DataFrame, captions: Sequence[str], explanation: str) -> None:
    """Pictures that an evaluation was of, :data:`PICTURE_LIMIT` at most.

    Args:
        job: The evaluation.
        rows: Of its predictions.
        captions: What stands below each picture.
        explanation: What the captions are.
    """
    found: list[NDArray[np.uint8] | None] = []
    with suppress(DatasetError):  # all of the source is away, or only what is asked for
        source = source_of(Dataset.find(workspace(), job.config["dataset"]))
        found = sample_pictures(source, list(rows["path"].head(PICTURE_LIMIT)))
    pairs = zip(found, captions, strict=False)
    shown = [(thumbnail(picture, 2 * _SHOWN_PX), escape(caption)) for picture, caption in pairs if picture is not None]
    if not shown:
        st.info(_("The pictures can no longer be read: the dataset's source has moved."))
        return
    st.image(
        [picture for picture, _caption in shown], caption=[caption for _picture, caption in shown], width=_SHOWN_PX
    )
    st.caption(explanation)
    if len(rows) > PICTURE_LIMIT:
        st.caption(_("The first {shown} of {all}.").format(shown=PICTURE_LIMIT, all=f"{len(rows):,}"))


def choose_row(rows: pd.DataFrame, columns: dict[str, Any], height: int, key: str) -> pd.Series:
    """A table in which one row is always chosen, at first the first; that row.

    Streamlit goes on with row 30 where only 20 are left: a table of another length is another table.

    Args:
        rows: What it shows.
        columns: How each column is shown.
        height: Of the table, in pixels, at most.
        key: Of the choice in the session.
    """
    table = st.dataframe(
        rows,
        hide_index=True,
        height=table_height(len(rows), height),
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [0]}},
        column_config=columns,
        key=f"{key}-{len(rows)}",
    )
    return rows.iloc[table.selection.rows[0] if table.selection.rows else 0]
