"""The answers that were corrected: look, export, delete, train on."""

from datetime import datetime

import pandas as pd
import streamlit as st

from hanzi_core.bundle import shown_name
from hanzi_core.cli.perform import start
from hanzi_core.cli.training import chosen_devices
from hanzi_core.dataset.store import CORRECTIONS
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.recognition.corrections import Correction, Corrections
from hanzi_core.training.fine_tuning import fine_tuning
from pages.parts.choice import show_next
from pages.parts.plain_text import escape
from pages.parts.recognise_desk import Desk
from pages.parts.session import errors_shown

DAMAGED = mark("Corrections whose records are damaged, and so not listed: {files}. Their pictures stay in the dataset.")


def show_corrections(desk: Desk) -> None:
    """All that were kept: look, export, delete, train on."""
    corrections = Corrections(desk.space)
    kept = corrections.all()
    if damaged := corrections.damaged():
        st.warning(escape(_(DAMAGED).format(files=", ".join(damaged))), icon=":material/warning:")
    if not kept:
        if not damaged:
            st.info(_("Nothing has been corrected yet. Where an answer is wrong, say what it should be."))
        return
    # And the tab is not where a touch screen shows the buttons of the table.
    st.caption(_("The newest first. Choose some to see or delete them."))
    chosen = _show_table(corrections, kept)
    with st.container(horizontal=True, vertical_alignment="center"):
        delete = st.button(_("Delete the chosen"), icon=":material/delete:", disabled=not chosen)
        st.download_button(
            _("Export as zip"), corrections.export, "corrections.zip", "application/zip", icon=":material/download:"
        )
        st.page_link("pages/datasets.py", label=_("See the dataset"), icon=":material/photo_library:")
    if delete:
        with errors_shown():
            corrections.delete([each.id for each in chosen])
            st.rerun()
    _offer_to_learn(desk)


def _offer_to_learn(desk: Desk) -> None:
    """One click lets the present model learn them; a link shows the settings first."""
    name = desk.recogniser.bundle.name
    with st.container(horizontal=True, vertical_alignment="center"):
        begin = st.button(
            _("Fine-tune “{model}” on them").format(model=name), type="primary", icon=":material/model_training:"
        )
        st.page_link(
            "pages/training.py",
            label=_("Choose the settings"),
            icon=":material/tune:",
            query_params={"dataset": CORRECTIONS, "start": desk.model},
        )
    st.caption(
        _(
            "It learns them all, goes over what it knows so that it forgets little, and becomes one more model to "
            "choose. That takes a few minutes."
        )
    )
    if begin:
        with errors_shown():
            config = fine_tuning(desk.space, desk.model, CORRECTIONS)
            job = start(desk.space, "train", config, f"{name} + {CORRECTIONS}", chosen_devices(None))
            show_next("run", job.id)
            st.switch_page("pages/training.py", query_params={"run": job.id})


def _show_table(corrections: Corrections, kept: list[Correction]) -> list[Correction]:
    table = pd.DataFrame(
        {
            "label": [each.label for each in kept],
            "recognised": [each.recognised for each in kept],
            "model": [shown_name(each.model) for each in kept],
            "time": [datetime.fromtimestamp(each.time) for each in kept],
        }
    )
    shown = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"corrections-{kept[0].id}-{len(kept)}",  # rows that were chosen are not those of another list
        column_config={
            "label": _("Should be"),
            "recognised": _("Recognised as"),
            "model": _("Model"),
            "time": st.column_config.DatetimeColumn(_("Time"), format="YYYY-MM-DD HH:mm"),
        },
    )
    chosen = [kept[row] for row in shown.selection.rows if row < len(kept)]
    pictures = [picture for each in chosen if (picture := corrections.picture(each)) is not None]
    if pictures:
        st.image(pictures, width=96)
    return chosen
