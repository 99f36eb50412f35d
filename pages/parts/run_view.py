"""A run, live while it trains: progress, figures, curves and log, all read from its folder."""

from typing import Any

import streamlit as st

from hanzi_core.bundle import CARD, bundle_folder
from hanzi_core.charts.curves import learning_curves
from hanzi_core.errors import HanziError
from hanzi_core.jobs import Job, Status
from hanzi_core.language import gettext as _
from pages.parts.job_panel import REFRESH_S, duration, show_end_buttons, show_progress, show_state


def show_run(job: Job) -> None:
    """The run; drawn anew every second until it ends, then once more with all that it left."""
    if job.status().state.is_active:
        _show_live(job)
    else:
        _show(job, job.status())


@st.fragment(run_every=REFRESH_S)
def _show_live(job: Job) -> None:
    try:
        status = job.status()
        _show(job, status)
    except HanziError as error:  # its folder may be deleted while we look at it
        st.error(str(error), icon=":material/error:")
        return
    if not status.state.is_active:
        st.rerun()


def _show(job: Job, status: Status) -> None:
    show_state(job, status)
    show_progress(status)
    rows = job.history.rows()
    _show_figures(job, status, rows)
    show_end_buttons(job, status)
    if any(row.get("kind") == "epoch" for row in rows) or len(rows) > 1:
        left, right = st.columns(2)
        left.plotly_chart(learning_curves(rows, "accuracy"), key=f"accuracy-{job.id}")
        right.plotly_chart(learning_curves(rows, "loss"), key=f"loss-{job.id}")
    if (bundle_folder(job) / CARD).exists() and not status.state.is_active:
        with st.container(horizontal=True):
            st.page_link(
                "pages/evaluation.py",
                label=_("See what it confuses"),
                icon=":material/grid_on:",
                query_params={"run": job.id},
            )
            st.page_link(
                "pages/recognise.py",
                label=_("Draw and recognise"),
                icon=":material/stylus:",
                query_params={"model": job.id},
            )
    with st.expander(_("Log and settings")):
        st.code(job.log_tail() or _("The log is empty."), language=None, height=240)
        st.json(job.config, expanded=False)


def _show_figures(job: Job, status: Status, rows: list[dict[str, Any]]) -> None:
    epochs = [row for row in rows if row.get("kind") == "epoch"]
    latest = rows[-1] if rows else {}
    accuracies = [row["val_accuracy"] for row in epochs if "val_accuracy" in row]
    figures = {
        _("Epoch"): f"{latest.get('epoch', 0):g} / {job.config['epochs']}",
        _("Best in validation"): f"{max(accuracies):.1%}" if accuracies else "–",
        _("Images/s"): f"{latest.get('images_per_s', 0):,.0f}" if latest else "–",
        _("Time left"): "–",
    }
    if status.progress and status.progress.remaining_s is not None and status.state.is_active:
        figures[_("Time left")] = duration(status.progress.remaining_s)
    with st.container(horizontal=True):
        for name, value in figures.items():
            st.metric(name, value, border=True, width=170)
