"""``python -m hanzi_core evaluate``."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from hanzi_core.bundle import Bundle, choose_bundle, write_card
from hanzi_core.cli.perform import perform, read_config
from hanzi_core.dataset import Dataset, Part
from hanzi_core.dataset.manifest import SYNTHETIC, is_wholly_synthetic
from hanzi_core.dataset.store import split_digest
from hanzi_core.errors import JobError, WorkspaceError
from hanzi_core.evaluation.calibration import likely_range
from hanzi_core.evaluation.forms import forms_as_one
from hanzi_core.evaluation.lessons import REMEMBERS, Lesson, learned_elsewhere, lessons_of, may_remember, own_lesson
from hanzi_core.evaluation.metrics import summarise
from hanzi_core.evaluation.predictions import EvaluationConfig, read_predictions
from hanzi_core.evaluation.predictions import evaluate as predict_part
from hanzi_core.jobs import Job, Work
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace


def evaluate(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="Id of a run, or name of another model.")] = None,
    part: Annotated[Part, typer.Option(help="Part of the split to predict.")] = Part.TEST,
    dataset: Annotated[str | None, typer.Option(help="On which dataset [default: the run's own].")] = None,
    split: Annotated[str | None, typer.Option(help="Of which split [default: the run's own, else “default”].")] = None,
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
) -> None:
    """Predict every picture of a part with a model, and tell how many were right."""
    workspace: Workspace = context.obj
    if job:
        raise typer.Exit(_perform(workspace, Job.find(workspace, job)))
    if model is None:
        raise JobError(mark("Say which model to evaluate: a run or another."))
    choose_bundle(workspace, model)  # says what there is
    raise typer.Exit(evaluate_model(workspace, evaluation_config(workspace, model, part, dataset, split)))


def digest_of(workspace: Workspace, config: EvaluationConfig) -> str:
    """Of the split that ``config`` names, see :func:`~hanzi_core.dataset.store.split_digest`."""
    return split_digest(Dataset.find(workspace, config.dataset).parts(config.split))


def evaluation_config(
    workspace: Workspace, model: str, part: Part, dataset: str | None = None, split: str | None = None
) -> EvaluationConfig:
    """The evaluation of a model on what its run was split into, unless something else is named.

    Raises:
        JobError: no dataset, and a model that no run of this workspace left, or one that held nothing out.
    """
    own = own_lesson(lessons_of(workspace, model))
    if dataset is None:
        if own is None:
            raise JobError(mark("Say on which dataset “{model}” is to be evaluated: --dataset NAME."), model=model)
        dataset = own.dataset
    if split is None and own and dataset == own.dataset:
        split = own.split
    named = {} if split is None else {"split": split}
    return read_config(EvaluationConfig, {"model": model, "dataset": dataset, "part": part, **named})


def evaluate_model(workspace: Workspace, config: EvaluationConfig) -> int:
    """Evaluate in this process, as a job of its own; the exit code.

    Raises:
        BundleError: there is no such model.
    """
    title = Bundle.open(choose_bundle(workspace, config.model)).card.name
    if _may_remember(workspace, lessons_of(workspace, config.model), config, digest_of(workspace, config)):
        print(_(REMEMBERS), file=sys.stderr)
    if is_wholly_synthetic(Dataset.find(workspace, config.dataset).manifest()):
        print(_(SYNTHETIC), file=sys.stderr)
    return _perform(workspace, Job.create(workspace, "evaluate", config.model_dump(mode="json"), title))


def _perform(workspace: Workspace, job: Job) -> int:
    code = perform(job, lambda work: _evaluate(work, workspace))
    if code == 0 and (result := job.result()):
        low, high = likely_range(result["top_1"], result["images"])
        told = _("{images} pictures: top-1 {top_1:.2%} (95 % confidence: {low:.1%} to {high:.1%}), top-5 {top_5:.2%}")
        print(told.format(**result, low=low, high=high))
        as_one = summarise(forms_as_one(read_predictions(job.folder)))
        if as_one["top_1"] > result["top_1"]:
            told = _("With simplified and traditional forms as one: top-1 {top_1:.2%}, top-5 {top_5:.2%}")
            print(told.format(**as_one))
        if result["known"] < 1:
            print(_("{share} of them have a class in this model.").format(share=f"{result['known']:.2%}"))
    return code


def _evaluate(work: Work, workspace: Workspace) -> dict[str, Any]:
    config = read_config(EvaluationConfig, work.job.config)
    bundle = Bundle.open(choose_bundle(workspace, config.model))
    digest = digest_of(workspace, config)
    result = predict_part(work, workspace, bundle, config)
    lessons = lessons_of(workspace, config.model)
    own = own_lesson(lessons)
    meant = own and (own.dataset, own.split, Part.TEST) == (config.dataset, config.split, config.part)
    if meant and not _may_remember(workspace, lessons, config, digest):
        _tell_in_card(bundle, result)
    return {**result, "split_digest": digest, "model_created": bundle.card.created}


def _may_remember(workspace: Workspace, lessons: Sequence[Lesson], config: EvaluationConfig, digest: str) -> bool:
    return may_remember(lessons, config, digest) or learned_elsewhere(workspace, lessons, config)


def _tell_in_card(bundle: Bundle, result: dict[str, Any]) -> None:
    """What the model reached where it was meant to be tested, unless another has taken its place meanwhile."""
    card = Bundle.open(bundle.folder).card
    if card.created == bundle.card.created:
        metrics = {**card.metrics, "test_top_1": result["top_1"], "test_top_5": result["top_5"]}
        try:
            write_card(bundle.folder, card.model_copy(update={"metrics": metrics}))
        except WorkspaceError as error:  # the model is another user's: the figures are there all the same
            print(error, file=sys.stderr)
