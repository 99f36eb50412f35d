"""Evaluation: how good a model is on pictures whose character is known, and what it takes for what."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from hanzi_core.bundle import BUILT_IN_KEY, Bundle, find_bundles
from hanzi_core.charts.heatmap import confusion_heatmap
from hanzi_core.cli.perform import start
from hanzi_core.dataset import Dataset, Part
from hanzi_core.dataset.split import PART_NAMES
from hanzi_core.evaluation.calibration import likely_range
from hanzi_core.evaluation.confusion import confused_pairs, confusion_matrix
from hanzi_core.evaluation.forms import forms_as_one
from hanzi_core.evaluation.lessons import Lesson, lessons_of, own_lesson
from hanzi_core.evaluation.metrics import summarise
from hanzi_core.evaluation.predictions import EvaluationConfig, list_evaluations, read_predictions
from hanzi_core.jobs import Job
from hanzi_core.jobs.store import State
from hanzi_core.language import gettext as _
from hanzi_core.language import ngettext
from hanzi_core.workspace import Workspace
from pages.parts.chart import show_chart
from pages.parts.choice import choose, show_next
from pages.parts.confused_pictures import show_pairs
from pages.parts.dataset_facts import datasets_to_choose
from pages.parts.evaluated_caveats import is_outdated, show_caveats
from pages.parts.evaluated_classes import show_classes
from pages.parts.evaluated_comparison import show_comparison
from pages.parts.evaluated_confidence import show_confidence
from pages.parts.job_panel import watch_until_done
from pages.parts.model_card import names_to_choose
from pages.parts.session import errors_shown, workspace
from pages.parts.tabs import show_tabs


def evaluations_of(space: Workspace, config: EvaluationConfig) -> tuple[Job | None, Job | None]:
    """The newest evaluation that was asked for so, and the newest of them that has figures."""
    found = [job for job, asked in list_evaluations(space) if asked == config]
    return next(iter(found), None), next((job for job in found if job.status().state is State.FINISHED), None)


def choose_data(datasets: dict[str, Dataset], model: str, own: Lesson | None) -> tuple[str, str]:
    """Names of a dataset and of a split of it; at first what the model is to be tested on, whichever was before."""
    if st.session_state.get("evaluated", model) != model and own and own.dataset in datasets:
        show_next("dataset", own.dataset)
        show_next("split", own.split)
    st.session_state["evaluated"] = model
    first = [own.dataset] if own and own.dataset in datasets else []
    dataset = choose(_("Dataset"), {name: name for name in [*first, *datasets]}, "dataset")
    splits = list(datasets[dataset].splits())
    if own and own.dataset == dataset and own.split in splits:
        splits = [own.split, *splits]
    split = choose(_("Split"), {name: name for name in splits}, "split") if len(set(splits)) > 1 else splits[0]
    return dataset, split


def show_evaluation(space: Workspace, job: Job, names: dict[str, str]) -> None:
    """Figures, then what lies behind them, down to the pictures; only the open tab is worked out."""
    read = choose_counting(job)
    predictions = read(job.folder)
    show_figures(predictions)
    shows = {
        _("Confusions"): partial(show_confusions, job, predictions),
        _("Characters"): partial(show_classes, job, predictions),
        _("Confidence"): partial(show_confidence, predictions),
        _("Compare"): partial(show_comparison, space, job, predictions, names, read),
    }
    show_tabs(shows, key="evaluation-tab")


def choose_counting(job: Job) -> Callable[[Path], pd.DataFrame]:
    """How to read predictions: as they are, or with all forms of a character as one, which is asked if it matters."""
    _as_one, more = counted_as_one(job.folder)
    if not more:
        return read_predictions
    as_one = st.toggle(
        ngettext(
            "Simplified and traditional forms count as one: {count} picture more is right",
            "Simplified and traditional forms count as one: {count} pictures more are right",
            more,
        ).format(count=f"{more:,}"),
        help=_(
            "Where 國 is labelled 国, an answer of either is right; so is 後 for 后, which simplified writing has "
            "merged."
        ),
        key="forms-as-one",
        bind="query-params",
    )
    return read_as_one if as_one else read_predictions


def read_as_one(folder: Path) -> pd.DataFrame:
    """The predictions in ``folder`` with all forms of a character as one."""
    return counted_as_one(folder)[0]


@st.cache_resource(show_spinner=False, max_entries=4)
def counted_as_one(folder: Path) -> tuple[pd.DataFrame, int]:
    """What :func:`read_as_one` gives, and how many more are right by it.

    Kept as it is, for the work of a finished evaluation does not change; nobody may write to it.
    """
    predictions = read_predictions(folder)
    as_one = forms_as_one(predictions)
    return as_one, int((as_one["rank"] == 1).sum() - (predictions["rank"] == 1).sum())


def show_figures(predictions: pd.DataFrame) -> None:
    """How good the model is, and how far that can be known from so many pictures."""
    figures = summarise(predictions)
    shown = {
        _("Pictures"): f"{figures['images']:,}",
        _("Top-1"): f"{figures['top_1']:.2%}",
        _("Top-5"): f"{figures['top_5']:.2%}",
        _("Top-1, mean of classes"): f"{figures['class_mean_top_1']:.2%}",
    }
    if figures["known"] < 1:
        shown[_("With a class of the model")] = f"{figures['known']:.2%}"
    with st.container(horizontal=True):
        for name, value in shown.items():
            st.metric(name, value, border=True)
    low, high = likely_range(figures["top_1"], figures["images"])
    st.caption(
        _("From so many pictures, top-1 lies between {low} and {high} (95 % confidence interval).").format(
            low=f"{low:.1%}", high=f"{high:.1%}"
        )
    )


def show_confusions(job: Job, predictions: pd.DataFrame) -> None:
    """What was taken for what: pairs with their pictures, and the heatmap."""
    pairs = confused_pairs(predictions)
    if pairs.empty:
        st.success(_("Not one picture was taken for another character."), icon=":material/check:")
        return
    show_pairs(job, predictions, pairs)
    st.caption(_("The characters that take part in most mistakes; colour is the share of the row's pictures taken so."))
    chart = confusion_heatmap(confusion_matrix(predictions), predictions["label"].value_counts())
    show_chart(chart, "heatmap")


space = workspace()
st.title(_("Evaluation"))
bundles = find_bundles(space)
datasets = {each.name: each for each in datasets_to_choose(space)}
if not datasets:
    st.info(
        _("There is nothing to evaluate on yet: a model is measured on pictures whose character is known."),
        icon=":material/info:",
    )
    st.page_link("pages/datasets.py", label=_("Bring in a dataset"), icon=":material/photo_library:")
    st.stop()
if not bundles:
    st.info(_("There is no trained model to evaluate yet."), icon=":material/info:")
    st.page_link("pages/training.py", label=_("Train one"), icon=":material/model_training:")
    st.stop()

with errors_shown():
    first, second, third = st.columns([3, 2, 1])
    with first:
        # One's own come first here: the built-in model is what they are compared with.
        names = names_to_choose({key: bundles[key] for key in sorted(bundles, key=BUILT_IN_KEY.__eq__)})
        model = choose(_("Model"), names, "model")
    with second:
        dataset, split = choose_data(datasets, model, own_lesson(lessons_of(space, model)))
    with third:
        parts = {part.value: _(PART_NAMES[part]) for part in (Part.TEST, Part.VALIDATION, Part.TRAIN)}
        part = Part(choose(_("Part"), parts, "part"))
    config = EvaluationConfig(model=model, dataset=dataset, split=split, part=part)
    show_caveats(space, config)
    newest, done = evaluations_of(space, config)
    if newest and newest is not done:  # at work; or it ended without figures, and earlier ones still hold
        watch_until_done(newest)
        if newest.status().state.is_active:
            st.stop()
    if done:
        with errors_shown():  # whatever is damaged, the button below makes it anew
            if is_outdated(done, datasets[dataset], config, bundles[model]):
                st.info(
                    _("The dataset or the model has changed since these figures were made."), icon=":material/update:"
                )
            show_evaluation(space, done, names)
        asked = st.button(_("Evaluate again"), icon=":material/refresh:")
    else:
        asked = st.button(_("Evaluate"), type="primary", icon=":material/play_arrow:")
    if asked:
        start(space, "evaluate", config, Bundle.open(bundles[model]).card.name)
        st.rerun()
