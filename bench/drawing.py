"""How quickly the simulated hand draws: on a core with OpenCV, and by the batch with keras.ops on the backend at hand.

    python -m bench.drawing
    KERAS_BACKEND=jax python -m bench.drawing --batch 256

Rates of the CPU are by its own time, so that what else runs counts little. The device's are by the clock.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np

from hanzi_core.image.normalise import normalise
from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.cursive import cursive_forms
from hanzi_core.strokes.draw import draw, draw_ink
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.style import PRESETS
from hanzi_core.training.pen_batches import PenSettings, write_batch

IMAGES = 512


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


def measure_device(batch_size: int) -> None:
    """Images a second of drawing, spoiling and stretching on the device, and what a batch adds to the memory."""
    import keras  # noqa: PLC0415  slow, and for this half alone

    from hanzi_core.training.device_simulation import compiled, draw_and_spoil, noise_bank  # noqa: PLC0415

    written = write_batch(PenSettings(batch_size, 0), 0)
    render, noise = compiled(draw_and_spoil), noise_bank(0)
    before_mib = _peak_mib()
    np.asarray(render(*written[:4], noise))
    added_mib = _peak_mib() - before_mib
    elapsed_s = min(_seconds(lambda: np.asarray(render(*written[:4], noise)), time.perf_counter) for _ in range(3))
    cpu_s = min(_seconds(lambda: np.asarray(render(*written[:4], noise)), time.process_time) for _ in range(3))
    print(
        f"{keras.backend.backend()}: {batch_size / elapsed_s:,.0f} images/s by the clock, {batch_size / cpu_s:,.0f} a "
        f"core; batch {batch_size}, {written.widths.shape[1]} segments, {added_mib:,.0f} MiB more with compilation"
    )


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64, help="images a batch on the device")
    arguments = parser.parse_args()
    measure_cpu()
    measure_device(arguments.batch)


if __name__ == "__main__":
    main()
