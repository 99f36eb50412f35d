"""Learning more without answering otherwise than before: learning without forgetting (Li and Hoiem 2016)."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops
from numpy.typing import NDArray


class Anchor(keras.layers.Layer):
    """Pass logits on, and hold them to what the last layer made of the same features before it learned.

    While training, the crossentropy between the probabilities then and now is added to the loss. With labels in the
    place of those probabilities a model drifts to what it goes over: the built-in one, which the simulated hand can
    only show a part of what it has learned from, lost 4 to 8 of 60 points in brush calligraphy, and 0.2 to 0.6 so.
    What is gone over does not hold all that real people write, so no gradient reaches the classes that have nothing to
    do with what is to be learned.

    Args:
        kernel: Of the last layer before, ``(features, classes)``.
        bias: ``(classes,)``.
        learns: ``bool (classes,)``: which classes may change.
    """

    def __init__(
        self, kernel: NDArray[np.float32], bias: NDArray[np.float32], learns: NDArray[np.bool_], **kwargs: Any
    ) -> None:
        super().__init__(name="anchor", trainable=False, dtype="float32", **kwargs)
        self._kernel = self._kept("kernel", kernel)
        self._bias = self._kept("bias", bias)
        self._learns = learns

    def _kept(self, name: str, values: NDArray[np.float32]) -> keras.Variable:
        kept: keras.Variable = self.add_weight(name=name, shape=values.shape, trainable=False)
        kept.assign(values)
        return kept

    def call(self, features: KerasTensor, logits: KerasTensor, training: bool = False) -> KerasTensor:
        """``features`` ``(batch, features)``, ``logits`` ``(batch, classes)``; the logits."""
        if training:
            logits = ops.where(self._learns, logits, ops.stop_gradient(logits))
            before = ops.softmax(ops.matmul(features, self._kernel) + self._bias)
            now = ops.logsumexp(logits, axis=-1) - ops.sum(before * logits, axis=-1)
            self.add_loss(ops.mean(now))
        return logits
