"""Training: start a run and watch it, from here or from anywhere."""

import streamlit as st

from hanzi_core.dataset import list_datasets
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.jobs.store import STATE_NAMES
from hanzi_core.language import gettext as _
from pages.parts.choice import choose
from pages.parts.run_form import show_run_form
from pages.parts.run_view import show_run
from pages.parts.session import errors_shown, workspace


def describe(job: Job) -> str:
    """A run as the list of runs names it."""
    return f"{job.title} · {_(STATE_NAMES[job.status().state])} · {job.id.removeprefix('train-')}"


space = workspace()
st.title(_("Training"))
runs = {job.id: job for job in list_jobs(space, "train")}

if not list_datasets(space):
    st.info(_("There is nothing to train on yet."), icon=":material/info:")
    st.page_link("pages/datasets.py", label=_("Bring in a dataset"), icon=":material/photo_library:")
else:
    with st.expander(_("New run"), expanded=not runs, icon=":material/add:"):
        show_run_form(space)

asked = st.query_params.get("run")
if asked and asked not in runs:
    st.warning(_("The run {run} is no longer there: its folder was deleted.").format(run=f"`{asked}`"))
if runs:
    chosen = choose(_("Run"), {key: describe(job) for key, job in runs.items()}, "run")
    with errors_shown():
        show_run(runs[chosen])
