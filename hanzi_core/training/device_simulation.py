"""Training pictures drawn where the network trains: nothing is stored, and nothing is waited for but the pen's way.

Processes prepare batches (``undrawn_batches.py``); the accelerator draws strokes and bends glyphs, spoils them and
stretches their contrast, with ``keras.ops`` alone. The ink lies as the normalisation would lay it. What a real scan
does to a picture is done in short: blur and coarse resolution are one Gaussian, paper and grain are added, then taken
away as the normalisation does, by the mean levels of paper and ink. JPEG, and what else only whole pictures have, is in
the share of each batch that the processes draw themselves.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops
from numpy.typing import NDArray

from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.strokes.bend_on_device import bend_batch, interpolate
from hanzi_core.strokes.draw_on_device import draw_batch
from hanzi_core.strokes.font_shapes import FontShapes
from hanzi_core.training.undrawn_batches import (
    BANK_PX,
    INK_SHARE,
    BatchSettings,
    Flaws,
    Glyphs,
    Pen,
    Undrawn,
    undrawn_batches,
)

_BLUR_REACH_PX = 6
_AHEAD = 2
"""Batches drawn ahead of the one that the network learns from."""

Batch = tuple[KerasTensor, NDArray[np.int32]]


def device_batches(settings: BatchSettings, first: int = 0, processes: int = 0) -> Iterator[Batch]:
    """Pictures ``uint8 (batch, 64, 64, 1)`` on the device, and their labels, without end.

    They are drawn ahead by a thread, for an accelerator does what it is told while Python goes on. The arguments are
    those of :func:`~hanzi_core.training.undrawn_batches.undrawn_batches`.
    """
    draw = Drawing(settings)
    ready: queue.Queue[Batch | BaseException] = queue.Queue(_AHEAD)
    ended = threading.Event()

    def work() -> None:
        batches = undrawn_batches(settings, first, processes)
        try:
            for undrawn in batches:
                _put(ready, (draw(undrawn), undrawn.labels), ended)
                if ended.is_set():
                    break
        except BaseException as error:  # it is raised where the batches are taken
            _put(ready, error, ended)
        finally:
            batches.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            batch = ready.get()
            if isinstance(batch, BaseException):
                raise batch
            yield batch
    finally:
        ended.set()
        thread.join()


def _put(ready: "queue.Queue[Any]", item: object, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            ready.put(item, timeout=0.2)
        except queue.Full:
            continue
        return


class Drawing:
    """Draws batches: ``uint8 (batch, 64, 64, 1)``, white ink on black, in the order of their labels.

    The drawing alone is compiled, anew for each number of segments. The rest is some hundred operations a batch, run
    one by one: compiled together, a reduction fused with what comes before it took XLA three minutes on a GPU.
    """

    def __init__(self, settings: BatchSettings) -> None:
        self._noise = ops.convert_to_tensor(noise_bank(settings.seed))
        self._fields = ops.convert_to_tensor(FontShapes(settings.fonts).all_fields()) if settings.fonts else None
        self._draw = compiled(_draw_pen)

    def __call__(self, undrawn: Undrawn) -> KerasTensor:
        """Draw all of it."""
        spoiling = Spoiling(undrawn.flaws, undrawn.offsets, self._noise)
        rough_px = roughness(spoiling)
        inks, begin = [], 0
        for pen in undrawn.pens:
            end = begin + len(pen.ends)
            inks.append(self._draw(pen, rough_px[begin:end]))
            begin = end
        if len(undrawn.glyphs.numbers):
            inks.append(_bend_glyphs(self._fields, undrawn.glyphs, rough_px[begin:]))
        return ops.concatenate([spoil(ops.concatenate(inks), spoiling), undrawn.drawn[..., None]])


def noise_bank(seed: int) -> NDArray[np.float32]:
    """Normal noise ``(512, 512)`` from which every picture is given pieces of its own."""
    return np.random.default_rng(seed).standard_normal((BANK_PX, BANK_PX), np.float32)


class Spoiling(NamedTuple):
    """What happens to pictures of clean ink."""

    flaws: KerasTensor
    """``(batch, flaws)``; see :class:`~hanzi_core.training.undrawn_batches.Flaws`."""
    offsets: KerasTensor
    """``(batch, 3, 2)``: where grain, patches and rough edges are cut from the noise."""
    noise: KerasTensor
    """From :func:`noise_bank`."""


def _draw_pen(pen: Pen, rough_px: KerasTensor) -> KerasTensor:
    ends, widths = ops.cast(pen.ends, "float32"), ops.cast(pen.widths, "float32")
    return draw_batch(ends, widths, IMAGE_SIZE_PX, INK_SHARE, rough_px)


def _bend_glyphs(fields: KerasTensor, glyphs: Glyphs, rough_px: KerasTensor) -> KerasTensor:
    chosen = ops.take(fields, glyphs.numbers, axis=0)
    return bend_batch(chosen, glyphs.places, glyphs.thicker, IMAGE_SIZE_PX, ink_share=INK_SHARE, rough_px=rough_px)


def _columns(flaws: KerasTensor) -> Flaws:
    return Flaws(*(flaws[:, column, None, None] for column in range(flaws.shape[1])))


def roughness(spoiling: Spoiling) -> KerasTensor:
    """By how much the edge of the ink is farther out at each pixel, ``float32 (batch, 64, 64)``."""
    of = _columns(spoiling.flaws)
    return of.rough_px * _texture(spoiling.noise, spoiling.offsets[:, 2], of.rough_cells, of.rough_cells)


def spoil(ink: KerasTensor, spoiling: Spoiling) -> KerasTensor:
    """What is left of clean ink, 0 to 255 ``float32 (batch, 64, 64)``, once a real scan is normalised.

    Returns:
        ``uint8 (batch, 64, 64, 1)``, white ink on black.
    """
    of, noise, offsets = _columns(spoiling.flaws), spoiling.noise, spoiling.offsets
    cells = _texture(noise, offsets[:, 1], of.dry_cells_x, of.dry_cells_y)
    patches = 0.5 * (1 + ops.erf(cells / np.float32(np.sqrt(2))))
    ink = ink / 255 * (1 - of.dryness * ops.clip((patches - of.dry_from) * 4, 0, 1))
    gray = _blur(ink, of.blur_px) * of.contrast
    slope = np.linspace(-0.5, 0.5, IMAGE_SIZE_PX, dtype=np.float32)
    light = of.light_x * slope[None, None, :] + of.light_y * slope[None, :, None]
    grain = _pieces_of(noise, offsets[:, 0])
    gray = gray + ops.where(of.grain > 0, light + grain * of.grain, 0.0)
    return ops.cast(ops.round(255 * _stretch(gray))[..., None], "uint8")


def _pieces_of(noise: KerasTensor, offsets: KerasTensor) -> KerasTensor:
    """A square of the bank for each picture, ``(batch, 64, 64)``."""
    places = ops.arange(IMAGE_SIZE_PX)[None, :]
    rows, columns = offsets[:, :1] + places, offsets[:, 1:] + places
    flat = rows[:, :, None] * BANK_PX + columns[:, None, :]
    return ops.take(ops.reshape(noise, (-1,)), flat)


def _texture(noise: KerasTensor, offsets: KerasTensor, cells_x: KerasTensor, cells_y: KerasTensor) -> KerasTensor:
    """Smooth noise with so many cells over each side, up to 60, ``(batch, 64, 64)``."""
    steps = (np.arange(IMAGE_SIZE_PX, dtype=np.float32) + 0.5) / IMAGE_SIZE_PX
    corner = ops.cast(offsets, "float32")
    x = corner[:, 1, None, None] + cells_x * steps[None, None, :]
    y = corner[:, 0, None, None] + cells_y * steps[None, :, None]
    shape = (1, offsets.shape[0] * IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    x = ops.reshape(ops.broadcast_to(x, (offsets.shape[0], IMAGE_SIZE_PX, IMAGE_SIZE_PX)), shape)
    y = ops.reshape(ops.broadcast_to(y, (offsets.shape[0], IMAGE_SIZE_PX, IMAGE_SIZE_PX)), shape)
    found = interpolate(noise[None, :, :, None], x, y)
    return ops.reshape(found, (offsets.shape[0], IMAGE_SIZE_PX, IMAGE_SIZE_PX))


def _blur(ink: KerasTensor, sigma_px: KerasTensor) -> KerasTensor:
    """Each picture under a Gaussian of its own, ``sigma_px`` ``(batch, 1, 1)``, as two products of matrices."""
    places = np.arange(IMAGE_SIZE_PX, dtype=np.float32)
    apart = np.abs(places[:, None] - places[None, :])
    steps = np.arange(-_BLUR_REACH_PX, _BLUR_REACH_PX + 1, dtype=np.float32)
    sigma_px = ops.maximum(sigma_px, 0.05)
    whole = ops.sum(ops.exp(-0.5 * (steps / sigma_px) ** 2), axis=-1, keepdims=True)
    band = ops.exp(-0.5 * (apart / sigma_px) ** 2) * np.float32(apart <= _BLUR_REACH_PX) / whole
    return ops.matmul(ops.matmul(band, ink), band)


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
