"""A run's training, epoch by epoch, that can be left after any step and taken up there as if nothing had been."""

import json
import math
import time
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from hanzi_core.errors import TrainingError
from hanzi_core.jobs import Work
from hanzi_core.jobs.work import WRITE_INTERVAL_S
from hanzi_core.language import mark
from hanzi_core.training.averaging import averaged
from hanzi_core.training.best_epoch import rank
from hanzi_core.training.checkpoint import (
    BEST_WEIGHTS,
    Arrays,
    Checkpoints,
    Position,
    does_not_fit,
    load_arrays,
    read_state,
    save_arrays,
    sweep_halves,
    write_state,
)
from hanzi_core.training.config import TrainingConfig
from hanzi_core.training.events import EventFiles
from hanzi_core.training.input import Batches, Material, batch_count, epoch_order, row_weights
from hanzi_core.training.objective import Hastened, schedule_of
from hanzi_core.training.reporting import Load, Pace, Reporter

CHECKPOINT_INTERVAL_S = 30.0
_CHECKPOINT_COST = 0.05
"""After a shorter epoch a checkpoint is written if that costs no more than this share of the time."""
_VALIDATION_BATCH = 256
_VALIDATION_PIECE = 1024
"""Pictures at most: half a minute of the slowest network on two busy cores."""
VALIDATING = mark("Validating")


class _Left(Exception):  # noqa: N818  it is no error
    """Raised within a validation that is not to be waited for."""


@dataclass
class _Best:
    """The best weights so far, and what they reached."""

    accuracy: float = -1.0
    loss: float = math.inf
    epoch: float = 0.0
    weights: Arrays | None = None
    is_saved: bool = True


class Fitting:
    """Train ``trainee``, which is ``model`` behind its augmentation, as ``config`` says."""

    def __init__(
        self,
        work: Work,
        config: TrainingConfig,
        material: Material,
        model: keras.Model,
        trainee: keras.Model,
        *,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._work, self._config, self._material = work, config, material
        self._model, self._trainee, self._share = model, trainee, share
        self._checkpoints = Checkpoints(work.folder / "checkpoints")
        self.position = Position(split_digest=material.split_digest, rehearsal_digest=material.rehearsal_digest)
        self.steps_per_epoch = batch_count(material.pictures_per_epoch, self._batch_size, share[1])
        self._best = _Best()
        self._restored: Arrays | None = None
        self._weights = row_weights(material, config.balance)
        self.fault: TrainingError | None = None
        self._save_cost_s = self._told = 0.0
        self._time_is_up = False

    @property
    def _batch_size(self) -> int:
        return min(self._config.batch_size, max(1, self._material.pictures_per_epoch))

    @property
    def validation_batch_size(self) -> int:
        """Pictures that are answered at once: without gradients, twice a process's share of a step has room."""
        return min(_VALIDATION_BATCH, 2 * max(1, self._batch_size // self._share[1]))

    def run(self) -> None:
        """Train until the end, a request to stop, the time limit, or a fault; the best weights are in the model then.

        Raises:
            TrainingError: no checkpoint of a run that had some can be read, or it was made with another split.
            WorkspaceError: the disk is full.
        """
        self._take_up()
        self._note_start()
        events = self._work.folder / ("events" if self._share[0] == 0 else f"events/rank-{self._share[0]}")
        self._events = EventFiles(events, self._trainee, self.position.step)
        total = self._config.epochs * self.steps_per_epoch
        self._pace, self._load = Pace(self.position.step, total), Load(self._work.job.devices)
        while not self._is_over():
            if self.position.trained is None:
                self._train()
            if self._must_leave():
                self.save()
                break
            self._validate()
        self._note_end()
        self._events.close()

    def _note_start(self) -> None:
        """The first line of the log: an epoch, and with it the next line, may take half an hour."""
        material = self._material
        begins = f"goes on after step {self.position.step:,}" if self.position.step else "begins"
        self._work.note(
            f"{begins}: {self._model.name}, {self._model.count_params():,} parameters, on "
            f"{', '.join(self._work.job.devices)}; {len(material.labels):,} classes, {material.pictures_per_epoch:,} "
            f"pictures an epoch in {self.steps_per_epoch:,} steps, {len(material.validation):,} to validate on"
        )

    def _note_end(self) -> None:
        """Why it ends, where that is neither its last epoch nor a request or a fault, which the job itself tells."""
        if self.position.epoch < self._config.epochs and not self._must_leave():
            lowest = self.position.epoch - self.position.epochs_since_lowest
            patience = f"the validation loss was lowest after epoch {lowest}"
            self._work.note(f"ends early: {patience if self._is_exhausted() else 'its time is up'}")

    @property
    def best(self) -> _Best:
        """The best so far."""
        return self._best

    def restore_best(self) -> bool:
        """Put the best weights into the model; whether there are any."""
        if self._best.weights is None:
            return False
        self._model.set_weights(self._best.weights)
        return True

    def _is_exhausted(self) -> bool:
        patience = self._config.early_stopping
        return patience is not None and self.position.epochs_since_lowest >= patience

    def _is_over(self) -> bool:
        # An epoch that was begun is validated first, though it is taken up after the limit: it may be all there is.
        out_of_time = self._agree_on_time(0) and self.position.step > 0 and self.position.batch == 0
        is_done = self.position.epoch >= self._config.epochs or self._is_exhausted()
        return is_done or out_of_time or self.fault is not None

    def _must_leave(self) -> bool:
        return self.fault is not None or self._work.stopping()

    def _agree_on_time(self, number: int) -> bool:
        """Whether the time limit has been reached, as every rank of a group sees it at step ``number``."""
        remaining_s = self._remaining_limit_s()
        self._time_is_up = self._work.agree(number, remaining_s is not None and remaining_s <= 0)
        return self._time_is_up

    def elapsed_s(self) -> float:
        """Seconds of training so far, those of earlier processes included."""
        return self.position.elapsed_s + time.monotonic() - self._clock

    def _remaining_limit_s(self) -> float | None:
        limit_min = self._config.time_limit_min
        return None if limit_min is None else max(0.0, limit_min * 60 - self.elapsed_s())

    # Checkpoints ------------------------------------------------------------------------------------------------------

    def _take_up(self) -> None:
        """Go back to the newest checkpoint, and take back what the history tells of the time after it."""
        self._restored = self.look_back()
        if self._restored:
            if not self._is_divided_as_before():
                raise does_not_fit()
            write_state(self._trainee, self._restored)
        if self.position.batch == 0 or self.position.trained is not None:
            self._restored = None  # between two passes there are no running metrics to go on with
        if self._share[0] == 0:
            self._work.job.history.cut(self.position.history_bytes)

    def _is_divided_as_before(self) -> bool:
        """Earlier versions kept no digest, which tells nothing."""
        kept = self.position.split_digest, self.position.rehearsal_digest
        now = self._material.split_digest, self._material.rehearsal_digest
        return all(before in ("", digest) for before, digest in zip(kept, now, strict=True))

    def look_back(self) -> Arrays | None:
        """Take position and best weights from the newest checkpoint, and return the state in it."""
        found = self._checkpoints.load()
        self._clock = self._saved = time.monotonic()
        if found is None:
            return None
        self.position, state = found
        self._load_best()
        return state

    def _load_best(self) -> None:
        """The best may be newer than the checkpoint: it was reached by this very run, and will be again."""
        sweep_halves(self._work.folder)
        stored = load_arrays(self._work.folder / BEST_WEIGHTS)
        if stored:
            facts = json.loads(stored[0])
            # Earlier versions kept no loss: whatever is as accurate comes before it.
            self._best = _Best(facts["accuracy"], facts.get("loss", math.inf), facts["epoch"], stored[1])

    def restore_metrics(self) -> None:
        """Put the running metrics of an epoch that was left within it back: Keras has just reset them."""
        if self._restored is not None:
            write_state(self._trainee, self._restored)
            self._restored = None

    def save_if_due(self, reporter: Reporter) -> None:
        """Within an epoch: a checkpoint every :data:`CHECKPOINT_INTERVAL_S`."""
        is_good = reporter.batches < self.steps_per_epoch and reporter.fault is None
        if is_good and time.monotonic() - self._saved >= CHECKPOINT_INTERVAL_S:
            self._note(reporter)
            self.save()

    def _save_if_worth(self) -> None:
        """At the ends of an epoch's parts: a checkpoint, unless it would take more time than it could save."""
        if time.monotonic() - self._saved >= min(CHECKPOINT_INTERVAL_S, self._save_cost_s / _CHECKPOINT_COST):
            self.save()

    def _note(self, reporter: Reporter) -> None:
        steps = reporter.batches - self.position.batch
        self.position = self.position.model_copy(update={"batch": reporter.batches, "step": self.position.step + steps})

    def save(self) -> None:
        """Write a checkpoint of this very moment, and the best weights if they are new.

        Raises:
            WorkspaceError: the disk is full; the earlier checkpoint stays good.
        """
        if self._share[0]:  # of a group, one rank writes
            return
        begun = time.monotonic()
        self._save_best()
        if self.fault is not None:  # a network that went astray is not to be taken up
            return
        history_bytes = self._work.job.history.size_bytes()
        position = self.position.model_copy(update={"elapsed_s": self.elapsed_s(), "history_bytes": history_bytes})
        self._checkpoints.save(position, read_state(self._trainee))
        self._saved = time.monotonic()
        self._save_cost_s = self._saved - begun

    def _save_best(self) -> None:
        if self._best.weights is None or self._best.is_saved:
            return
        facts = json.dumps({name: getattr(self._best, name) for name in ("accuracy", "loss", "epoch")})
        save_arrays(self._work.folder / BEST_WEIGHTS, facts, self._best.weights)
        self._best.is_saved = True

    # One epoch --------------------------------------------------------------------------------------------------------

    def _train(self) -> None:
        """The rest of the epoch's training part; leaves its figures in the position, unless it was cut short."""
        position = self.position
        reporter = Reporter(
            self._work,
            self._pace,
            self._load,
            epoch=position.epoch,
            batches_done=position.batch,
            steps_per_epoch=self.steps_per_epoch,
            steps_done=position.step,
            batch_size=self._batch_size,
            remaining_limit_s=self._remaining_limit_s,
            should_end=self._should_end,
        )
        batches = Batches(
            self._material,
            epoch_order(self._material, self._config, position.epoch),
            self._batch_size,
            weights=self._weights,
            done=position.batch,
            share=self._share,
        )
        self._tell_time()
        fitted = self._trainee.fit(
            batches, callbacks=[_Restorer(self), reporter, _Saver(self, reporter)], verbose=0, shuffle=False
        )
        self.fault = reporter.fault
        self._note(reporter)
        whole = self.position.batch == self.steps_per_epoch
        if self.fault is None and (whole or (self._time_is_up and not self._work.stopping())):
            figures = {name: values[-1] for name, values in fitted.history.items()}
            rates = {"images_per_s": reporter.images_per_s, "learning_rate": reporter.learning_rate}
            self.position = self.position.model_copy(update={"trained": figures | rates})
            self._save_if_worth()  # the validation that comes may take minutes

    def _should_end(self, step: int) -> bool:
        self._tell_time()
        return self._agree_on_time(step) or self._work.stopping()

    def _tell_time(self) -> None:
        """Have the learning rate end with the time; not of a group, each of whose ranks has a clock of its own."""
        limit_min, schedule = self._config.time_limit_min, schedule_of(self._trainee)
        if limit_min and isinstance(schedule, Hastened) and self._share[1] == 1:
            schedule.tell_time(min(1.0, self.elapsed_s() / (60 * limit_min)))

    def _validate(self) -> None:
        """Validate, tell the epoch's figures, and keep the weights if they are the best so far."""
        if not self._go_over_validation():
            return
        found = self._means()
        with averaged(self._trainee):
            self._keep_best(found["accuracy"], found["loss"])
        figures = {**(self.position.trained or {}), **{f"val_{name}": value for name, value in found.items()}}
        self._record_epoch(figures)
        self._next_epoch(found["loss"])
        self._save_if_worth()

    def _go_over_validation(self) -> bool:
        """Sum up loss and metrics, piece by piece; whether it came to the end rather than being asked to leave.

        A checkpoint between two pieces knows the sums so far: of a long validation no more than a minute is lost.
        """
        watch = keras.callbacks.LambdaCallback(on_test_batch_end=self._leave_if_asked)
        rows, batch_size = self._material.validation, self.validation_batch_size
        piece = _VALIDATION_PIECE // batch_size * batch_size
        for first in range(self.position.validated, len(rows), piece):
            batches = Batches(self._material, rows[first : first + piece], batch_size)
            try:
                with averaged(self._trainee):
                    means = self._trainee.evaluate(batches, return_dict=True, verbose=0, callbacks=[watch])
            except _Left:
                return False
            self._add_up(means, len(rows[first : first + piece]))
            if time.monotonic() - self._saved >= CHECKPOINT_INTERVAL_S:
                self.save()
        return True

    def _add_up(self, means: dict[str, float], pictures: int) -> None:
        sums = {name: self.position.sums.get(name, 0.0) + mean * pictures for name, mean in means.items()}
        validated = self.position.validated + pictures
        self.position = self.position.model_copy(update={"validated": validated, "sums": sums})

    def _means(self) -> dict[str, float]:
        """Loss and metrics over all pictures to validate on."""
        return {name: total / self.position.validated for name, total in self.position.sums.items()}

    def _leave_if_asked(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._work.agree(batch, False)
        self._tell_validating()
        if self._work.stopping():
            raise _Left

    def _tell_validating(self) -> None:
        if time.monotonic() - self._told >= WRITE_INTERVAL_S:
            self._told = time.monotonic()
            progress = self._pace.progress(self._remaining_limit_s())
            self._work.show(progress.model_copy(update={"phase": VALIDATING}))

    def _epochs_done(self) -> float:
        """An epoch that was cut short is not a whole one: 3.4 epochs, not 4."""
        return round(self.position.epoch + self.position.batch / self.steps_per_epoch, 3)

    def _keep_best(self, accuracy: float, loss: float) -> None:
        is_better = rank(accuracy, loss) > rank(self._best.accuracy, self._best.loss)
        if self._config.keep_last or is_better or self._best.weights is None:
            weights = [np.array(each) for each in self._model.get_weights()]
            self._best = _Best(float(accuracy), float(loss), self._epochs_done(), weights, is_saved=False)

    def _record_epoch(self, figures: dict[str, float]) -> None:
        rounded = {name: round(float(value), 6) for name, value in figures.items() if math.isfinite(value)}
        where = {"kind": "epoch", "epoch": self._epochs_done(), "step": self.position.step}
        self._work.record({**where, **rounded, "elapsed_s": round(self.elapsed_s(), 3)})
        read = ", ".join(f"{name} {value:.4g}" for name, value in rounded.items())
        share = self.position.batch / self.steps_per_epoch
        cut = f", cut short at {share:.0%}" if share < 1 else ""
        self._work.note(f"epoch {self.position.epoch + 1} of {self._config.epochs}{cut}: {read}")
        self._events.write(self.position.step, rounded)
        self._work.show(self._pace.progress(self._remaining_limit_s()))

    def _next_epoch(self, validation_loss: float) -> None:
        lowest = self.position.lowest_loss
        lower = lowest is None or validation_loss < lowest
        self.position = self.position.model_copy(
            update={
                "epoch": self.position.epoch + 1,
                "batch": 0,
                "trained": None,
                "validated": 0,
                "sums": {},
                "lowest_loss": validation_loss if lower else lowest,
                "epochs_since_lowest": 0 if lower else self.position.epochs_since_lowest + 1,
            }
        )


class _Restorer(keras.callbacks.Callback):
    """Give the rest of an epoch the running metrics of its beginning."""

    def __init__(self, fitting: Fitting) -> None:
        super().__init__()
        self._fitting = fitting

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Before the first step."""
        self._fitting.restore_metrics()


class _Saver(keras.callbacks.Callback):
    """Write checkpoints within an epoch."""

    def __init__(self, fitting: Fitting, reporter: Reporter) -> None:
        super().__init__()
        self._fitting, self._reporter = fitting, reporter

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """After each step."""
        self._fitting.save_if_due(self._reporter)
