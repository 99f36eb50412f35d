"""What the built-in model costs as it is served, and what its 8-bit weights lose against floating point.

    python -m bench.served --data ../shared/data

Milliseconds are of one character at a time on one thread, of that thread's own CPU time; accuracies are of the same
pictures, all characters open. To hold: under 1.0 ms, under 2 ms with the normalisation, and 0.3 points lost at most.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.development_sets import SETS, DevelopmentSet, read_set
from bench.recognition import TIMED_SAMPLES, right_answer
from hanzi_core.bundle import BUILT_IN, WEIGHTS, Bundle
from hanzi_core.image.normalise import normalise


def median_ms(function: Callable[[int], object], count: int) -> float:
    """Median milliseconds of ``function(0)`` to ``function(count - 1)``."""
    taken_ms = []
    for number in range(count):
        start_s = time.process_time()
        function(number)
        taken_ms.append((time.process_time() - start_s) * 1e3)
    return statistics.median(taken_ms)


def top1(found: DevelopmentSet, labels: Sequence[str], scores: NDArray[np.float32]) -> float:
    """Share of the samples that are read right, in %."""
    answers = [labels[best] for best in scores.argmax(axis=1)]
    tests = [right_answer(sample.label, found.either_form) for sample in found.samples]
    return 100 * float(np.mean([test(answer) for test, answer in zip(tests, answers, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the development sets")
    parser.add_argument("--bundle", type=Path, default=BUILT_IN)
    parser.add_argument("--limit", type=int, default=1000, help="samples of a set")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    bundle = Bundle.open(arguments.bundle)
    model = bundle.load(threads=1)
    import keras  # noqa: PLC0415  slow, and not before the bundle has been found

    import hanzi_core.training.architectures  # noqa: F401, PLC0415  its layers must be known to load it

    network = keras.models.load_model(bundle.file(WEIGHTS), compile=False, safe_mode=True)
    print(f"{'set':<16}{'8 bits':>8}{'float':>8}{'lost':>7}{'normalise':>12}{'model':>8}{'both, ms':>10}")
    for name in SETS:
        found = read_set(name, arguments.data, arguments.limit, 0, bundle.index)
        images = np.stack([normalise(sample.gray) for sample in found.samples])
        parts = np.array_split(images, -(-len(images) // 64))
        served = np.concatenate([model.predict(part).probabilities for part in parts])
        floats = network.predict(images[..., np.newaxis], batch_size=64, verbose=0)["logits"]
        rates = [top1(found, bundle.labels, scores) for scores in (served, floats)]
        count = min(TIMED_SAMPLES, len(images))
        normalise_ms = median_ms(lambda n, found=found: normalise(found.samples[n].gray), count)
        model_ms = median_ms(lambda n, images=images: model.predict(images[n : n + 1]), count)
        print(
            f"{name:<16}{rates[0]:>8.1f}{rates[1]:>8.1f}{rates[1] - rates[0]:>7.1f}"
            f"{normalise_ms:>12.2f}{model_ms:>8.2f}{normalise_ms + model_ms:>10.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
