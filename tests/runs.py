"""Small real runs: three characters, a dozen pictures each, a few seconds."""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hanzi_core.bundle import WEIGHTS, Card, write_description
from hanzi_core.dataset import SplitSettings
from hanzi_core.dataset.importing import ImportConfig, import_dataset
from hanzi_core.jobs import Job, Work, run_work
from hanzi_core.jobs.devices import CPU
from hanzi_core.training.config import Network, TrainingConfig
from hanzi_core.workspace import Workspace
from tests.handwriting import write_collection

if TYPE_CHECKING:  # a process that trains has no use for it
    import pytest

SMALL: dict[str, Any] = {"dataset": "three", "image_size_px": 32, "batch_size": 8, "epochs": 3}


def silent(_phase: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def make_dataset(workspace: Workspace, folder: Path, characters: str = "人木口", count: int = 12) -> None:
    """The dataset “three”."""
    split = SplitSettings(validation=0.2, test=0.0)
    write_collection(folder, characters, count)
    import_dataset(workspace, ImportConfig(location=folder, name="three", split=split), silent)


def make_run(workspace: Workspace, devices: Sequence[str] = (CPU,), **settings: Any) -> Job:
    """A prepared run of :data:`SMALL` with other ``settings``."""
    config = TrainingConfig(**{**SMALL, **settings})
    return Job.create(workspace, "train", config.model_dump(mode="json"), "small", devices)


def make_model(workspace: Workspace, network: Network = Network.COMPACT, **card: Any) -> Any:
    """The untrained model “small”, to start from; its network."""
    from hanzi_core.training.backend import load_backend

    load_backend([CPU])
    from hanzi_core.training.architectures import build

    folder, labels = workspace.models / "small", ("人", "口", "木")
    folder.mkdir()
    model = build(network, SMALL["image_size_px"], len(labels))
    model.save(folder / WEIGHTS)
    about = Card(name="small", network=network.value, created=0, image_size_px=SMALL["image_size_px"], **card)
    write_description(folder, about, labels)
    return model


def shallow_built_in(patch: "pytest.MonkeyPatch") -> None:
    """The built-in network with one residual block a stage instead of three to five, for what is not about its depth.

    To trace a step of it takes a third of the processor.
    """
    from hanzi_core.training import builtin_network

    stage = builtin_network._stage
    patch.setattr(builtin_network, "_stage", lambda x, width, _blocks: stage(x, width, 1))


def fit(
    workspace: Workspace,
    job: Job,
    after_step: Callable[[int], None] | None = None,
) -> Any:
    """Train ``job`` here, from its newest checkpoint, without the export; its :class:`Fitting`.

    ``after_step`` is called after each step.
    """
    from hanzi_core.training.backend import load_backend

    load_backend(job.devices)
    from hanzi_core.training.fitting import Fitting
    from hanzi_core.training.precision import prepare
    from hanzi_core.training.run import open_material
    from hanzi_core.training.trainee import prepare_trainee

    work, config = Work(job), TrainingConfig(**job.config)
    material = open_material(work, workspace, config)
    prepare(job.devices, config.seed)
    trainee = prepare_trainee(workspace, config, material, job.devices)
    fitting = Fitting(work, config, material, trainee.model, trainee.whole)
    if after_step:
        _hook(fitting, after_step)
    fitting.whole = trainee.whole
    fitting.run()
    return fitting


def _hook(fitting: Any, after_step: Callable[[int], None]) -> None:
    save_if_due = fitting.save_if_due

    def hooked(reporter: Any) -> None:
        save_if_due(reporter)
        after_step(fitting.position.step if fitting.position.batch == reporter.batches else -1)

    fitting.save_if_due = hooked


def die_at(root: str, job_id: str, last: int) -> None:
    """Train, with checkpoints all the time, and die by SIGKILL at step ``last``."""
    import hanzi_core.training.fitting as module

    module.CHECKPOINT_INTERVAL_S = 0.0

    def die(step: int) -> None:
        if step >= last:
            os.kill(os.getpid(), signal.SIGKILL)

    workspace = Workspace.open(root)
    fit(workspace, Job.find(workspace, job_id), die)


def suffer(root: str, job_id: str, mishap: str) -> int:
    """Train as a job of this process, saving all the time; in the second epoch ``mishap`` comes over it."""
    import hanzi_core.training.fitting as module

    module.CHECKPOINT_INTERVAL_S = 0.0
    workspace = Workspace.open(root)
    job = Job.find(workspace, job_id)
    save_if_due = module.Fitting.save_if_due

    def hooked(fitting: Any, reporter: Any) -> None:
        save_if_due(fitting, reporter)
        if fitting.position.epoch == 1 and fitting.position.batch == 2:
            MISHAPS[mishap](fitting)

    from hanzi_core.training.backend import load_backend
    from hanzi_core.training.run import train

    load_backend([CPU])
    module.Fitting.save_if_due = hooked
    return run_work(job, lambda work: train(work, workspace, TrainingConfig(**job.config)))


def _poison(fitting: Any) -> None:
    fitting._model.get_layer("logits").bias.assign([float("nan")] * len(fitting._material.labels))


def _fill_disk(fitting: Any) -> None:
    """To the last byte."""
    with (fitting._work.folder.parents[1] / "something large").open("wb", buffering=0) as file:
        size = 2**16
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2


def _lose_gpu(fitting: Any) -> None:
    """Simulated: the driver shows no GPU any more, and TensorFlow says what it then says."""
    import tensorflow as tf

    from hanzi_core.jobs import devices

    fitting._work.job.describe(devices=["gpu:0"])
    devices._gpus = list
    raise tf.errors.InternalError(None, None, "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected")


def _turn_clock_back(fitting: Any) -> None:
    """By an hour, for all Python of this process; the clock itself is the whole machine's."""
    real = time.time
    time.time = lambda: real() - 3600


def _move_dataset_away(fitting: Any) -> None:
    """All of it, with manifest and pack."""
    datasets = fitting._work.folder.parents[1] / "datasets"
    datasets.rename(datasets.with_name("elsewhere"))


MISHAPS: dict[str, Callable[[Any], None]] = {
    "poison": _poison,
    "full": _fill_disk,
    "gpu": _lose_gpu,
    "clock": _turn_clock_back,
    "moved": _move_dataset_away,
}


def mirror(root: str, job_id: str) -> int:
    """Train as a job of this process on two halves of the CPU, as ``MirroredStrategy`` would on two GPUs."""
    from hanzi_core.training.backend import load_backend

    load_backend([CPU])
    import tensorflow as tf

    from hanzi_core.training import trainee
    from hanzi_core.training.run import train

    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], halves)
    trainee._strategy = lambda _devices: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()
    workspace = Workspace.open(root)
    job = Job.find(workspace, job_id)
    return run_work(job, lambda work: train(work, workspace, TrainingConfig(**job.config)))


def starve(root: str, job_id: str) -> int:
    """Train as a job of this process, which may take no more than another 500 MiB of addresses."""
    import resource

    import psutil

    workspace = Workspace.open(root)
    job = Job.find(workspace, job_id)
    from hanzi_core.training.backend import load_backend

    load_backend(job.devices)

    def work_on(work: Work) -> dict[str, Any]:
        import tensorflow as tf

        from hanzi_core.training.run import open_material, train

        tf.constant(1)  # its threads want addresses of their own
        open_material(work, workspace, TrainingConfig(**job.config))
        limit = psutil.Process().memory_info().vms + 500 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        return train(work, workspace, TrainingConfig(**job.config))

    return run_work(job, work_on)


if __name__ == "__main__":
    if sys.argv[3] == "memory":
        raise SystemExit(starve(*sys.argv[1:3]))
    if sys.argv[3] == "mirror":
        raise SystemExit(mirror(*sys.argv[1:3]))
    if sys.argv[3] in MISHAPS:
        raise SystemExit(suffer(*sys.argv[1:4]))
    die_at(sys.argv[1], sys.argv[2], int(sys.argv[3]))
