"""``python -m hanzi_core train`` and ``estimate``."""

import importlib.util
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hanzi_core.cli.evaluation import evaluate_run
from hanzi_core.cli.perform import launch_job, perform, read_config
from hanzi_core.dataset import Dataset, Part
from hanzi_core.dataset.split import part_rows
from hanzi_core.errors import HanziError, TrainingError
from hanzi_core.image.presets import find_preset
from hanzi_core.jobs import Job, State, Work, enqueue
from hanzi_core.jobs.devices import CPU, find_device, list_devices
from hanzi_core.jobs.queue import wait_in_line
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.training.backend import load_backend
from hanzi_core.training.config import Balance, Network, Optimiser, Precision, Start, TrainingConfig
from hanzi_core.training.distributed import Rank, RankWork, join_group, run_group
from hanzi_core.training.presets import preset_values
from hanzi_core.training.start import check_start
from hanzi_core.workspace import Workspace

DEFAULTS = TrainingConfig(dataset="any")

PRESET = "[default: of the network's preset]"


def _option(name: str, **more: Any) -> Any:
    """An option that says what the setting of this name says of itself."""
    return typer.Option(help=f"{TrainingConfig.model_fields[name].description} {PRESET}", show_default=False, **more)


def train(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Name of the dataset.")] = None,
    split: Annotated[str, typer.Option(help="Name of its split.")] = DEFAULTS.split,
    network: Annotated[Network, typer.Option(help="Network to train; brings its preset.")] = DEFAULTS.network,
    image_size_px: Annotated[int | None, _option("image_size_px")] = None,
    start: Annotated[Start | None, _option("start")] = None,
    start_bundle: Annotated[str | None, _option("start_bundle")] = None,
    start_file: Annotated[Path | None, _option("start_file")] = None,
    epochs: Annotated[int | None, _option("epochs")] = None,
    batch_size: Annotated[int | None, _option("batch_size")] = None,
    optimiser: Annotated[Optimiser | None, _option("optimiser")] = None,
    learning_rate: Annotated[float | None, _option("learning_rate")] = None,
    momentum: Annotated[float | None, _option("momentum")] = None,
    decay: Annotated[float | None, _option("decay")] = None,
    weight_decay: Annotated[float | None, _option("weight_decay")] = None,
    label_smoothing: Annotated[float | None, _option("label_smoothing")] = None,
    dropout: Annotated[float | None, _option("dropout")] = None,
    averaging: Annotated[float | None, _option("averaging")] = None,
    precision: Annotated[Precision | None, _option("precision")] = None,
    early_stopping: Annotated[int | None, _option("early_stopping")] = None,
    balance: Annotated[Balance | None, _option("balance")] = None,
    augmentation: Annotated[str | None, typer.Option(help=f"Name of an augmentation preset. {PRESET}")] = None,
    seed: Annotated[int | None, _option("seed")] = None,
    time_limit_min: Annotated[float | None, _option("time_limit_min")] = None,
    processes: Annotated[int | None, _option("processes")] = None,
    host: Annotated[list[str] | None, typer.Option(help="Machine for processes, by ssh; several times.")] = None,
    device: Annotated[list[str] | None, typer.Option(help="cpu, gpu:0, …; several GPUs share each batch.")] = None,
    title: Annotated[str | None, typer.Option(help="What to call the run.")] = None,
    detach: Annotated[bool, typer.Option(help="Start it in the background and return at once.")] = False,
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
) -> None:
    """Train a recogniser. Its folder under jobs/ holds history, log and model bundle; the dashboard shows it live."""
    workspace: Workspace = context.obj
    if job is not None and (rank := Rank.of_this_process()):
        raise typer.Exit(_train_rank(workspace, Job.find(workspace, job), rank))
    if job is not None:
        raise typer.Exit(_train_and_test(workspace, Job.find(workspace, job)))
    given = {name: value for name, value in context.params.items() if value is not None}
    config = checked(workspace, settings(workspace, network, given, augmentation, host))
    devices = chosen_devices(device)
    name = title or f"{config.dataset} {network.value}"
    found = Job.create(workspace, "train", config.model_dump(mode="json"), name, devices)
    print(found.id, flush=True)
    if detach:
        enqueue(workspace, found, launch_job)
        return
    wait_in_line(workspace, found, _tell_holders)
    raise typer.Exit(_train_and_test(workspace, found))


def estimate(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Name of the dataset.")] = None,
    network: Annotated[Network, typer.Option(help="Network with its preset.")] = DEFAULTS.network,
    batch_size: Annotated[int | None, _option("batch_size")] = None,
    device: Annotated[list[str] | None, typer.Option(help="cpu, gpu:0, …")] = None,
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
) -> None:
    """Tell memory and time of an epoch from a few real steps."""
    workspace: Workspace = context.obj
    if job is None:
        values = {"dataset": dataset, "batch_size": batch_size}
        config = checked(
            workspace, settings(workspace, network, {key: value for key, value in values.items() if value})
        )
        dump = config.model_dump(mode="json")
        found = Job.create(workspace, "estimate", dump, config.dataset, chosen_devices(device))
        wait_in_line(workspace, found, _tell_holders)
    else:
        found = Job.find(workspace, job)
    code = perform(found, lambda work: _estimate(work, workspace))
    if code == 0 and (result := found.result()):
        print(
            _("{images_per_s:.0f} images/s, {epoch_s:.0f} s an epoch, {memory_gib:.1f} GiB of memory").format(
                memory_gib=result["memory_bytes"] / 2**30, **result
            )
        )
    raise typer.Exit(code)


def settings(
    workspace: Workspace,
    network: Network,
    given: dict[str, Any],
    augmentation: str | None = None,
    hosts: list[str] | None = None,
) -> dict[str, Any]:
    """The preset of ``network`` with what was given instead.

    Raises:
        HanziError: there is no augmentation preset of this name.
    """
    known = TrainingConfig.model_fields.keys() - {"augmentation", "hosts"}
    values = preset_values(network) | {name: value for name, value in given.items() if name in known}
    values |= {"network": network, "hosts": tuple(hosts or ())}
    if augmentation is None:
        return values
    return values | {"augmentation": find_preset(workspace, augmentation)}


def checked(workspace: Workspace, values: dict[str, Any]) -> TrainingConfig:
    """The configuration, if its dataset and split are there, and what it starts from.

    Raises:
        HanziError: something is missing or out of range; says what.
    """
    if not values.get("dataset"):
        raise TrainingError(mark("Say which dataset to train on: --dataset NAME; “dataset list” shows them."))
    config = read_config(TrainingConfig, values)
    Dataset.find(workspace, config.dataset).parts(config.split)
    check_start(workspace, config)
    return config


def chosen_devices(keys: list[str] | None) -> tuple[str, ...]:
    """The devices asked for, else the first GPU, else the CPU.

    Raises:
        JobError: this machine has no such device.
    """
    if keys:
        return tuple(find_device(key).key for key in dict.fromkeys(keys))
    return (next((device.key for device in list_devices() if device.key != CPU), CPU),)


def _tell_holders(held_by: list[Job]) -> None:
    """Say in a terminal whom one waits for."""
    if sys.stderr.isatty():
        names = ", ".join(job.title for job in held_by) or "…"
        print("\r" + _("Waiting for {names}").format(names=names), end="", file=sys.stderr)


def _train_and_test(workspace: Workspace, job: Job) -> int:
    code = perform(job, lambda work: _train(work, workspace))
    result = job.result()
    if result is None or code:
        return code
    print(_("Best accuracy in validation: {accuracy:.1%}").format(accuracy=result["validation_accuracy"]))
    finished = job.stored_status().state is State.FINISHED
    config = read_config(TrainingConfig, job.config)
    if finished and len(part_rows(Dataset.find(workspace, config.dataset).parts(config.split), Part.TEST)):
        return evaluate_run(workspace, job, Part.TEST)
    return code


def _train(work: Work, workspace: Workspace) -> dict[str, Any]:
    config = read_config(TrainingConfig, work.job.config)
    if config.processes > 1:
        return _train_group(work, workspace, config)
    load_backend(work.job.devices)
    from hanzi_core.training.run import train as run

    return run(work, workspace, config)


def _train_group(work: Work, workspace: Workspace, config: TrainingConfig) -> dict[str, Any]:
    """Several processes train on JAX; then this one writes what they reached as a bundle, which JAX cannot."""
    if importlib.util.find_spec("jax") is None:
        raise TrainingError(mark("Training on several processes needs JAX: pip install jax, or jax[cuda12]."))
    run_group(work, workspace.root, config)
    load_backend(())
    from hanzi_core.training.run import export_best

    return export_best(work, workspace, config)


def _train_rank(workspace: Workspace, job: Job, rank: Rank) -> int:
    """What one process of a group does; the group's own process says how it ended."""
    config = read_config(TrainingConfig, job.config)
    load_backend(rank.device(job.devices, config.hosts))
    join_group(rank)
    from hanzi_core.training.run import train_rank

    try:
        train_rank(RankWork(job, rank), workspace, config, rank)
    except HanziError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _estimate(work: Work, workspace: Workspace) -> dict[str, Any]:
    load_backend(work.job.devices)
    from hanzi_core.training.estimate import estimate as try_steps

    return try_steps(work, workspace, read_config(TrainingConfig, work.job.config))
