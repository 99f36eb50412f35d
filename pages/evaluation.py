"""Evaluation: how good a run's model is, and what it takes for what."""

import streamlit as st

from hanzi_core.bundle import CARD, bundle_folder
from hanzi_core.charts.heatmap import confusion_heatmap
from hanzi_core.cli.evaluation import evaluation_config
from hanzi_core.cli.perform import start
from hanzi_core.dataset import Part
from hanzi_core.dataset.split import PART_NAMES
from hanzi_core.evaluation.confusion import confused_pairs, confusion_matrix
from hanzi_core.evaluation.predictions import read_predictions
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.jobs.store import State
from hanzi_core.language import gettext as _
from hanzi_core.workspace import Workspace
from pages.parts.choice import choose
from pages.parts.confused_pictures import show_pairs
from pages.parts.job_panel import watch_until_done
from pages.parts.session import errors_shown, workspace


def evaluation_of(space: Workspace, run: Job, part: Part) -> Job | None:
    """The newest evaluation of ``run`` on its own split."""
    wanted = evaluation_config(run, part).model_dump(mode="json")
    return next((job for job in list_jobs(space, "evaluate") if job.config == wanted), None)


def show_evaluation(job: Job) -> None:
    """Figures, heatmap, and the pairs down to the pictures."""
    predictions, figures = read_predictions(job.folder), job.result() or {}
    shown = {
        _("Pictures"): f"{figures['images']:,}",
        _("Top-1"): f"{figures['top_1']:.2%}",
        _("Top-5"): f"{figures['top_5']:.2%}",
        _("Top-1, mean of classes"): f"{figures['class_mean_top_1']:.2%}",
    }
    with st.container(horizontal=True):
        for name, value in shown.items():
            st.metric(name, value, border=True, width=190)
    pairs = confused_pairs(predictions)
    if pairs.empty:
        st.success(_("Not one picture was taken for another character."), icon=":material/check:")
        return
    st.subheader(_("Most confused pairs"))
    show_pairs(job, predictions, pairs)
    st.subheader(_("Confusion"))
    st.caption(_("The characters that take part in most mistakes; colour is the share of the row that was taken so."))
    st.plotly_chart(confusion_heatmap(confusion_matrix(predictions)), key="heatmap")


space = workspace()
st.title(_("Evaluation"))
runs = {run.id: run for run in list_jobs(space, "train") if (bundle_folder(run) / CARD).exists()}
if not runs:
    st.info(_("There is no trained model to evaluate yet."), icon=":material/info:")
    st.page_link("pages/training.py", label=_("Train one"), icon=":material/model_training:")
    st.stop()

first, second = st.columns([3, 1])
with first:
    names = {key: f"{run.title} · {key.removeprefix('train-')}" for key, run in runs.items()}
    chosen = choose(_("Run"), names, "run")
part = second.selectbox(
    _("Part"), [Part.TEST, Part.VALIDATION, Part.TRAIN], format_func=lambda choice: _(PART_NAMES[choice]), key="part"
)
with errors_shown():
    job = evaluation_of(space, runs[chosen], part)
    state = job.status().state if job else None
    if job and state and state.is_active:
        watch_until_done(job)
    elif job and state is State.FINISHED:
        show_evaluation(job)
    else:
        if job and state in (State.FAILED, State.LOST):
            st.error(str(job.status().changes[-1]), icon=":material/error:")
        if st.button(_("Evaluate"), type="primary", icon=":material/play_arrow:"):
            start(space, "evaluate", evaluation_config(runs[chosen], part), runs[chosen].title)
            st.rerun()
