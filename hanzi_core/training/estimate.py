"""What a run will take, from a few of its real steps."""

import time
from typing import Any

import psutil

from hanzi_core.jobs import Work
from hanzi_core.jobs.devices import CPU
from hanzi_core.language import mark
from hanzi_core.training.config import TrainingConfig
from hanzi_core.training.input import Batches, batch_count, epoch_order
from hanzi_core.training.precision import prepare
from hanzi_core.training.run import build_trainee, open_material, steps_explained
from hanzi_core.workspace import Workspace

ESTIMATING = mark("Trying a few steps")
_STEPS = 8
_LONG_ENOUGH_S = 10.0


def estimate(work: Work, workspace: Workspace, config: TrainingConfig) -> dict[str, Any]:
    """Train a few steps and throw them away; of a group, the share of one process, without the sum of gradients.

    Returns:
        Pictures a second, seconds of an epoch and of all epochs (without validation), bytes of memory, parameters.

    Raises:
        HanziError: dataset, settings or memory do not allow the run.
    """
    material = open_material(work, workspace, config)
    prepare(work.job.devices, config.seed)
    trainee = build_trainee(workspace, config, material, work.job.devices, config.processes)
    batch_size = min(config.batch_size, material.pictures_per_epoch)
    order = epoch_order(material, config, 0)
    full = order[: len(order) // batch_size * batch_size]  # the last batch, a smaller one, takes less time
    batches = Batches(material, full, batch_size, share=(0, config.processes))
    with steps_explained(trainee, batch_size, work.job):
        trainee.whole.train_on_batch(*batches[0])  # compiles
        seconds = _time_of_a_step(work, trainee.whole, batches)
    epoch_s = seconds * batch_count(material.pictures_per_epoch, batch_size, config.processes)
    return {
        "images_per_s": round(batch_size / seconds, 1),
        "epoch_s": round(epoch_s, 1),
        "total_s": round(epoch_s * config.epochs, 1),
        "memory_bytes": _memory_bytes(work),
        "parameters": int(trainee.model.count_params()),
        "images": material.pictures_per_epoch,
        "classes": len(material.labels),
    }


def _time_of_a_step(work: Work, whole: Any, batches: Batches) -> float:
    """The fastest of a few: whatever else the machine does only makes a step slower."""
    fastest, begun = float("inf"), time.monotonic()
    for number in range(_STEPS):
        work.check()
        work.progress(ESTIMATING, number, _STEPS)
        started = time.monotonic()
        whole.train_on_batch(*batches[number % len(batches)])
        fastest = min(fastest, time.monotonic() - started)
        if time.monotonic() - begun > _LONG_ENOUGH_S:
            break
    return fastest


def _memory_bytes(work: Work) -> int:
    """What the process holds after real steps; of a GPU, what a step needed at its peak."""
    gpus = [key for key in work.job.devices if key != CPU]
    if not gpus:
        return int(psutil.Process().memory_info().rss)
    import tensorflow as tf

    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
