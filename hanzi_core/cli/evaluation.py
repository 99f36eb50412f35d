"""``python -m hanzi_core evaluate``."""

from typing import Annotated, Any

import typer

from hanzi_core.bundle import CARD, Bundle, bundle_folder
from hanzi_core.cli.perform import perform, read_config
from hanzi_core.dataset import Part
from hanzi_core.errors import JobError
from hanzi_core.evaluation.predictions import EvaluationConfig
from hanzi_core.evaluation.predictions import evaluate as predict_part
from hanzi_core.jobs import Job, Work
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, replace_json


def evaluate(
    context: typer.Context,
    run: Annotated[str | None, typer.Argument(help="Id of a run, as the train verb and the dashboard show it.")] = None,
    part: Annotated[Part, typer.Option(help="Part of the split to predict.")] = Part.TEST,
    dataset: Annotated[str | None, typer.Option(help="Another dataset [default: the run's own].")] = None,
    split: Annotated[str | None, typer.Option(help="Another split [default: the run's own].")] = None,
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
) -> None:
    """Predict every picture of a part with a run's model, and tell how many were right."""
    workspace: Workspace = context.obj
    if job:
        raise typer.Exit(_perform(workspace, Job.find(workspace, job)))
    if run is None:
        raise JobError(mark("Say which run to evaluate."))
    raise typer.Exit(evaluate_run(workspace, Job.find(workspace, run), part, dataset, split))


def evaluation_config(run: Job, part: Part, dataset: str | None = None, split: str | None = None) -> EvaluationConfig:
    """The evaluation of a run on its own split, unless another is named.

    Raises:
        JobError: the job is no run.
    """
    if run.kind != "train":
        raise JobError(mark("“{job}” is no run: only a run leaves a model to evaluate."), job=run.id)
    dataset, split = dataset or run.config["dataset"], split or run.config["split"]
    return read_config(EvaluationConfig, {"run": run.id, "dataset": dataset, "split": split, "part": part})


def evaluate_run(
    workspace: Workspace, run: Job, part: Part, dataset: str | None = None, split: str | None = None
) -> int:
    """Evaluate in this process, as a job of its own; the exit code."""
    config = evaluation_config(run, part, dataset, split)
    job = Job.create(workspace, "evaluate", config.model_dump(mode="json"), run.title)
    return _perform(workspace, job)


def _perform(workspace: Workspace, job: Job) -> int:
    code = perform(job, lambda work: _evaluate(work, workspace))
    if code == 0 and (result := job.result()):
        print(_("{images} pictures: top-1 {top_1:.2%}, top-5 {top_5:.2%}").format(**result))
    return code


def _evaluate(work: Work, workspace: Workspace) -> dict[str, Any]:
    config = read_config(EvaluationConfig, work.job.config)
    run = Job.find(workspace, config.run)
    bundle = Bundle.open(bundle_folder(run))
    result = predict_part(work, workspace, bundle, config)
    own = (config.dataset, config.split, config.part) == (run.config["dataset"], run.config["split"], Part.TEST)
    if own:  # the card tells what the model reached where it was meant to be tested
        metrics = {**bundle.card.metrics, "test_top_1": result["top_1"], "test_top_5": result["top_5"]}
        replace_json(bundle.folder / CARD, bundle.card.model_copy(update={"metrics": metrics}).model_dump())
    return result
