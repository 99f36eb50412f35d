"""How quickly the simulated hand draws: on a core with OpenCV, and by the batch with keras.ops on the backend at hand.

    python -m bench.drawing
    KERAS_BACKEND=jax python -m bench.drawing --batch 256

Rates of the CPU are by its own time, so that what else runs counts little. The device's are by the clock.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.image.normalise import normalise
from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.cursive import cursive_forms
from hanzi_core.strokes.draw import draw, draw_ink
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.style import PRESETS

IMAGES = 512
STEPS = 20
"""Of the network; the second half is timed."""


def rate(function: Callable[[], object], clock: Callable[[], float] = time.process_time, repeats: int = 3) -> float:
    """Images a second of ``clock``, of :data:`IMAGES` drawn at each call; the best of some."""
    best_s = min(_seconds(function, clock) for _ in range(repeats))
    return IMAGES / best_s


def _seconds(function: Callable[[], object], clock: Callable[[], float]) -> float:
    start_s = clock()
    function()
    return clock() - start_s


def measure_cpu() -> None:
    """A line for each style: the drawing step alone, the path before it, and with paper, scan and normalisation."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    library = StrokeLibrary.load()
    hand = Hand(study(library, library.characters, cursive_forms()))
    labels = rng.integers(0, len(library), IMAGES)
    print("images/s a core      path    ink only   path to normalised picture")
    for name, style in PRESETS.items():
        styles = [style] * IMAGES
        path = hand.write(labels, styles, rng)
        rows = [slice(*pair) for pair in zip(path.first[:-1], path.first[1:], strict=True)]
        ink = rate(lambda path=path, rows=rows: [draw_ink(path.points[row], path.widths[row]) for row in rows])
        written = rate(lambda styles=styles: hand.write(labels, styles, rng))
        whole = rate(lambda styles=styles: [normalise(g) for g in draw(hand.write(labels, styles, rng), styles, rng)])
        print(f"{name:<16}{written:>9,.0f}   {ink:>9,.0f}   {whole:>9,.0f}", flush=True)


def measure_device(batch_size: int, fonts: Path | None) -> None:
    """Images a second of the device: drawn to normalised pictures, and learned from by the built-in network."""
    import keras  # noqa: PLC0415  slow, and for this half alone

    from hanzi_core.training.device_simulation import Drawing  # noqa: PLC0415
    from hanzi_core.training.undrawn_batches import BatchSettings, prepare_batch  # noqa: PLC0415

    settings = BatchSettings(batch_size, 0, fonts, drawn_share=0)
    undrawn, drawing = prepare_batch(settings, 0), Drawing(settings)
    before_mib = _peak_mib()
    pictures = drawing(undrawn)
    np.asarray(pictures)
    added_mib = _peak_mib() - before_mib
    elapsed_s = min(_seconds(lambda: np.asarray(drawing(undrawn)), time.perf_counter) for _ in range(5))
    cpu_s = min(_seconds(lambda: np.asarray(drawing(undrawn)), time.process_time) for _ in range(3))
    segments = max(pen.widths.shape[1] for pen in undrawn.pens)
    print(
        f"{keras.backend.backend()}: {batch_size / elapsed_s:,.0f} images/s by the clock, {batch_size / cpu_s:,.0f} a "
        f"core; batch {batch_size}, up to {segments} segments, {added_mib:,.0f} MiB more with compilation",
        flush=True,
    )
    print(f"the network learns from {_learned_per_s(pictures, undrawn.labels):,.0f} images/s of one repeated batch")


def _learned_per_s(pictures: Any, labels: NDArray[np.int32]) -> float:
    from hanzi_core.training.builtin import BuiltinConfig, Trainer  # noqa: PLC0415
    from hanzi_core.training.config import Precision  # noqa: PLC0415

    times_s = []

    def batches() -> Iterator[tuple[Any, NDArray[np.int32]]]:
        for _ in range(STEPS):
            times_s.append(time.perf_counter())
            yield pictures, labels

    with tempfile.TemporaryDirectory() as folder:
        config = BuiltinConfig(batch_size=len(labels), precision=Precision.AUTO)
        Trainer(Path(folder), config).train(Path(folder), batches())
    half = STEPS // 2
    return half * len(labels) / (times_s[-1] - times_s[-1 - half])


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64, help="images a batch on the device")
    parser.add_argument("--fonts", type=Path, help="cache of font shapes; without it, strokes alone are drawn there")
    arguments = parser.parse_args()
    measure_cpu()
    measure_device(arguments.batch, arguments.fonts)


if __name__ == "__main__":
    main()
