"""A run, live while it trains: progress, figures, curves and log, all read from its folder."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from hanzi_core.bundle import CARD, bundle_folder
from hanzi_core.charts.curves import learning_curves
from hanzi_core.errors import HanziError
from hanzi_core.image.presets import list_presets
from hanzi_core.jobs import Follower, History, Job, State, Status
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.training.best_epoch import rank
from pages.parts.chart import show_chart
from pages.parts.job_panel import REFRESH_S, short_duration, show_end_buttons, show_progress, show_state, show_turn
from pages.parts.model_card import link_model
from pages.parts.plain_text import escape, show_error
from pages.parts.run_notice import show_in_title
from pages.parts.run_record import show_life, show_record
from pages.parts.session import errors_shown, workspace
from pages.parts.setting_names import dataset_name, readable

CURVES = {
    "accuracy loss": mark("Accuracy and loss"),
    "top_5 learning_rate": mark("Top-5 and learning rate"),
    "images_per_s load": mark("Speed and load"),
}


@st.cache_resource(max_entries=64, show_spinner=False)
def _follower(path: str) -> Follower:
    """One for all sessions: a refresh costs the rows that are new."""
    return Follower(History(Path(path)), is_of_run)


def is_of_run(row: dict[str, Any]) -> bool:
    """Whether a row of a history is as runs write them: a kind, an epoch, and nothing but numbers beside."""
    kind, epoch = row.get("kind"), row.get("epoch")
    numbers = all(isinstance(value, int | float | None) for name, value in row.items() if name != "kind")
    return isinstance(kind, str) and numbers and epoch is not None and math.isfinite(epoch)


def show_run(job: Job) -> None:
    """The run; drawn anew every second until it ends, then once more with all that it left."""
    status = job.status()
    at_work = is_at_work(job, status)
    # In a box of its own: what is being written below is lost if it comes to stand elsewhere among its siblings.
    with st.container():
        if at_work:
            _show_live(job, status.state)
        else:
            with errors_shown():  # what is damaged can still be deleted, below
                _show(job, status)
    show_record(job, at_work)


@st.fragment(run_every=REFRESH_S)
def _show_live(job: Job, drawn: State) -> None:
    """The list of runs names the state too, so the whole page is drawn anew when it is another than was ``drawn``."""
    try:
        status = job.status()
        _show(job, status)
    except HanziError as error:  # its folder may be deleted while we look at it
        show_error(error)
        return
    if status.state is not drawn or not is_at_work(job, status):
        st.rerun()


def is_at_work(job: Job, status: Status) -> bool:
    """Whether the page will change by itself: a run that was stopped may still be writing its model."""
    return status.state.is_active or job.process(status) is not None


def _show(job: Job, status: Status) -> None:
    show_in_title(job, status)
    show_state(job, status)
    rows = rows_of(job)
    show_progress(status, _epoch(job, rows) if rows else "")
    show_turn(job, status)
    _show_figures(job, status, rows)
    show_end_buttons(job, status)
    if rows:
        _show_curves(job, rows)
    if (bundle_folder(job) / CARD).exists() and not status.state.is_active:
        with st.container(horizontal=True):
            link_model(job.id)
    with st.expander(_("Log, life and settings")):
        with st.container(height=240, border=False, autoscroll=True):  # one looks for what came last
            st.code(job.log_tail() or _("The log is empty."), language=None, wrap_lines=True)
        show_life(status)
        st.table(pd.Series(readable(job.config, list_presets(workspace())), name=_("Setting")))


def _epoch(job: Job, rows: list[dict[str, Any]]) -> str:
    """How far the run is within its present epoch; nothing after the last one, when its model is written."""
    done, count = rows[-1].get("epoch", 0.0), job.config.get("epochs", 0)  # of another version it may not be told
    if done >= count:
        return ""
    return _("epoch {number} of {epochs}, {share}").format(
        number=int(done) + 1, epochs=count, share=f"{done - int(done):.0%}"
    )


def epochs(count: float) -> str:
    """Epochs as people count them: 3, or 3.4 where one was cut short."""
    return f"{count:.1f}".removesuffix(".0")


def rows_of(job: Job) -> list[dict[str, Any]]:
    """The history of ``job`` by now."""
    return _follower(str(job.history.path)).rows()


def kept(job: Job, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The epoch whose weights are the model's by now: the best in validation, the last where nothing is held out."""
    validated = [row for row in rows if "val_accuracy" in row]
    if job.config.get("keep_last"):
        return validated[-1] if validated else None
    return max(validated, key=lambda row: rank(row["val_accuracy"], row.get("val_loss", math.inf)), default=None)


def speed_of(rows: list[dict[str, Any]]) -> float | None:
    """Pictures a second as it was last told."""
    return next((row["images_per_s"] for row in reversed(rows) if row.get("images_per_s")), None)


def _show_curves(job: Job, rows: list[dict[str, Any]]) -> None:
    chosen = st.segmented_control(
        _("Curves"),
        list(CURVES),
        default=next(iter(CURVES)),
        format_func=lambda pair: _(CURVES[pair]),
        key=f"curves-{job.id}",
        required=True,
        label_visibility="collapsed",
    )
    for place, name in zip(st.columns(2), chosen.split(), strict=True):
        show_chart(learning_curves(rows, name), f"{name}-{job.id}", place)


def _show_figures(job: Job, status: Status, rows: list[dict[str, Any]]) -> None:
    latest = rows[-1] if rows else {}
    best = kept(job, rows)
    speed = speed_of(rows)
    memory = next((row["memory_bytes"] for row in reversed(rows[-9:]) if "memory_bytes" in row), None)
    figures = {
        _("Epoch"): f"{epochs(latest.get('epoch', 0))} / {job.config.get('epochs', '–')}",
        _best_name(job): f"{best['val_accuracy']:.1%}" if best else "–",
        _("Images/s"): f"{speed:,.0f}" if speed else "–",
        _("Memory"): f"{memory / 2**30:.1f} GiB" if memory else "–",
    }
    if status.state.is_active:
        left = status.progress.remaining_s if status.progress else None
        figures[_("Time left")] = short_duration(left) if left is not None else "–"
    elif rows and (elapsed := next((row["elapsed_s"] for row in reversed(rows) if "elapsed_s" in row), None)):
        figures[_("Time")] = short_duration(elapsed)
    result: dict[str, Any] = {}
    with errors_shown():
        result = job.result() or {}
    if "learned" in result:
        figures[_("Learned")] = f"{result['learned']} / {result['to_learn']}"
    with st.container(horizontal=True):
        for name, value in figures.items():
            st.metric(name, value, border=True)
    if status.state is State.FINISHED and (why := _why_early(job.config, rows)):
        st.caption(why)
    if job.config.get("rehearsal"):
        st.caption(_validated_on(job.config))


def _best_name(job: Job) -> str:
    """What the figure of :func:`kept` is: of a run that keeps the last weights it may not be the best."""
    return _("Accuracy in validation") if job.config.get("keep_last") else _("Best in validation")


def _why_early(config: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Why a run that is finished has fewer epochs than were asked for; nothing of one that has them all."""
    last: dict[str, Any] = next((row for row in reversed(rows) if row["kind"] == "epoch"), {})
    if last.get("epoch", math.inf) >= config.get("epochs", 0):
        return ""
    limit_min = config.get("time_limit_min")
    if limit_min and last["elapsed_s"] >= 60 * limit_min:
        return _("It ended before its last epoch: its time was up.")
    if patience := config.get("early_stopping"):
        told = _("It ended before its last epoch: the loss in validation had not been lower for {epochs} epochs.")
        return told.format(epochs=patience)
    return ""


def _validated_on(config: dict[str, Any]) -> str:
    """Which pictures a run that rehearses is validated on."""
    told = (
        _("Validation is on what it goes over ({rehearsal}): how little it forgets. The last weights are kept.")
        if config.get("keep_last")
        else _("Validation is on pictures of “{dataset}” and of what it goes over ({rehearsal}) together.")
    )
    return told.format(dataset=escape(config.get("dataset", "")), rehearsal=escape(dataset_name(config["rehearsal"])))
