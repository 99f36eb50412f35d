"""Training pictures drawn where the network trains: nothing is stored, nothing is waited for but the path of the pen.

Processes write characters as segments (``pen_batches.py``); the accelerator draws and spoils a batch and stretches its
contrast, with ``keras.ops`` alone. The ink lies as the normalisation would lay it. What a real scan does to a picture
is done in short: blur and coarse resolution are one Gaussian, paper and grain are added, then taken away as the
normalisation does, by the mean levels of paper and ink. Fonts and JPEG have no part in it.
"""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops
from numpy.typing import NDArray

from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.strokes.draw_on_device import draw_batch
from hanzi_core.training.pen_batches import BANK_PX, INK_SHARE, Flaws, PenSettings, written_batches

_PATCH_CELLS = 16
_BLUR_TAPS = 13


def device_batches(
    settings: PenSettings, first: int = 0, processes: int = 0
) -> Iterator[tuple[KerasTensor, NDArray[np.int32]]]:
    """Pictures ``uint8 (batch, 64, 64, 1)`` on the device, and their labels, without end.

    The arguments are those of :func:`~hanzi_core.training.pen_batches.written_batches`.
    """
    render, noise = compiled(draw_and_spoil), noise_bank(settings.seed)
    for written in written_batches(settings, first, processes):
        yield render(written.ends, written.widths, written.flaws, written.offsets, noise), written.labels


def noise_bank(seed: int) -> NDArray[np.float32]:
    """Normal noise ``(512, 512)`` from which every picture is given a piece of its own."""
    return np.random.default_rng(seed).standard_normal((BANK_PX, BANK_PX), np.float32)


def draw_and_spoil(
    ends: KerasTensor, widths: KerasTensor, flaws: KerasTensor, offsets: KerasTensor, noise: KerasTensor
) -> KerasTensor:
    """The pictures of a batch as the pen wrote it: ``uint8 (batch, 64, 64, 1)``, white ink on black."""
    of = Flaws(*(flaws[:, column, None, None] for column in range(flaws.shape[1])))
    ink = draw_batch(ends, widths, IMAGE_SIZE_PX, INK_SHARE) / 255
    ink = ink * (1 - of.dryness * ops.clip((_patches(noise, offsets[:, 1]) - of.dry_from) * 4, 0, 1))
    gray = _blur(ink, of.blur_px) * of.contrast
    slope = np.linspace(-0.5, 0.5, IMAGE_SIZE_PX, dtype=np.float32)
    light = of.light_x * slope[None, None, :] + of.light_y * slope[None, :, None]
    grain = _pieces_of(noise, offsets[:, 0], IMAGE_SIZE_PX)
    gray = gray + ops.where(of.grain > 0, light + grain * of.grain, 0.0)
    return ops.cast(ops.round(255 * _stretch(gray))[..., None], "uint8")


def _pieces_of(noise: KerasTensor, offsets: KerasTensor, size_px: int) -> KerasTensor:
    """A square of the bank for each picture, ``(batch, size, size)``."""
    places = ops.arange(size_px)[None, :]
    rows, columns = offsets[:, :1] + places, offsets[:, 1:] + places
    flat = rows[:, :, None] * BANK_PX + columns[:, None, :]
    return ops.take(ops.reshape(noise, (-1,)), flat)


def _patches(noise: KerasTensor, offsets: KerasTensor) -> KerasTensor:
    """Smooth patches from 0 to 1, ``(batch, 64, 64)``."""
    cells = _pieces_of(noise, offsets, _PATCH_CELLS)
    uniform = 0.5 * (1 + ops.erf(cells / np.float32(np.sqrt(2))))
    return ops.image.resize(uniform[..., None], (IMAGE_SIZE_PX, IMAGE_SIZE_PX), data_format="channels_last")[..., 0]


def _blur(ink: KerasTensor, sigma_px: KerasTensor) -> KerasTensor:
    """Each picture under a Gaussian of its own, ``sigma_px`` ``(batch, 1, 1)``."""
    reach = _BLUR_TAPS // 2
    steps = np.arange(-reach, reach + 1, dtype=np.float32)
    weights = ops.exp(-0.5 * (steps / ops.maximum(sigma_px[:, 0], 0.05)) ** 2)
    weights = weights / ops.sum(weights, axis=1, keepdims=True)
    for axis in (1, 2):
        margins = [[0, 0], [0, 0], [0, 0]]
        margins[axis] = [reach, reach]
        padded = ops.pad(ink, margins)
        rows = [slice(None)] * 3
        total = 0.0
        for tap in range(_BLUR_TAPS):
            rows[axis] = slice(tap, tap + IMAGE_SIZE_PX)
            total = total + weights[:, tap, None, None] * padded[tuple(rows)]
        ink = total
    return ink


def _stretch(gray: KerasTensor) -> KerasTensor:
    """Paper to 0 and ink to 1, the lowest eighth between them cut off as grain; see ``image/normalise.py``."""
    middle = (ops.max(gray, axis=(1, 2), keepdims=True) + ops.mean(gray, axis=(1, 2), keepdims=True)) / 2
    is_ink = ops.cast(gray > middle, "float32")
    full = _mean(gray, is_ink)
    paper = _mean(gray, 1 - is_ink)
    floor = paper + (full - paper) / 8
    return ops.clip((gray - floor) / ops.maximum(full - floor, 1.0), 0.0, 1.0)


def _mean(values: KerasTensor, weights: KerasTensor) -> KerasTensor:
    total = ops.sum(weights, axis=(1, 2), keepdims=True)
    return ops.sum(values * weights, axis=(1, 2), keepdims=True) / ops.maximum(total, 1.0)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` by XLA, which makes one loop of the distances and their minimum; as it is on other backends."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        return tensorflow.function(function, jit_compile=True)
    return function
