"""What a batch needs of memory, and what there is of it: asked before the system ends a process that takes too much."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import psutil

from hanzi_core.errors import TrainingError
from hanzi_core.jobs.devices import CPU, find_device
from hanzi_core.language import mark

_BYTES = 4
_BYTES_WITH_SLACK = 6
"""Of each number kept for the gradient. Measured on a CPU, the presets took 0.5 (compact) to 0.9 (densenet169) of what
is reckoned with this."""
_COPIES_OF_WEIGHTS = 6
"""Weights, gradients, two averages of AdamW, averaged weights, the best so far."""
_CGROUPS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Of versions 2 and 1: the folder, its files of the limit and of what is taken, and the cached files among that."""


def needed_bytes(model: keras.Model, batch_size: int) -> int:
    """Rough memory of training: the outputs that are kept for the gradients, the gradients at work, and the weights.

    What a normalisation gives is not kept: the activation behind it is. Of gradients there are two at once, at most as
    large as the largest output. Validation takes less, though it looks at twice as many pictures: it keeps nothing.
    """
    kept = [_elements(layer) for layer in _layers(model) if not isinstance(layer, keras.layers.BatchNormalization)]
    elements = sum(kept) + 2 * max(kept)
    return _BYTES_WITH_SLACK * elements * batch_size + _COPIES_OF_WEIGHTS * _BYTES * int(model.count_params())


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer


def _elements(layer: keras.layers.Layer) -> int:
    total = 1
    for side in layer.output.shape[1:]:
        total *= side
    return int(total)


def available_bytes(devices: Sequence[str]) -> int:
    """What a new process may still take on its device."""
    gpus = [key for key in devices if key != CPU]
    if gpus:
        return min(find_device(key).memory_free_bytes for key in gpus)
    return min([psutil.virtual_memory().available, *_group_limits(), *_process_limits()])


def _group_limits() -> Iterator[int]:
    """Of the container, whose other processes take from it too; cached files give way."""
    for folder, limit, taken, cache in _CGROUPS:
        with contextlib.suppress(OSError, ValueError, KeyError):
            limit_bytes, taken_bytes = (int(Path(folder, name).read_text()) for name in (limit, taken))
            lines = Path(folder, "memory.stat").read_text().splitlines()
            yield limit_bytes - taken_bytes + int(dict(line.split() for line in lines)[cache])


def _process_limits() -> Iterator[int]:
    """Of ``ulimit -v``, which counts addresses rather than memory."""
    if sys.platform == "win32":
        return
    import resource

    soft, _hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        yield soft - psutil.Process().memory_info().vms


def check_memory(model: keras.Model, batch_size: int, devices: Sequence[str]) -> None:
    """Refuse a batch that cannot fit.

    Raises:
        TrainingError: says how much is needed and there, and which batch size would fit.
    """
    needed, available = needed_bytes(model, batch_size), available_bytes(devices)
    if needed > available:
        raise too_large(batch_size, needed, available, _fitting(model, batch_size, available))


def too_large(batch_size: int, needed: int, available: int, fitting: int) -> TrainingError:
    """What to tell of a batch that did not, or would not, fit."""
    return TrainingError(
        mark(
            "A batch of {batch_size} pictures needs about {needed_gib:.1f} GiB of memory, and {available_gib:.1f} GiB "
            "are free: try a batch size of {fitting}."
        ),
        batch_size=batch_size,
        needed_gib=needed / 2**30,
        available_gib=max(0, available) / 2**30,
        fitting=fitting,
    )


def _fitting(model: keras.Model, batch_size: int, available: int) -> int:
    while batch_size > 2 and needed_bytes(model, batch_size) > 0.8 * available:
        batch_size //= 2
    return max(2, batch_size)
