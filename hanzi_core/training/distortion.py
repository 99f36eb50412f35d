"""Augmentation as a Keras layer: it works on whole batches, on whatever device trains."""

import math

import keras
from keras import KerasTensor, layers, ops

from hanzi_core.image.augment import Augmentation


class Distortion(layers.Layer):
    """Apply an :class:`~hanzi_core.image.augment.Augmentation` while training; nothing otherwise."""

    def __init__(self, augmentation: Augmentation, seed: int) -> None:
        super().__init__(name="distortion", dtype="float32")  # 16 bits would blur the grid
        self.augmentation = augmentation
        self.random = keras.random.SeedGenerator(seed)
        # On a GPU Keras would compile the run by XLA, which lacks TensorFlow's operation behind affine_transform.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    def call(self, images: KerasTensor, training: bool = False) -> KerasTensor:
        """``(batch, size, size, 1)``, 0 to 255, to the same."""
        if not training or self.augmentation.is_none:
            return images
        images = ops.image.affine_transform(images, self._transforms(images), "bilinear", "constant", fill_value=0.0)
        return self._tone(images)

    def _uniform(self, images: KerasTensor, reach: float) -> KerasTensor:
        return keras.random.uniform((ops.shape(images)[0],), -reach, reach, seed=self.random)

    def _transforms(self, images: KerasTensor) -> KerasTensor:
        """``(batch, 8)`` projective transforms about the centre, from places in the result to places in the source."""
        settings, size = self.augmentation, images.shape[1]
        angle = self._uniform(images, math.radians(settings.rotation_deg))
        slant = ops.tan(self._uniform(images, math.radians(settings.shear_deg)))
        scale_x, scale_y = 1 + self._uniform(images, settings.zoom), 1 + self._uniform(images, settings.zoom)
        cos, sin = ops.cos(angle), ops.sin(angle)
        a0, a1 = cos / scale_x, (cos * slant - sin) / scale_x
        b0, b1 = sin / scale_y, (sin * slant + cos) / scale_y
        centre = (size - 1) / 2
        shift_x = self._uniform(images, settings.shift * size) + centre - (a0 + a1) * centre
        shift_y = self._uniform(images, settings.shift * size) + centre - (b0 + b1) * centre
        zero = ops.zeros_like(a0)
        return ops.stack([a0, a1, shift_x, b0, b1, shift_y, zero, zero], axis=1)

    def _tone(self, images: KerasTensor) -> KerasTensor:
        """Contrast about the picture's mean, then brightness."""
        contrast = ops.reshape(1 + self._uniform(images, self.augmentation.contrast), (-1, 1, 1, 1))
        brightness = ops.reshape(1 + self._uniform(images, self.augmentation.brightness), (-1, 1, 1, 1))
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return ops.clip(((images - mean) * contrast + mean) * brightness, 0.0, 255.0)
