"""``python -m hanzi_core train`` and ``estimate``."""

import importlib.util
import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from pydantic_core import PydanticUndefined

from hanzi_core.bundle import BUILT_IN_KEY
from hanzi_core.cli.evaluation import evaluate_model, evaluation_config
from hanzi_core.cli.perform import launch_job, perform, read_config
from hanzi_core.dataset import Dataset, Part, list_datasets
from hanzi_core.dataset.split import part_rows
from hanzi_core.dataset.store import CORRECTIONS
from hanzi_core.errors import JobError, TrainingError
from hanzi_core.image.presets import find_preset
from hanzi_core.jobs import Job, State, Work, enqueue, stop
from hanzi_core.jobs.devices import CPU, find_device, list_devices
from hanzi_core.jobs.process import ProcessId
from hanzi_core.jobs.queue import wait_in_line
from hanzi_core.language import duration, mark
from hanzi_core.language import gettext as _
from hanzi_core.training.backend import load_backend
from hanzi_core.training.config import SIMULATED_HAND, Start, TrainingConfig
from hanzi_core.training.distributed import Rank, RankWork, join_group, run_group, run_rank
from hanzi_core.training.fine_tuning import check_rehearsal, fine_tuning
from hanzi_core.training.presets import PRESETS, preset_values
from hanzi_core.training.start import check_start, trained_name
from hanzi_core.workspace import Workspace

DEFAULTS = TrainingConfig(dataset="any")
IMPLIED = {"start_bundle": Start.BUNDLE, "start_file": Start.IMAGENET}
"""Options that say where the first weights come from, unless ``--start`` says otherwise."""


def _option(name: str) -> Any:
    """The option that asks for a setting, and says of it what the configuration says."""
    flag = {"hosts": "--host"}.get(name, "--" + name.replace("_", "-"))
    help_text = f"{TrainingConfig.model_fields[name].description}{_default(name)}"
    return typer.Option(flag, help=help_text, show_default=False)


def _default(name: str) -> str:
    """What is taken where nothing is given, for the help; not marked, since English is the terminal's language."""
    if name == "augmentation" or any(name in preset.settings for preset in PRESETS.values()):
        return " [default: of the network's preset]"
    value = TrainingConfig.model_fields[name].get_default()
    return "" if value in (None, (), PydanticUndefined) else f" [default: {value}]"


def _parameter(name: str) -> inspect.Parameter:
    kind = {"augmentation": str, "hosts": list[str]}.get(name, TrainingConfig.model_fields[name].annotation)
    hint = Annotated[kind | None, _option(name)]  # type: ignore[valid-type]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)


def with_settings(verb: Callable[..., None]) -> Callable[..., None]:
    """Give ``verb`` an option for each setting of a run: what a run can be told, its estimate can be told too."""
    context, *own = list(inspect.signature(verb).parameters.values())[:-1]
    asked = [context, *map(_parameter, TrainingConfig.model_fields), *own]
    verb.__signature__ = inspect.Signature(asked)  # type: ignore[attr-defined]
    verb.__annotations__ = {each.name: each.annotation for each in asked}
    return verb


@with_settings
def train(
    context: typer.Context,
    *,
    clone: Annotated[str | None, typer.Option(help="Begin with the settings of this run.", metavar="RUN")] = None,
    device: Annotated[list[str] | None, typer.Option(help="cpu, gpu:0, …; several GPUs share each batch.")] = None,
    title: Annotated[str | None, typer.Option(help="What to call the run.")] = None,
    detach: Annotated[bool, typer.Option(help="Start it in the background and return at once.")] = False,
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
    **given: Any,
) -> None:
    """Train a recogniser. Its folder under jobs/ holds history, log and model bundle; the dashboard shows it live."""
    workspace: Workspace = context.obj
    if job is not None and (rank := Rank.of_this_process()):
        raise typer.Exit(_train_rank(workspace, Job.find(workspace, job), rank))
    if job is not None:
        raise typer.Exit(_train_and_test(workspace, Job.find(workspace, job)))
    _begin(workspace, _new_job(workspace, "train", given, device, clone, title, detach), detach)


def fine_tune(
    context: typer.Context,
    model: Annotated[str, typer.Option(help="The model that is to learn: builtin, a run, or a name of “models”.")] = (
        BUILT_IN_KEY
    ),
    dataset: Annotated[str, typer.Option(help="What it is to learn, all of it.")] = CORRECTIONS,
    rehearsal: Annotated[
        str | None,
        typer.Option(help="What it goes over: a dataset, or :hand [default: what it was trained on]", show_default=""),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Times to go through it [default: of the preset]")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Highest learning rate [default: of the preset]")] = None,
    device: Annotated[list[str] | None, typer.Option(help="cpu, gpu:0, …")] = None,
    title: Annotated[str | None, typer.Option(help="What to call the run, and the new model.")] = None,
    detach: Annotated[bool, typer.Option(help="Start it in the background and return at once.")] = False,
) -> None:
    """Let a model learn its corrections and forget little; a run like any other, and its model one more to choose."""
    workspace: Workspace = context.obj
    if dataset == CORRECTIONS and all(each.name != dataset for each in list_datasets(workspace)):
        raise TrainingError(
            mark("Nothing was corrected yet: do so on the page Recognise, or name a dataset: --dataset NAME.")
        )
    told = {name: value for name, value in (("epochs", epochs), ("learning_rate", learning_rate)) if value is not None}
    config = fine_tuning(workspace, model, dataset, rehearsal)
    config = checked(workspace, {**config.model_dump(), **told})
    name = title or f"{trained_name(workspace, config)} + {dataset}"
    _begin(workspace, _make_job(workspace, "train", config, name, device, detach), detach)


def _begin(workspace: Workspace, found: Job, detach: bool) -> None:
    print(found.id, flush=True)
    if detach:
        enqueue(workspace, found, launch_job)
        return
    _wait(workspace, found)
    raise typer.Exit(_train_and_test(workspace, found))


@with_settings
def estimate(
    context: typer.Context,
    *,
    clone: Annotated[str | None, typer.Option(help="Begin with the settings of this run.", metavar="RUN")] = None,
    device: Annotated[list[str] | None, typer.Option(help="cpu, gpu:0, …; several GPUs share each batch.")] = None,
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
    **given: Any,
) -> None:
    """Tell memory and time of an epoch from a few real steps."""
    workspace: Workspace = context.obj
    if job is None:
        found = _new_job(workspace, "estimate", given, device, clone)
        _wait(workspace, found)
    else:
        found = Job.find(workspace, job)
    code = perform(found, lambda work: _estimate(work, workspace))
    if code == 0 and (result := found.result()):
        print(estimated(result))
    raise typer.Exit(code)


def estimated(result: dict[str, Any]) -> str:
    """What an estimate has found, in one line."""
    return _("{epoch} an epoch, {total} in all, validation apart; {memory:.1f} GiB; {rate:,.0f} images/s").format(
        epoch=duration(result["epoch_s"]),
        total=duration(result["total_s"]),
        memory=result["memory_bytes"] / 2**30,
        rate=result["images_per_s"],
    )


def _new_job(
    workspace: Workspace,
    kind: str,
    given: dict[str, Any],
    device: list[str] | None,
    clone: str | None,
    title: str | None = None,
    detach: bool = False,
) -> Job:
    config = checked(workspace, settings(workspace, given, clone))
    name = title or f"{config.dataset} {trained_name(workspace, config)}"
    return _make_job(workspace, kind, config, name, device, detach)


def _make_job(
    workspace: Workspace, kind: str, config: TrainingConfig, title: str, device: list[str] | None, detach: bool
) -> Job:
    """A job that this process does itself unless it is to ``detach``: then nobody else starts it, at no moment."""
    process = None if detach else ProcessId.own()
    return Job.create(workspace, kind, config.model_dump(mode="json"), title, chosen_devices(device), process=process)


def settings(workspace: Workspace, given: dict[str, Any], clone: str | None = None) -> dict[str, Any]:
    """The preset of the network, or what the run ``clone`` had, with what was given instead.

    Raises:
        HanziError: there is no such run, or no augmentation preset of the name that was given.
    """
    told = {name: value for name, value in given.items() if value is not None and value != []}
    told = next(({"start": start} for name, start in IMPLIED.items() if name in told), {}) | told
    original = _run(workspace, clone).config if clone else preset_values(told.get("network", DEFAULTS.network))
    values = original | told
    if "augmentation" in told:
        values["augmentation"] = find_preset(workspace, told["augmentation"])
    return values


def _run(workspace: Workspace, job_id: str) -> Job:
    """The run, or the estimate of one, that is called so."""
    found = Job.find(workspace, job_id)
    if found.kind not in ("train", "estimate"):
        raise JobError(mark("“{job}” is no run: give the id of one; “jobs list” shows them."), job=job_id)
    return found


def checked(workspace: Workspace, values: dict[str, Any]) -> TrainingConfig:
    """The configuration, if its dataset and split are there, and what it starts from.

    Raises:
        HanziError: something is missing or out of range; says what.
    """
    if not values.get("dataset"):
        raise TrainingError(mark("Say which dataset to train on: --dataset NAME; “dataset list” shows them."))
    config = read_config(TrainingConfig, values)
    Dataset.find(workspace, config.dataset).parts(config.split)
    if config.rehearsal and config.rehearsal != SIMULATED_HAND:
        Dataset.find(workspace, config.rehearsal)
    check_rehearsal(config)
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


def _wait(workspace: Workspace, job: Job) -> None:
    """Wait for the devices of ``job``; ends the command where somebody has ended the job meanwhile."""
    try:
        if wait_in_line(workspace, job, _tell_holders):
            return
    except (KeyboardInterrupt, SystemExit):  # else it would be lost, as one that was killed
        stop(job)
        _tell_end(job)
        raise
    _tell_end(job)
    raise typer.Exit


def _tell_end(job: Job) -> None:
    """Say how a job ended that never began."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(job.stored_status().changes[-1])


def _tell_holders(held_by: list[Job]) -> None:
    """Say in a terminal whom one waits for."""
    if sys.stderr.isatty():
        names = ", ".join(job.title for job in held_by) or "…"
        print("\r" + _("Waiting for {names}").format(names=names), end="", file=sys.stderr)


def _train_and_test(workspace: Workspace, job: Job) -> int:
    code = perform(job, lambda work: _train(work, workspace))
    state = job.stored_status().state
    finished = state is State.FINISHED
    if finished:
        _forget_checkpoints(job)
    result = job.result()
    if result is None or state is State.FAILED:
        return code
    config = read_config(TrainingConfig, job.config)
    told = (
        _("Accuracy on what it went over: {accuracy:.1%}")
        if config.keep_last
        else _("Best accuracy in validation: {accuracy:.1%}")
    )
    print(told.format(accuracy=result["validation_accuracy"]))
    if "learned" in result:
        print(_("Learned: {learned} of {count}").format(learned=result["learned"], count=result["to_learn"]))
    if config.keep_last:
        return code  # it was trained on all there is
    if finished and len(part_rows(Dataset.find(workspace, config.dataset).parts(config.split), Part.TEST)):
        return evaluate_model(workspace, evaluation_config(workspace, job.id, Part.TEST))
    return code


def _forget_checkpoints(job: Job) -> None:
    """Not before the run is known as finished: one that dies until then goes on from them instead of anew."""
    from hanzi_core.training.checkpoint import BEST_WEIGHTS, Checkpoints

    Checkpoints(job.folder / "checkpoints").forget()
    (job.folder / BEST_WEIGHTS).unlink(missing_ok=True)


def _train(work: Work, workspace: Workspace) -> dict[str, Any]:
    config = read_config(TrainingConfig, work.job.config)
    if config.is_group:
        return _train_group(work, workspace, config)
    load_backend(work.job.devices)
    from hanzi_core.training.run import train as run

    return run(work, workspace, config)


def _train_group(work: Work, workspace: Workspace, config: TrainingConfig) -> dict[str, Any]:
    """Several processes train on JAX; then this one writes what they reached as a bundle, which JAX cannot."""
    if importlib.util.find_spec("jax") is None:
        raise TrainingError(mark("Training on several processes needs JAX: pip install jax, or jax[cuda12]."))
    fault = run_group(work, workspace, config)
    if work.stopping():
        work.let_go()
    load_backend(())
    from hanzi_core.training.run import export_best

    return export_best(work, workspace, config, fault)


def _train_rank(workspace: Workspace, job: Job, rank: Rank) -> int:
    """What one process of a group does; the group's own process says how it ended."""
    config = read_config(TrainingConfig, job.config)

    def work_on(work: RankWork) -> None:
        load_backend(rank.device(job.devices, config.hosts))
        join_group(rank)
        from hanzi_core.training.run import train_rank

        train_rank(work, workspace, config, rank)

    return run_rank(job, rank, work_on)


def _estimate(work: Work, workspace: Workspace) -> dict[str, Any]:
    load_backend(work.job.devices)
    from hanzi_core.training.estimate import estimate as try_steps

    return try_steps(work, workspace, read_config(TrainingConfig, work.job.config))
