"""Averaged weights (EMA; Polyak and Juditsky 1992): noisy steps, smooth result."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from hanzi_core.training.checkpoint import bring_back


@contextmanager
def averaged(trainee: keras.Model) -> Iterator[None]:
    """Let ``trainee`` have its averaged weights for a while; nothing where its optimiser keeps none."""
    optimizer = getattr(trainee.optimizer, "inner_optimizer", trainee.optimizer)
    if not optimizer.use_ema or not int(optimizer.iterations):
        yield
        return
    _swap(optimizer)
    try:
        yield
    finally:
        bring_back(trainee)
        _swap(optimizer)


def _swap(optimizer: keras.optimizers.Optimizer) -> None:
    pairs = zip(optimizer._trainable_variables, optimizer._model_variables_moving_average, strict=True)
    for variable, average in pairs:
        value = keras.ops.copy(variable.value)
        variable.assign(average)
        average.assign(value)
