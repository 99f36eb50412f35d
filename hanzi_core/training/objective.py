"""What is optimised, and how."""

from typing import Any

import keras
from keras import KerasTensor, ops

from hanzi_core.training.config import Optimiser, TrainingConfig

_WARM_UP = 0.05
"""Share of all steps during which the learning rate rises from zero."""
_SGD_DECAY_STEPS = 10_000


class SmoothedCrossentropy(keras.losses.Loss):
    """Crossentropy of integer targets with label smoothing (Szegedy et al. 2015, arXiv 1512.00567).

    Keras smooths one-hot targets only, which at 7,328 classes are 2 MB a batch for nothing.
    """

    def __init__(self, smoothing: float) -> None:
        super().__init__(name="crossentropy")
        self.smoothing = smoothing

    def call(self, y_true: KerasTensor, y_pred: KerasTensor) -> KerasTensor:
        """``y_true`` ``(batch,)`` int, ``y_pred`` ``(batch, classes)`` logits; the loss of each row."""
        logits = ops.cast(y_pred, "float32")
        log_total = ops.logsumexp(logits, axis=-1)
        target = ops.cast(ops.reshape(y_true, (-1, 1)), "int32")
        true_logit = ops.squeeze(ops.take_along_axis(logits, target, axis=-1), -1)
        return log_total - (1 - self.smoothing) * true_logit - self.smoothing * ops.mean(logits, axis=-1)


class SmoothedSoftCrossentropy(keras.losses.Loss):
    """Crossentropy of targets that are probabilities themselves, smoothed alike."""

    def __init__(self, smoothing: float) -> None:
        super().__init__(name="crossentropy")
        self.smoothing = smoothing

    def call(self, y_true: KerasTensor, y_pred: KerasTensor) -> KerasTensor:
        """``y_true`` ``(batch, classes)``, each row with the sum 1, ``y_pred`` logits; the loss of each row."""
        logits = ops.cast(y_pred, "float32")
        expected = ops.sum(ops.cast(y_true, "float32") * logits, axis=-1)
        return (
            ops.logsumexp(logits, axis=-1)
            - (1 - self.smoothing) * expected
            - self.smoothing * ops.mean(logits, axis=-1)
        )


class Hastened(keras.optimizers.schedules.LearningRateSchedule):
    """``schedule`` of a run whose time may be up before its last of ``steps``: whichever is further on tells the rate.

    A run that is cut at a high rate has not settled: of 15 epochs of 28 the last would be as restless as the first.
    """

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, steps: int) -> None:
        self.schedule, self._steps = schedule, steps
        self._at_least = keras.Variable(0.0, trainable=False, dtype="float32", name="time_in_steps")

    def tell_time(self, share: float) -> None:
        """Hear which ``share`` of the time, 0 to 1, has passed."""
        self._at_least.assign(share * self._steps)

    def __call__(self, step: KerasTensor) -> KerasTensor:
        """The learning rate at ``step``."""
        return self.schedule(ops.maximum(ops.cast(step, "float32"), self._at_least))


def schedule_of(model: keras.Model) -> keras.optimizers.schedules.LearningRateSchedule:
    """What tells the learning rate of a compiled ``model``, in whatever precision it trains."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)._learning_rate


def optimiser(config: TrainingConfig, steps: int) -> keras.optimizers.Optimizer:
    """The optimiser of ``config`` for a run of ``steps`` steps, with its schedule and averaged weights."""
    made = _adamw(config, steps) if config.optimiser is Optimiser.ADAMW else _sgd(config)
    # Shifts and scales have no reason to be small.
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "pooling"])
    # At the end of every ``fit`` Keras puts the averages in the place of the weights; ours fits an epoch at a time.
    made.finalize_variable_values = lambda _variables: None
    return made


def _averages(config: TrainingConfig) -> dict[str, Any]:
    return {"use_ema": config.averaging > 0, "ema_momentum": config.averaging or 0.99}


def _adamw(config: TrainingConfig, steps: int) -> keras.optimizers.Optimizer:
    """AdamW (Loshchilov and Hutter 2017, arXiv 1711.05101), warmed up, then along a cosine to zero at ``steps``."""
    warm_up = max(1, round(steps * _WARM_UP))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=config.learning_rate, warmup_steps=warm_up
    )
    if config.time_limit_min is not None:
        rate = Hastened(rate, steps)
    return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, clipnorm=1.0, **_averages(config))


def _sgd(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """SGD with momentum, the rate falling by the factor ``decay`` every 10,000 steps."""
    rate = keras.optimizers.schedules.ExponentialDecay(config.learning_rate, _SGD_DECAY_STEPS, config.decay)
    decay = config.weight_decay or None
    return keras.optimizers.SGD(rate, momentum=config.momentum, weight_decay=decay, **_averages(config))
