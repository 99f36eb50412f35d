"""How real is the simulated hand? Two gauges, on the characters of each development set.

    python -m bench.hand reader --data ../shared/data        PP-OCRv6 should find our hand about as hard as real hands
    python -m bench.hand classifier --data ../shared/data    a small network should hardly tell ours from real ones

The first needs requirements-bench.txt. The second trains a network for a minute a pair on half of the characters, and
asks it about the other half: 50 % means that it cannot tell, 100 % that it always can.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.development_sets import SETS, DevelopmentSet, MissingSetError, Sample, read_set
from hanzi_core.image.normalise import normalise
from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.cursive import cursive_forms
from hanzi_core.strokes.draw import draw
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.style import PRESETS

SET_NAMES = [name for name in SETS if name != "tomoe"]


def imitate(labels: Sequence[str], preset: str, seed: int) -> list[Sample]:
    """The same characters by our hand."""
    characters = sorted(set(labels))
    styles = [PRESETS[preset]] * len(labels)
    rng = np.random.default_rng(seed)
    places = np.array([characters.index(label) for label in labels])
    path = Hand(study(StrokeLibrary.load(), characters, cursive_forms())).write(places, styles, rng)
    return [Sample(label, gray) for label, gray in zip(labels, draw(path, styles, rng), strict=True)]


def read_known(name: str, folder: Path, limit: int, seed: int) -> DevelopmentSet:
    """A set without the characters that our library lacks."""
    found = read_set(name, folder, limit, seed)
    library = StrokeLibrary.load()
    return DevelopmentSet(name, [s for s in found.samples if s.label in library], found.either_form)


def gauge_reader(found: DevelopmentSet, seed: int) -> dict[str, float]:
    """Top-1 of PP-OCRv6, in %, on the real samples and on each preset's imitation of them."""
    from bench.peers import PaddleReader  # noqa: PLC0415  optional
    from bench.recognition import place_of, right_answer  # noqa: PLC0415

    reader = PaddleReader()
    labels = [sample.label for sample in found.samples]
    kinds = {"real": (found.samples, found.either_form)}
    kinds |= {preset: (imitate(labels, preset, seed), False) for preset in PRESETS}
    result = {}
    for kind, (samples, either_form) in kinds.items():
        rankings = [row for start in range(0, len(samples), 32) for row in reader.rank(samples[start : start + 32], 1)]
        tests = [right_answer(label, either_form) for label in labels]
        places = [place_of(row, test) for row, test in zip(rankings, tests, strict=True)]
        result[kind] = 100 * float(np.mean([place == 0 for place in places]))
    return result


def gauge_classifier(found: DevelopmentSet, seed: int) -> dict[str, float]:
    """How often, in %, a small network tells each preset's pictures from real ones, on characters new to it."""
    labels = [sample.label for sample in found.samples]
    rng = np.random.default_rng(seed)
    characters = sorted(set(labels))
    taught = set(rng.permutation(characters)[: len(characters) // 2])
    is_taught = np.array([label in taught for label in labels])
    real = _normalised(found.samples)
    result = {}
    for preset in PRESETS:
        ours = _normalised(imitate(labels, preset, seed))
        result[preset] = 100 * _tell_apart(real, ours, is_taught, seed)
    return result


def _normalised(samples: Sequence[Sample]) -> NDArray[np.uint8]:
    return np.stack([normalise(sample.gray) for sample in samples])[..., np.newaxis]


def _tell_apart(real: NDArray[np.uint8], ours: NDArray[np.uint8], is_taught: NDArray[np.bool_], seed: int) -> float:
    import keras  # noqa: PLC0415  seconds to import, for this gauge alone

    keras.utils.set_random_seed(seed)
    layers: list[keras.Layer] = [keras.layers.Rescaling(1 / 255)]
    for width in (16, 32, 64):
        layers += [keras.layers.Conv2D(width, 3, strides=2, activation="relu")]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, activation="sigmoid")]
    network = keras.Sequential(layers)
    network.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy", metrics=["accuracy"])
    taught = np.concatenate([real[is_taught], ours[is_taught]])
    answers = np.repeat([0.0, 1.0], is_taught.sum())
    network.fit(taught, answers, batch_size=64, epochs=30, verbose=0)
    asked = np.concatenate([real[~is_taught], ours[~is_taught]])
    return float(network.evaluate(asked, np.repeat([0.0, 1.0], (~is_taught).sum()), verbose=0)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gauge", choices=["reader", "classifier"])
    parser.add_argument("--data", type=Path, required=True, help="folder of the development sets")
    parser.add_argument("--limit", type=int, default=300, help="samples a set")
    parser.add_argument("--sets", nargs="+", choices=SET_NAMES, default=SET_NAMES)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    gauge = {"reader": gauge_reader, "classifier": gauge_classifier}[arguments.gauge]
    for name in arguments.sets:
        try:
            found = read_known(name, arguments.data, arguments.limit, arguments.seed)
        except MissingSetError as error:
            print(f"{name}: skipped, {error}")
            continue
        row = gauge(found, arguments.seed)
        print(f"{name:<16}" + "  ".join(f"{kind} {share:5.1f}" for kind, share in row.items()), flush=True)


if __name__ == "__main__":
    main()
