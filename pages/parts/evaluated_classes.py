"""Every character of an evaluation: how well it was read, and its pictures."""

import pandas as pd
import streamlit as st

from hanzi_core.evaluation.metrics import by_class
from hanzi_core.jobs import Job
from hanzi_core.language import gettext as _
from pages.parts.evaluated_pictures import choose_row, show_evaluated
from pages.parts.plain_text import escape
from pages.parts.tables import share_column


def show_classes(job: Job, predictions: pd.DataFrame) -> None:
    """A table of all classes, the worst first; the selected one's pictures beside it, what went wrong first."""
    classes = by_class(predictions)
    table, pictures = st.columns(2)
    with table:
        st.caption(_("The worst first."))  # and no tab is where a touch screen shows the buttons of the table
        columns = {
            "label": st.column_config.TextColumn(_("Written"), width=64),
            "images": st.column_config.NumberColumn(_("Pictures"), width=64),
            # On a phone there is room for figures, and none for bars.
            "f1": share_column("F1", 66, _("Harmonic mean of recall and precision.")),
            "recall": share_column(_("Recall"), 66, _("Of the pictures of this character, how many were read as it.")),
            "precision": share_column(
                _("Precision"), 66, _("Of the pictures that were read as this character, how many are of it.")
            ),
        }
        label = choose_row(classes[list(columns)], columns, height=420, key=f"classes-{job.id}")["label"]
    with pictures:
        st.markdown(f"**{escape(label)}**")
        own = predictions[predictions["label"] == label]
        rows = own.assign(is_right=own["rank"] == 1).sort_values(["is_right", "probability_1"], ascending=[True, False])
        pairs = zip(rows["predicted_1"], rows["probability_1"], strict=True)
        answers = [f"{predicted} {probability:.0%}" for predicted, probability in pairs]
        show_evaluated(job, rows, answers, _("Below each, what it was read as, and how sure the model was."))
