"""Jobs whose folder can no longer be read: they are told, and can be thrown away."""

import streamlit as st

from hanzi_core.jobs import Job
from hanzi_core.jobs.store import DAMAGED
from hanzi_core.jobs.trash import throw_away
from hanzi_core.language import gettext as _
from hanzi_core.workspace import Workspace
from pages.parts.plain_text import show_error
from pages.parts.session import errors_shown


def show_damaged_jobs(space: Workspace, damaged: list[Job]) -> None:
    """Each with its button."""
    for job in damaged:
        with st.container(horizontal=True, vertical_alignment="center"):
            show_error(_(DAMAGED).format(job=job.id))
            help_text = _("Moves it to the trash.")
            if st.button(_("Delete"), key=f"delete-{job.id}", icon=":material/delete:", help=help_text):
                with errors_shown():
                    throw_away(space, job)
                    st.rerun()
