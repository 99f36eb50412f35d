"""Training: start runs, watch them from anywhere, compare them."""

from collections.abc import Iterator
from contextlib import suppress

import streamlit as st

from hanzi_core.dataset import list_datasets
from hanzi_core.errors import JobError
from hanzi_core.jobs import Job, list_jobs, notice, trash
from hanzi_core.jobs.store import STATE_NAMES, damaged_jobs
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace
from pages.parts.choice import choose
from pages.parts.damaged_jobs import show_damaged_jobs
from pages.parts.run_compare import show_comparison
from pages.parts.run_form import STARTED, is_asked_for, show_run_form
from pages.parts.run_view import show_run
from pages.parts.session import choices_kept, errors_shown, workspace

VIEWS = {"one": mark("One run"), "several": mark("Compare"), "more": mark("Notices and trash")}


def describe(job: Job) -> str:
    """A run as the list of runs names it."""
    tags = "".join(f" #{tag}" for tag in job.tags)
    return f"{job.title}{tags} · {_(STATE_NAMES[job.status().state])} · {job.id.removeprefix('train-')}"


def show_more(space: Workspace) -> None:
    """The address that hears of the end of runs, and what was thrown away."""
    now = None
    with errors_shown():
        now = notice.webhook(space)
    url = st.text_input(
        _("Address to tell when a run ends"), now or "", placeholder="https://…", key="webhook",
        help=_("Gets a POST with JSON: run, state, reason, result."),
    )  # fmt: skip
    if st.button(_("Save"), icon=":material/save:"):
        with errors_shown():
            notice.set_webhook(space, url)
            st.toast(_("Runs that end are told there.") if notice.webhook(space) else _("Nobody is told."))
    with errors_shown():
        show_trash(space)


def show_trash(space: Workspace) -> None:
    """What was thrown away: to be had back, or to be let go of for good."""
    thrown, damaged = trash.thrown_away(space), trash.damaged(space)
    st.subheader(_("Trash"))
    for job in thrown:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"{job.title} · {job.id}")
            if st.button(_("Restore"), key=f"restore-{job.id}", icon=":material/restore_from_trash:"):
                trash.restore(space, job)
                st.rerun()
    for job in damaged:
        word = _("damaged")
        st.text(f"{word} · {job.id}")
    if not (thrown or damaged):
        st.caption(_("The trash is empty."))
    else:
        with st.popover(_("Empty the trash"), icon=":material/delete_forever:"):
            if st.button(_("Delete them for good"), type="primary"):
                trash.empty(space)
                st.rerun()


def described(runs: dict[str, Job]) -> Iterator[tuple[str, str]]:
    """What each run is called; one may be thrown away at any moment, by another browser too."""
    for key, job in runs.items():
        with suppress(JobError):
            yield key, describe(job)


space = workspace()
st.title(_("Training"))
runs = {job.id: job for job in list_jobs(space, "train")}

if not list_datasets(space):
    st.info(_("There is nothing to train on yet."), icon=":material/info:")
    st.page_link("pages/datasets.py", label=_("Bring in a dataset"), icon=":material/photo_library:")
else:
    is_open = not runs or is_asked_for()
    # Another key is another expander: closed, or what was started would be below the form, out of sight on a phone.
    key = f"new-run-{st.session_state.get(STARTED, 0)}-{is_open}"
    with st.expander(_("New run"), expanded=is_open, icon=":material/add:", key=key), choices_kept("form-"):
        show_run_form(space)

asked = st.query_params.get("run")
damaged = damaged_jobs(space.jobs)
if asked and asked not in runs and asked not in {job.id for job in damaged}:
    st.warning(_("The run {run} is no longer there: its folder was deleted.").format(run=f"`{asked}`"))
show_damaged_jobs(space, damaged)
st.session_state.setdefault("view", st.query_params.get("view") if st.query_params.get("view") in VIEWS else "one")
view = st.segmented_control(
    _("View"), list(VIEWS), format_func=lambda key: _(VIEWS[key]), key="view", required=True,
    label_visibility="collapsed",
)  # fmt: skip
st.query_params["view"] = str(view)  # ``bind`` would write the label, which another language does not know
if view == "more":
    show_more(space)
elif runs:
    names = dict(described(runs))
    with errors_shown():
        if view == "several":
            show_comparison(runs, names)
        else:
            show_run(runs[choose(_("Run"), names, "run")])
