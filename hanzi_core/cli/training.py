"""``python -m hanzi_core train``."""

import os
from typing import Annotated, Any

import typer

from hanzi_core.cli.evaluation import evaluate_run
from hanzi_core.cli.perform import launch_job, perform, read_config
from hanzi_core.dataset import Dataset, Part
from hanzi_core.dataset.split import part_rows
from hanzi_core.errors import TrainingError
from hanzi_core.jobs import Job, State, Work
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.training.config import Network, TrainingConfig
from hanzi_core.workspace import Workspace

DEFAULTS = TrainingConfig(dataset="any")


def train(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Name of the dataset.")] = None,
    split: Annotated[str, typer.Option(help="Name of its split.")] = DEFAULTS.split,
    network: Annotated[Network, typer.Option(help="Network to train.")] = DEFAULTS.network,
    epochs: Annotated[int, typer.Option(help="Times to go through the training part.")] = DEFAULTS.epochs,
    batch_size: Annotated[int, typer.Option(help="Pictures a step.")] = DEFAULTS.batch_size,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = DEFAULTS.learning_rate,
    weight_decay: Annotated[float, typer.Option(help="Of AdamW, decoupled.")] = DEFAULTS.weight_decay,
    label_smoothing: Annotated[
        float, typer.Option(help="Share of the target spread, 0 to 1.")
    ] = DEFAULTS.label_smoothing,
    seed: Annotated[int, typer.Option(help="Seed of weights, order and augmentation.")] = DEFAULTS.seed,
    time_limit_min: Annotated[float | None, typer.Option(help="Stop after this many minutes, keep the best.")] = None,
    title: Annotated[str | None, typer.Option(help="What to call the run.")] = None,
    detach: Annotated[bool, typer.Option(help="Start it in the background and return at once.")] = False,
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
) -> None:
    """Train a recogniser. Its folder under jobs/ holds history, log and model bundle; the dashboard shows it live."""
    workspace: Workspace = context.obj
    if job is None:
        values = {name: value for name, value in context.params.items() if name in TrainingConfig.model_fields}
        config = checked(workspace, values)
        found = Job.create(
            workspace, "train", config.model_dump(mode="json"), title or f"{config.dataset} {network.value}"
        )
        print(found.id)
        if detach:
            launch_job(found)
            return
    else:
        found = Job.find(workspace, job)
    raise typer.Exit(_train_and_test(workspace, found))


def checked(workspace: Workspace, values: dict[str, Any]) -> TrainingConfig:
    """The configuration, if its dataset and split are there.

    Raises:
        HanziError: something is missing or out of range; says what.
    """
    if not values.get("dataset"):
        raise TrainingError(mark("Say which dataset to train on: --dataset NAME; “dataset list” shows them."))
    config = read_config(TrainingConfig, values)
    Dataset.find(workspace, config.dataset).parts(config.split)
    return config


def _train_and_test(workspace: Workspace, job: Job) -> int:
    code = perform(job, lambda work: _train(work, workspace))
    result = job.result()
    if result is None:
        return code
    print(_("Best accuracy in validation: {accuracy:.1%}").format(accuracy=result["validation_accuracy"]))
    finished = job.stored_status().state is State.FINISHED
    config = read_config(TrainingConfig, job.config)
    if finished and len(part_rows(Dataset.find(workspace, config.dataset).parts(config.split), Part.TEST)):
        return evaluate_run(workspace, job, Part.TEST)
    return code


def _train(work: Work, workspace: Workspace) -> dict[str, Any]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from hanzi_core.training.run import train as run

    return run(work, workspace, read_config(TrainingConfig, work.job.config))
