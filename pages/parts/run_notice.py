"""What a run tells beyond its own page: the browser's title, and a toast when it ends."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from hanzi_core.errors import HanziError
from hanzi_core.jobs import Job, Status, list_jobs
from hanzi_core.jobs.queue import keep_watched
from hanzi_core.jobs.store import STATE_NAMES, State
from hanzi_core.language import gettext as _
from hanzi_core.workspace import Workspace
from pages.parts.plain_text import escape

LOOK_S = 2.0
QUEUE_LOOK_S = 30.0
_ICONS = {State.FINISHED: ":material/check_circle:", State.STOPPED: ":material/stop_circle:"}


def show_in_title(job: Job, status: Status) -> None:
    """State and progress in the browser's title: a tab in the background tells how far it is."""
    progress = status.progress
    share = f"{progress.done / progress.total:.0%} · " if progress and progress.total else ""
    title = f"{share}{_(STATE_NAMES[status.state])} · {job.title}"
    st.set_page_config(page_title=title)


@st.cache_data(ttl=QUEUE_LOOK_S, show_spinner=False)
def _keep_watched(root: Path) -> None:
    """Now and then, whatever became of the supervisor: the next run is to start by itself."""
    with suppress(HanziError, OSError):
        keep_watched(Workspace(root))


@st.fragment(run_every=LOOK_S)
def watch_runs() -> None:
    """A toast on this page when a run ends, whoever started it."""
    with suppress(HanziError, OSError):  # of a workspace that has gone meanwhile the page itself tells
        _watch_runs_of(Workspace.open())


def _watch_runs_of(space: Workspace) -> None:
    _keep_watched(space.root)
    before: dict[str, State] | None = st.session_state.get("seen-states")
    now = {job.id: _state(job) for job in list_jobs(space, "train")}
    st.session_state["seen-states"] = now
    for key in now.keys() & (before or {}).keys():
        if before and before[key].is_active and not now[key].is_active:
            words = _("“{run}”: {state}").format(run=escape(Job.find(space, key).title), state=_(STATE_NAMES[now[key]]))
            st.toast(words, icon=_ICONS.get(now[key], ":material/error:"), duration="long")


def _state(job: Job) -> State:
    try:
        return job.status().state
    except HanziError:  # deleted between two looks
        return State.LOST
