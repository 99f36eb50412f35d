"""The network of the built-in model: a compact body under a wide last layer.

It takes 64 x 64 pictures like every other network, and can work on a smaller version of them, which it makes itself: at
48 px a picture costs half as much to learn from. The body is convolutional: what began at 32 px goes on at 48 or 64,
and what began with fewer residual blocks goes on with more.
"""

from collections import defaultdict, deque
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers

from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.training.architectures import WeightedAveragePooling

NETWORK = "builtin"
"""What the card calls this network."""

IMAGES_SEEN = "images_seen"
"""Among the card's metrics: how many pictures the weights have learned from."""

IMAGES_TAUGHT = "images_taught"
"""Among the card's metrics: of how many of them a teacher had a say in the target."""

EMBEDDING_SIZE = 256
_NAMED = ("pooling_fine", "pooling_coarse", "embedding", "logits")


def build_builtin(classes: int, working_size_px: int) -> keras.Model:
    """A new network with outputs ``logits`` ``(batch, classes)`` and ``embedding`` ``(batch, 256)``.

    68 million multiply-adds a picture at 48 px, 121 at 64 px; 3.2 million parameters below the last layer.
    """
    image = keras.Input((IMAGE_SIZE_PX, IMAGE_SIZE_PX, 1), name="image")
    x = layers.Rescaling(1 / 255)(image)
    if working_size_px == IMAGE_SIZE_PX // 2:
        x = layers.AveragePooling2D(2)(x)
    elif working_size_px != IMAGE_SIZE_PX:
        x = layers.Resizing(working_size_px, working_size_px)(x)
    x = _convolve(x, 32, 2)
    x = _stage(x, 64, 3)
    fine = x = _stage(x, 128, 5)
    x = _stage(x, 256, 3)
    pooled = [WeightedAveragePooling(name=f"pooling_{name}")(y) for name, y in (("fine", fine), ("coarse", x))]
    x = layers.Concatenate()(pooled)
    x = layers.Dense(EMBEDDING_SIZE, use_bias=False)(x)
    embedding = layers.BatchNormalization(name="embedding", momentum=0.97)(x)
    logits = layers.Dense(classes, name="logits", dtype="float32")(embedding)
    return keras.Model(image, {"logits": logits, "embedding": embedding}, name="builtin")


def _convolve(x: KerasTensor, width: int, stride: int) -> KerasTensor:
    x = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.97)(x))


def _stage(x: KerasTensor, width: int, blocks: int) -> KerasTensor:
    x = _convolve(x, width, 2)
    for _ in range(blocks):
        x = _residual(x)
    return x


def _residual(x: KerasTensor) -> KerasTensor:
    y = layers.Conv2D(x.shape[-1], 3, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.Add()([x, layers.BatchNormalization(momentum=0.97)(y)]))


def average(models: list[keras.Model]) -> keras.Model:
    """The first of ``models`` with the mean of the weights of all (Izmailov et al. 2018, arXiv 1803.05407).

    They must be built alike and lie on one path of training: the running statistics of the batch normalisations are
    averaged like the rest.
    """
    mean = [np.mean(weights, axis=0) for weights in zip(*(model.get_weights() for model in models), strict=True)]
    models[0].set_weights(mean)
    return models[0]


def transfer(source: keras.Model, target: keras.Model) -> None:
    """Copy all weights into a network that may look at another size, and may have more residual blocks in a stage.

    The pooling's weights, one a place, are stretched. Blocks that ``source`` lacks add nothing at first, so that the
    deeper network begins with the answers of the shallower one (Chen et al. 2016, arXiv 1511.05641). Classes that
    ``target`` lacks are left out: they come last.

    Raises:
        ValueError: a layer of ``source`` has no counterpart.
    """
    known: defaultdict[tuple[Any, ...], deque[keras.Layer]] = defaultdict(deque)
    for layer in source.layers:
        known[_kind(layer)].append(layer)
    for layer in target.layers:
        if found := known[_kind(layer)]:
            _copy(found.popleft(), layer)
        elif isinstance(layer, layers.BatchNormalization):
            layer.gamma.assign(np.zeros(layer.gamma.shape))
    if left := [layer.name for same in known.values() for layer in same if layer.weights]:
        raise ValueError(f"nothing in {target.name} is like {', '.join(left)} of {source.name}")


def _kind(layer: keras.Layer) -> tuple[Any, ...]:
    """What a layer shares with its counterpart: its name, or for the body's, which are numbered, type and shapes."""
    if layer.name in _NAMED:
        return (layer.name,)
    return (type(layer).__name__, *(tuple(weight.shape) for weight in layer.weights))


def _copy(source: keras.Layer, target: keras.Layer) -> None:
    for old, new in zip(source.weights, target.weights, strict=True):
        values = keras.ops.convert_to_numpy(old)
        if source.name == "logits":
            values = values[..., : new.shape[-1]]
        elif old.shape != new.shape:
            share = np.prod(old.shape[1:3]) / np.prod(new.shape[1:3])
            values = keras.ops.convert_to_numpy(keras.ops.image.resize(values, new.shape[1:3])) * share
        new.assign(values)
