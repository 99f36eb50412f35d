"""What to know before one believes the figures of an evaluation."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from hanzi_core.bundle import Bundle, choose_bundle
from hanzi_core.dataset import Dataset
from hanzi_core.dataset.manifest import SYNTHETIC
from hanzi_core.errors import HanziError
from hanzi_core.evaluation.lessons import REMEMBERS, Lesson, learned_elsewhere, lessons_of, may_remember
from hanzi_core.evaluation.predictions import EvaluationConfig
from hanzi_core.jobs import Job
from hanzi_core.language import gettext as _
from hanzi_core.workspace import Workspace
from pages.parts.dataset_facts import digest_of_pictures, digest_of_split, wholly_synthetic
from pages.parts.plain_text import escape


def show_caveats(space: Workspace, config: EvaluationConfig) -> None:
    """Why figures of this part would not tell how well the model reads what it has never seen people write."""
    if _may_remember(space, config):
        st.warning(_(REMEMBERS), icon=":material/leak_add:")
    if wholly_synthetic(Dataset.find(space, config.dataset)):
        st.info(_(SYNTHETIC), icon=":material/draw:")


def show_caveats_of_other(space: Workspace, job: Job, name: str) -> None:
    """Why another model, called ``name``, has not earned by ``job`` what it is compared by."""
    config = EvaluationConfig.model_validate(job.config)
    if _may_remember(space, config):
        told = _("**{model}** may have learned from some of these pictures, and remember them.")
        st.warning(told.format(model=escape(name)), icon=":material/leak_add:")
    if is_outdated(job, Dataset.find(space, config.dataset), config, choose_bundle(space, config.model)):
        told = _("The dataset or **{model}** has changed since its figures were made: evaluate it again.")
        st.info(told.format(model=escape(name)), icon=":material/update:")


def _may_remember(space: Workspace, config: EvaluationConfig) -> bool:
    lessons = lessons_of(space, config.model)
    digest = digest_of_split(Dataset.find(space, config.dataset), config.split)
    if may_remember(lessons, config, digest):
        return True
    written = tuple(_written(space, name) for name in (config.dataset, *(each.dataset for each in lessons)))
    return _learned_elsewhere(space, tuple(lessons), config, written)


def _written(space: Workspace, dataset: str) -> float:
    """When its manifest was; 0 for what is no dataset, or none any more."""
    with suppress(HanziError):
        return Dataset.find(space, dataset).manifest_time
    return 0.0


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs={Workspace: str, EvaluationConfig: str})
def _learned_elsewhere(
    space: Workspace, lessons: tuple[Lesson, ...], config: EvaluationConfig, written: tuple[float, ...]
) -> bool:
    """:func:`learned_elsewhere`, until one of the manifests is ``written`` anew."""
    return learned_elsewhere(space, lessons, config)


def is_outdated(job: Job, dataset: Dataset, config: EvaluationConfig, model: Path) -> bool:
    """Whether the pictures that figures are of, their labels or the model have changed since."""
    result, created = job.result() or {}, Bundle.open(model).card.created
    if result["model_created"] != created if "model_created" in result else job.created < created:
        return True
    if "pictures_digest" in result:
        return bool(result["pictures_digest"] != digest_of_pictures(dataset, config.split, config.part))
    # Earlier versions kept only which picture was in which part, and the earliest not even that.
    return "split_digest" in result and result["split_digest"] != digest_of_split(dataset, config.split)
