"""The networks: pictures in, one logit a class and an embedding out.

Input is ``(batch, size, size, 1)`` with 0 to 255, white ink on black; scaling is the network's own first layer, so that
every user of it feeds the same bytes.
"""

import keras
from keras import KerasTensor, layers

from hanzi_core.training.config import Network


def build(network: Network, image_size_px: int, classes: int) -> keras.Model:
    """A new network with outputs ``logits`` ``(batch, classes)`` and ``embedding`` ``(batch, dimensions)``."""
    image = keras.Input((image_size_px, image_size_px, 1), name="image")
    embedding = _BODIES[network](image)
    logits = layers.Dense(classes, name="logits", dtype="float32")(embedding)
    return keras.Model(image, {"logits": logits, "embedding": embedding}, name=network.value)


def _compact(image: KerasTensor) -> KerasTensor:
    """A residual network (He et al. 2015, arXiv 1512.03385) with activation first, narrow where pictures are large.

    60 million multiply-adds a picture of 64 x 64; 2.9 million parameters at 100 classes.
    """
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False)(x)
    for width, stride in ((32, 1), (64, 2), (128, 2), (256, 2)):
        x = _residual(x, width, stride)
    x = _activate(x)
    x = WeightedAveragePooling(name="pooling")(x)
    x = layers.Dropout(0.2)(x)
    return layers.Dense(256, name="embedding")(x)


def _activate(x: KerasTensor) -> KerasTensor:
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def _residual(x: KerasTensor, width: int, stride: int) -> KerasTensor:
    active = _activate(x)
    same = stride == 1 and x.shape[-1] == width
    shortcut = x if same else layers.Conv2D(width, 1, strides=stride, use_bias=False)(active)
    y = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(active)
    y = layers.Conv2D(width, 3, padding="same", use_bias=False)(_activate(y))
    return layers.Add()([shortcut, y])


@keras.saving.register_keras_serializable("hanzi")
class WeightedAveragePooling(layers.Layer):
    """Average over the picture with one learned weight a place and channel (Melnyk et al. 2018, arXiv 1812.11489).

    A stroke in the middle means something else than one at the edge, which plain averaging forgets.
    """

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Start as the plain average."""
        _, height, width, channels = input_shape
        start = keras.initializers.Constant(1 / (height * width))
        self.kernel = self.add_weight(shape=(1, height, width, channels), initializer=start, name="kernel")

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """``(batch, height, width, channels)`` to ``(batch, channels)``."""
        return keras.ops.sum(inputs * self.kernel, axis=(1, 2))


_BODIES = {Network.COMPACT: _compact}
