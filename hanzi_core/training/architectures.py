"""The networks: pictures in, one logit a class and an embedding out.

Input is ``(batch, size, size, 1)`` with 0 to 255, white ink on black; scaling is the network's own first layer, so that
every user of it feeds the same bytes.
"""

from collections.abc import Callable

import keras
from keras import KerasTensor, layers

from hanzi_core.training.config import Network

BACKBONE = "backbone"
"""Name of the part that ImageNet weights are for."""


def build(network: Network, image_size_px: int, classes: int, dropout: float = 0.2) -> keras.Model:
    """A new network with outputs ``logits`` ``(batch, classes)`` and ``embedding`` ``(batch, dimensions)``.

    Both are float32, whatever precision the layers between work in.
    """
    image = keras.Input((image_size_px, image_size_px, 1), name="image")
    embedding = _BODIES[network](image, dropout)
    logits = layers.Dense(classes, name="logits", dtype="float32")(_head_input(network, embedding, dropout))
    return keras.Model(image, {"logits": logits, "embedding": embedding}, name=network.value)


def _head_input(network: Network, embedding: KerasTensor, dropout: float) -> KerasTensor:
    """The classic networks leave features out after their last dense layer, ours before it."""
    return embedding if network is Network.COMPACT else layers.Dropout(dropout, name="dropout")(embedding)


def _compact(image: KerasTensor, dropout: float) -> KerasTensor:
    """A residual network (He et al. 2015, arXiv 1512.03385) with activation first, narrow where pictures are large.

    60 million multiply-adds a picture of 64 x 64; 1.3 million parameters at 100 classes.
    """
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False)(x)
    for width, stride in ((32, 1), (64, 2), (128, 2), (256, 2)):
        x = _residual(x, width, stride)
    x = _activate(x)
    x = WeightedAveragePooling(name="pooling")(x)
    x = layers.Dropout(dropout)(x)
    return layers.Dense(256, name="embedding", dtype="float32")(x)


def _cnn(image: KerasTensor, _dropout: float) -> KerasTensor:
    """Convolution and max pooling twice, then one dense layer; three equal channels, as its users feed it."""
    x = layers.Rescaling(1 / 255)(_three_channels(image))
    for width in (32, 64):
        x = layers.MaxPooling2D()(layers.Conv2D(width, 3, activation="relu")(x))
    return layers.Dense(128, activation="relu", name="embedding", dtype="float32")(layers.Flatten()(x))


def _resnet50(image: KerasTensor, _dropout: float) -> KerasTensor:
    """ResNet-50 as Keras has it (He et al. 2015, arXiv 1512.03385), fed as its ImageNet weights want it.

    They want blue, green and red less the means of ImageNet.
    """
    x = layers.Rescaling(1.0, offset=[-103.939, -116.779, -123.68])(_three_channels(image))
    return _application(keras.applications.ResNet50, x)


def _densenet169(image: KerasTensor, _dropout: float) -> KerasTensor:
    """DenseNet-169 as Keras has it (Huang et al. 2016, arXiv 1608.06993), fed as its ImageNet weights want it.

    They want red, green and blue from 0 to 1, less the means of ImageNet, over their deviations.
    """
    means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    scale = [1 / (255 * deviation) for deviation in deviations]
    offset = [-mean / deviation for mean, deviation in zip(means, deviations, strict=True)]
    return _application(keras.applications.DenseNet169, layers.Rescaling(scale, offset)(_three_channels(image)))


def _application(kind: Callable[..., keras.Model], x: KerasTensor) -> KerasTensor:
    body = kind(include_top=False, weights=None, input_shape=x.shape[1:], pooling="avg", name=BACKBONE)
    return layers.Dense(1024, activation="relu", name="embedding", dtype="float32")(body(x))


def _melnyk(image: KerasTensor, _dropout: float) -> KerasTensor:
    """Melnyk-Net (Melnyk et al. 2018, arXiv 1812.11489): 13 convolutions, then weighted average pooling."""
    x = layers.Rescaling(1 / 255)(image)
    stages = ((64, 64), (96, 64, 96), (128, 96, 128), (256, 192, 256), (448, 256, 448))
    for number, widths in enumerate(stages):
        x = layers.AveragePooling2D(3, strides=2, padding="same")(x) if number else x
        for width in widths:
            x = _activate(layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x))
    x = WeightedAveragePooling(name="pooling")(x)
    return layers.Activation("linear", name="embedding", dtype="float32")(x)


def _three_channels(image: KerasTensor) -> KerasTensor:
    return layers.Concatenate()([image, image, image])


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


_BODIES = {
    Network.COMPACT: _compact,
    Network.CNN: _cnn,
    Network.RESNET50: _resnet50,
    Network.DENSENET169: _densenet169,
    Network.MELNYK: _melnyk,
}
