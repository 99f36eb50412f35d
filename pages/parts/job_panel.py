"""A job as it is now: state, progress, time left, and the buttons that end it."""

import streamlit as st

from hanzi_core.bundle import shown_name
from hanzi_core.errors import HanziError
from hanzi_core.jobs import Job, Status, kill, stop
from hanzi_core.jobs.queue import ahead
from hanzi_core.jobs.store import STATE_NAMES, State
from hanzi_core.language import duration, listed
from hanzi_core.language import gettext as _
from pages.parts.plain_text import escape, show_error
from pages.parts.session import errors_shown, workspace

REFRESH_S = 1.0

_COLOURS = {
    State.FINISHED: "green",
    State.FAILED: "red",
    State.LOST: "red",
    State.STOPPED: "orange",
    State.STOPPING: "orange",
}


def watch_until_done(job: Job) -> None:
    """Show the progress of ``job`` every second, and draw the whole page anew when it has ended; then, how it ended."""
    status = job.status()
    if status.state.is_active:
        _watch(job)
    else:
        show_state(job, status)


def follow(job: Job) -> None:
    """Have :func:`failed_here` tell of ``job``, until this session starts another one of its kind."""
    st.session_state[f"{job.kind}-followed"] = job.id


def failed_here(job: Job) -> bool:
    """Whether ``job`` is the one of its kind that this session started last, and came to nothing."""
    followed = st.session_state.get(f"{job.kind}-followed")
    return followed == job.id and job.status().state in (State.FAILED, State.LOST)


@st.fragment(run_every=REFRESH_S)
def _watch(job: Job) -> None:
    try:
        status = job.status()
    except HanziError as error:
        show_error(error)
        return
    show_state(job, status)
    show_progress(status)
    show_turn(job, status)
    show_end_buttons(job, status)
    if not status.state.is_active:
        st.rerun()


def show_state(job: Job, status: Status) -> None:
    """Title, state, and the sentence that says why it is in that state."""
    colour = _COLOURS.get(status.state, "blue")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escape(shown_name(job.title))}**")
        st.badge(_(STATE_NAMES[status.state]), color=colour)  # type: ignore[arg-type]
    if status.state in (State.FAILED, State.LOST):
        show_error(status.changes[-1])


def show_progress(status: Status, within: str = "") -> None:
    """A bar with what is being done, ``within`` what, and how long it will take; nothing for a job that has ended."""
    progress = status.progress
    if not status.state.is_active:
        return
    if progress is None:
        st.progress(0.0, text=str(status.changes[-1]))
        return
    parts = [_(progress.phase), *filter(None, [within])]
    if progress.total > 1:
        parts.append(f"{progress.done:,} / {progress.total:,}")
    if progress.remaining_s is not None:
        parts.append(_("{time} left").format(time=duration(progress.remaining_s)))
    st.progress(min(1.0, progress.done / progress.total) if progress.total else 0.0, text=" · ".join(parts))


def show_turn(job: Job, status: Status) -> None:
    """For whom a queued job waits."""
    if status.state is State.QUEUED and (before := ahead(workspace(), job)):
        st.text(_("Its turn comes after: {runs}").format(runs=listed(f"“{other.title}”" for other in before)))


def show_end_buttons(job: Job, status: Status) -> None:
    """Stop, and once that has been asked for, kill."""
    if not status.state.is_active:
        return
    asked = job.stop_requested()
    label = _("End at once") if asked else _("Stop")
    help_text = _("Ends its process; unsaved work is lost.") if asked else _("Saves what there is, then ends.")
    if st.button(label, key=f"stop-{job.id}-{asked}", icon=":material/stop_circle:", help=help_text):
        with errors_shown():
            kill(job) if asked else stop(job)
        st.rerun(scope="fragment")


def short_duration(seconds: float) -> str:
    """A time span short enough for a card: 0:45, 3:20, 2:05:00."""
    whole = max(0, round(seconds))
    clock = f"{whole // 60 % 60}:{whole % 60:02d}"
    return clock if whole < 3600 else f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
