"""The Keras callback that tells a run's folder how it goes, and hears from it when to stop."""

import math
import time
from typing import Any

import keras

from hanzi_core.errors import TrainingError
from hanzi_core.jobs import Progress, Work
from hanzi_core.language import mark

TRAINING = mark("Training")
STEP_INTERVAL_S = 1.0
"""A history row within an epoch at most this often."""


class Reporter(keras.callbacks.Callback):
    """Write a row to the history every second and every epoch; stop when asked, or when time is up.

    Example:
        >>> model.fit(batches, callbacks=[Reporter(work, epochs=40, steps_per_epoch=100, images_per_epoch=6400)])
    """

    def __init__(
        self,
        work: Work,
        *,
        epochs: int,
        steps_per_epoch: int,
        images_per_epoch: int,
        time_limit_s: float | None = None,
    ) -> None:
        super().__init__()
        self._work = work
        self._epochs = epochs
        self._steps_per_epoch = steps_per_epoch
        self._images_per_epoch = images_per_epoch
        self._time_limit_s = time_limit_s
        self.out_of_time = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._started = self._written = time.monotonic()
        self._step = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the epoch's clock."""
        self._epoch = epoch
        self._epoch_started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look for a request to stop; tell loss and accuracy so far in this epoch."""
        self._step += 1
        now = time.monotonic()
        self.out_of_time = self._time_limit_s is not None and now - self._started > self._time_limit_s
        if self._work.stopping() or self.out_of_time:
            self.model.stop_training = True
        if now - self._written < STEP_INTERVAL_S:
            return
        self._written = now
        logs = logs or {}
        self._check(logs)
        row = {"loss": logs.get("loss"), "accuracy": logs.get("accuracy"), "images_per_s": self._rate(batch + 1)}
        self._work.record({"kind": "step", "epoch": self._epoch + (batch + 1) / self._steps_per_epoch, **row})
        self._tell_progress()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Tell the figures of a whole epoch."""
        logs = logs or {}
        self._check(logs)
        seconds = time.monotonic() - self._epoch_started
        figures = {name: round(float(value), 6) for name, value in logs.items()}
        elapsed_s = round(time.monotonic() - self._started, 3)
        rate = {"images_per_s": round(self._trained_images() / seconds, 1), "elapsed_s": elapsed_s}
        # An epoch that was cut short is not a whole one: 3.4 epochs, not 4.
        done = round(epoch + self._trained_images() / self._images_per_epoch, 3)
        self._work.record({"kind": "epoch", "epoch": done, **figures, **rate})
        self._tell_progress()

    def _trained_images(self) -> float:
        return self._images_per_epoch * ((self._step - 1) % self._steps_per_epoch + 1) / self._steps_per_epoch

    def _rate(self, steps: int) -> float:
        images = self._images_per_epoch * steps / self._steps_per_epoch
        return round(images / (time.monotonic() - self._epoch_started), 1)

    def _tell_progress(self) -> None:
        total = self._epochs * self._steps_per_epoch
        elapsed_s = time.monotonic() - self._started
        rate = self._step / elapsed_s
        remaining_s = (total - self._step) / rate
        if self._time_limit_s is not None:
            remaining_s = max(0.0, min(remaining_s, self._time_limit_s - elapsed_s))
        progress = Progress(phase=TRAINING, done=self._step, total=total, rate_per_s=rate, remaining_s=remaining_s)
        self._work.show(progress)

    def _check(self, logs: dict[str, Any]) -> None:
        if not math.isfinite(logs.get("loss", 0.0)):
            raise TrainingError(
                mark("The loss is no longer a number at step {step}: lower the learning rate and start again."),
                step=self._step,
            )
