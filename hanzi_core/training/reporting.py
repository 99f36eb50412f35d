"""The Keras callback that tells a run's folder how it goes within an epoch, and hears from it when to stop."""

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import psutil

from hanzi_core.errors import TrainingError
from hanzi_core.jobs import Progress, Work
from hanzi_core.jobs.devices import CPU, list_devices
from hanzi_core.language import mark
from hanzi_core.training.objective import schedule_of

TRAINING = mark("Training")
STEP_INTERVAL_S = 1.0
"""A history row within an epoch at most this often."""


class Pace:
    """Speed and time left, measured from the end of the first step: the one before it is mostly compiling."""

    def __init__(self, done: int, total: int) -> None:
        self._first: tuple[int, float] | None = None
        self._done, self._total = done, total

    def step(self, done: int) -> None:
        """Take note that ``done`` steps of the whole run are done now."""
        self._done = done
        if self._first is None:
            self._first = (done, time.monotonic())

    def progress(self, limit_s: float | None) -> Progress:
        """How far the run is; it ends after ``limit_s`` seconds at the latest."""
        rate = remaining_s = None
        if self._first and self._done > self._first[0]:
            rate = (self._done - self._first[0]) / max(1e-9, time.monotonic() - self._first[1])
            remaining_s = (self._total - self._done) / rate
        if limit_s is not None:
            remaining_s = max(0.0, limit_s if remaining_s is None else min(remaining_s, limit_s))
        return Progress(phase=TRAINING, done=self._done, total=self._total, rate_per_s=rate, remaining_s=remaining_s)


class Load:
    """How busy the devices of a run are, and how much memory it holds."""

    def __init__(self, devices: Sequence[str]) -> None:
        self._gpus = [key for key in devices if key != CPU]
        self._process = psutil.Process(os.getpid())
        self._machine_bytes = psutil.virtual_memory().total
        psutil.cpu_percent()  # the first call only starts the measurement

    def read(self) -> dict[str, float]:
        """Shares from 0 to 1, memory in bytes too; the processors are the machine's, its memory is the run's."""
        load = {"cpu_load": psutil.cpu_percent() / 100, "memory_bytes": self._process.memory_info().rss}
        load["memory_load"] = round(load["memory_bytes"] / self._machine_bytes, 4)
        if self._gpus:
            held = [device for device in list_devices() if device.key in self._gpus]
            load["gpu_load"] = sum(device.load for device in held) / max(1, len(held))
            load["gpu_memory_bytes"] = sum(device.memory_used_bytes for device in held)
            load["gpu_memory_load"] = load["gpu_memory_bytes"] / max(1, sum(device.memory_bytes for device in held))
        return load


class Reporter(keras.callbacks.Callback):
    """Write a history row every second, look for a request to stop after each step, and for a loss gone astray.

    Example:
        >>> model.fit(batches, callbacks=[Reporter(work, Pace(0, 400), Load(["cpu"]), epoch=2, done=0, ...)])
    """

    def __init__(
        self,
        work: Work,
        pace: Pace,
        load: Load,
        *,
        epoch: int,
        batches_done: int,
        steps_per_epoch: int,
        steps_done: int,
        batch_size: int,
        remaining_limit_s: Callable[[], float | None],
        should_end: Callable[[int], bool],
    ) -> None:
        super().__init__()
        self._work, self._pace, self._load = work, pace, load
        self._epoch, self._batches_done, self._steps_per_epoch = epoch, batches_done, steps_per_epoch
        self._steps_before = steps_done - batches_done
        self._batch_size = batch_size
        self._remaining_limit_s, self._should_end = remaining_limit_s, should_end
        self._first: tuple[int, float] | None = None
        self._written = self._begun = time.monotonic()
        self.batches = batches_done
        self.fault: TrainingError | None = None

    @property
    def images_per_s(self) -> float:
        """Pictures a second since the first step of this process in this epoch."""
        count, since = self._first or (0, self._begun)
        count, since = (0, self._begun) if self.batches - self._batches_done <= 1 else (count, since)
        seconds = max(1e-9, time.monotonic() - since)
        return round((self.batches - self._batches_done - count) * self._batch_size / seconds, 1)

    @property
    def learning_rate(self) -> float:
        """Of the next step; from the schedule, since within ``fit`` JAX keeps the optimiser's own count elsewhere."""
        return float(keras.ops.convert_to_numpy(schedule_of(self.model)(self._steps_before + self.batches)))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Take note of a step."""
        logs = logs or {}
        self.batches += 1
        self._first = self._first or (1, time.monotonic())
        step = self._steps_before + self.batches
        self._pace.step(step)
        if not math.isfinite(logs.get("loss", 0.0)):
            self.fault = TrainingError(
                mark("The loss is no longer a number at step {step}: clone the run with a lower learning rate."),
                step=step,
            )
            self.model.stop_training = True
        elif self._should_end(step):
            self.model.stop_training = True
        elif time.monotonic() - self._written >= STEP_INTERVAL_S and self.batches - self._batches_done > 1:
            self._record(step, logs)

    def _record(self, step: int, logs: dict[str, Any]) -> None:
        self._written = time.monotonic()
        figures: dict[str, Any] = {
            name: round(float(logs[name]), 6) for name in ("loss", "accuracy", "top_5") if name in logs
        }
        where: dict[str, Any] = {
            "kind": "step",
            "epoch": round(self._epoch + self.batches / self._steps_per_epoch, 5),
            "step": step,
        }
        rate = {"learning_rate": self.learning_rate, "images_per_s": self.images_per_s}
        self._work.record({**where, **figures, **rate, **self._load.read()})
        self.tell_progress()

    def tell_progress(self) -> None:
        """Write the progress of the whole run."""
        self._work.show(self._pace.progress(self._remaining_limit_s()))
