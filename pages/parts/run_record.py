"""What a person adds to a run at any time, name, notes and tags, and does with it: clone; once it has ended, resume and
delete."""

from datetime import datetime

import streamlit as st

from hanzi_core.cli.perform import resume
from hanzi_core.jobs import Job, Status
from hanzi_core.jobs.store import STATE_NAMES, State
from hanzi_core.jobs.trash import throw_away
from hanzi_core.language import gettext as _
from pages.parts.plain_text import escape
from pages.parts.run_form import CLONE
from pages.parts.session import errors_shown, workspace


def show_life(status: Status) -> None:
    """Every state with its time and reason."""
    lines = (
        f"{datetime.fromtimestamp(change.time):%Y-%m-%d %H:%M:%S}  {_(STATE_NAMES[change.state])}  {change}"
        for change in status.changes
    )
    st.code("\n".join(lines), language=None, wrap_lines=True)


def show_record(job: Job, at_work: bool) -> None:
    """Buttons and fields; a run that is ``at_work`` can be neither resumed nor deleted."""
    can_go_on = not at_work and job.status().state is not State.FINISHED
    with st.container(horizontal=True), errors_shown():
        if can_go_on and st.button(_("Resume"), type="primary", icon=":material/resume:"):
            resume(workspace(), job)
            st.rerun()
        if st.button(_("Clone"), icon=":material/content_copy:", help=_("A new run with these settings to change.")):
            st.session_state[CLONE] = job.id
            st.toast(_("The form above has its settings: change them and start."), icon=":material/arrow_upward:")
            st.rerun()
        if not at_work and st.button(_("Delete"), icon=":material/delete:", help=_("Moves it to the trash.")):
            told = _("“{run}” is in the trash: it can be had back from “Notices and trash”.")
            told = told.format(run=escape(job.title))
            throw_away(workspace(), job)
            st.toast(told, icon=":material/delete:", duration="long")
            if st.session_state.get(CLONE) == job.id:
                del st.session_state[CLONE]
            st.session_state.pop("run", None)
            st.query_params.pop("run", None)
            st.rerun()
    with st.expander(_("Name, notes and tags"), expanded=False), st.form(f"record-{job.id}", border=False):
        title = st.text_input(_("Name"), job.title)
        tags = st.text_input(_("Tags"), " ".join(job.tags), help=_("Words with spaces between."))
        notes = st.text_area(_("Notes"), job.notes)
        if st.form_submit_button(_("Save"), icon=":material/save:"):
            with errors_shown():
                job.describe(title=title.strip(), tags=tags.split(), notes=notes)
                st.rerun()
