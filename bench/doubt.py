"""When our model should say “not sure”, how much the frequency of a character should count, and how well it is taught.

    python -m bench.doubt --data ../shared/data            prints what each setting costs and saves
    python -m bench.doubt --data ../shared/data --write    and writes the two that are the model's own into its card

The figures of a new model differ: run it with ``--write`` once for each model that is shipped. Measured on drawn and
scanned characters that the model has a class for, on such that it has none for, on scribbles and on Latin letters.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.development_sets import Sample, draw_strokes, read_set
from hanzi_core.bundle import BUILT_IN, write_card
from hanzi_core.recognition import Favour, Preferences, Recogniser
from hanzi_core.recognition.frequency import POWERS, RARE_PER_MILLION
from hanzi_core.recognition.prototypes import DRAWINGS
from hanzi_core.recognition.recogniser import SURE
from hanzi_core.strokes.frequency import frequencies_per_million

SETS = ("drawn", "tomoe", "penwriting40", "calligraphy100")
LIMIT = 2000
SCRIBBLES = 500
STRENGTHS = (-0.15, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
SURES = (0.5, 0.6, 0.7)
TEACHINGS = 20
_BATCH = 32
_LOST = 0.01
"""Share of the drawn characters that were read right which the evidence may cast doubt on."""


@dataclass(frozen=True)
class Reading:
    """What the model said of the pictures of a set."""

    right: NDArray[np.bool_]
    assurance: NDArray[np.float32]
    evidence: NDArray[np.float32]
    right_by_strength: NDArray[np.bool_]
    """``(pictures, STRENGTHS)``: whether the first candidate was right with a prior of that strength."""
    weight: NDArray[np.float64]
    """How often each picture's character is written."""
    directions: NDArray[np.float32]


def scribble(random: np.random.Generator) -> NDArray[np.uint8]:
    """Up to eight wandering lines."""
    strokes = []
    for _ in range(random.integers(1, 9)):
        heading, turn = random.uniform(0, 2 * np.pi), random.normal(0, 0.6)
        points = [random.uniform(60, 940, 2)]
        for _ in range(random.integers(2, 14)):
            heading += random.normal(turn, 0.5)
            step = random.uniform(30, 160) * np.array([np.cos(heading), np.sin(heading)])
            points.append(np.clip(points[-1] + step, 20, 980))
        strokes.append([(int(x), int(y)) for x, y in points])
    return draw_strokes(strokes)


def letter(random: np.random.Generator) -> NDArray[np.uint8]:
    """A Latin letter or a digit."""
    paper = np.full((384, 384), 255, np.uint8)
    character = chr(random.choice([*range(48, 58), *range(65, 91), *range(97, 123)]))
    size, width = 8 * random.uniform(0.7, 1.1), int(random.integers(8, 20))
    cv2.putText(paper, character, (90, 290), int(random.choice([0, 2, 4, 6])), size, 0, width, cv2.LINE_AA)
    return paper


def read(recogniser: Recogniser, samples: Sequence[Sample]) -> Reading:
    labels, rates = recogniser.bundle.labels, frequencies_per_million()
    rate = np.array([max(rates.get(label, 0.0), RARE_PER_MILLION) for label in labels], np.float32)
    shipped = recogniser.weights(Preferences())
    parts = []
    for some in _batches(samples):
        seen = [recogniser.see(sample.gray) for sample in some]
        output, answers = recogniser.predict(np.stack(seen)), recogniser.answer(seen, Preferences(), 1)
        wanted = np.array([recogniser.bundle.index.get(sample.label, -1) for sample in some])
        scores = output.probabilities * shipped
        firsts = np.stack([(output.probabilities * rate**s).argmax(axis=1) for s in STRENGTHS], axis=1)
        length = np.linalg.norm(output.embedding, axis=1, keepdims=True)
        weight = np.array([rates.get(sample.label, 0.0) for sample in some])
        parts.append(
            (
                scores.argmax(axis=1) == wanted,
                np.array([answer.assurance for answer in answers], np.float32),
                output.evidence,
                firsts == wanted[:, np.newaxis],
                weight,
                output.embedding / length,
            )
        )
    return Reading(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _batches(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    return (samples[start : start + _BATCH] for start in range(0, len(samples), _BATCH))


def gather(data: Path, recogniser: Recogniser) -> dict[str, list[Sample]]:
    """The sets, what the model has no class for apart, and what is no character at all."""
    known, random = recogniser.bundle.index, np.random.default_rng(0)
    found: dict[str, list[Sample]] = {}
    for name in SETS:
        samples = read_set(name, data, LIMIT).samples
        found[name] = [sample for sample in samples if sample.label in known]
        if others := [sample for sample in samples if sample.label not in known]:
            found[f"{name}, no class"] = others
    makers: tuple[tuple[str, Callable], ...] = (("scribbles", scribble), ("letters, digits", letter))
    for name, make in makers:
        found[name] = [Sample("", make(random)) for _ in range(SCRIBBLES)]
    return found


def least_evidence(readings: dict[str, Reading]) -> float:
    """What all but :data:`_LOST` of the drawn characters that are read right have."""
    drawn = [readings[name] for name in ("drawn", "tomoe")]
    return float(np.quantile(np.concatenate([each.evidence[each.right] for each in drawn]), _LOST))


def show_doubt(readings: dict[str, Reading], floor: float) -> None:
    print(
        f"\nSure: an assurance of {SURE} and an evidence of {floor:.1f}. In %; of the right answers called sure, or of"
    )
    print("all where none can be right; in brackets how many of the sure are right.\n")
    print("| set | pictures | right | " + " | ".join(f"{s} | {s}, evidence" for s in SURES) + " |")
    print("|---|---:|---:|" + "---:|" * (2 * len(SURES)))
    for name, each in readings.items():
        cells = [name, f"{len(each.right):,}", f"{each.right.mean():.1%}" if each.right.any() else "–"]
        for sure in SURES:
            confident = each.assurance >= sure
            cells += [_share(each, confident), _share(each, confident & (each.evidence >= floor))]
        print("| " + " | ".join(cells) + " |")


def _share(each: Reading, confident: NDArray[np.bool_]) -> str:
    if not each.right.any():
        return f"{confident.mean():.1%}"
    return f"{confident[each.right].mean():.1%} ({each.right[confident].mean():.1%})"


def show_prior(readings: dict[str, Reading]) -> None:
    print(
        f"\nFirst candidates right by the strength of the frequency prior (shipped: {POWERS[Favour.COMMON]}, or"
        f" {POWERS[Favour.RARE]} with rare characters preferred), in %; in brackets with"
    )
    print("each character as frequent as it is in text.\n")
    print("| set | " + " | ".join(map(str, STRENGTHS)) + " |")
    print("|---|" + "---:|" * len(STRENGTHS))
    for name in SETS:
        right, weight = readings[name].right_by_strength, readings[name].weight
        # Characters count by their own frequency, not by how many pictures the set happens to hold of them.
        in_text = (right * weight[:, np.newaxis]).sum(axis=0) / weight.sum()
        pairs = zip(right.mean(axis=0), in_text, strict=True)
        print(f"| {name} | " + " | ".join(f"{plain:.1%} ({text:.1%})" for plain, text in pairs) + " |")


def teach(samples: dict[str, list[Sample]], readings: dict[str, Reading]) -> tuple[NDArray, NDArray, list[str]]:
    """Likeness of new drawings to what was taught by others of the same character, and of all else to it."""
    own, others, names = [], [], []
    random = np.random.default_rng(0)
    strangers = np.concatenate([readings[name].directions for name in SETS])
    labels = np.array([sample.label for sample in samples["drawn, no class"]])
    directions = readings["drawn, no class"].directions
    for label in sorted(set(labels)):
        mine = directions[labels == label]
        names.append(label)
        for _ in range(TEACHINGS):
            order = random.permutation(len(mine))
            taught = mine[order[:DRAWINGS]].mean(axis=0)
            taught /= np.linalg.norm(taught)
            own.append(mine[order[DRAWINGS:]] @ taught)
            others += [strangers @ taught, directions[labels != label] @ taught]
    return np.concatenate(own), np.concatenate(others), names


def halfway(own: NDArray, others: NDArray) -> float:
    """Between what 19 of 20 drawings of a taught character reach and what one in a thousand others does."""
    return float(np.quantile(own, 0.05) + np.quantile(others, 0.999)) / 2


def show_teaching(own: NDArray, others: NDArray, names: list[str], middle: float) -> None:
    low, high, highest = np.quantile(own, 0.05), np.quantile(others, 0.99), np.quantile(others, 0.999)
    print(f"\n{''.join(names)}, which have no class, each taught by {DRAWINGS} of its 10 drawings, {TEACHINGS} times.")
    print(f"Likeness of its other drawings: {np.median(own):.2f} (median), {low:.2f} (5 %).")
    print(f"Likeness of other characters: {high:.2f} (99 %), {highest:.2f} (99.9 %).")
    print(f"Even at {middle:.2f}: {(own >= middle).mean():.1%} of the drawings are recognised,")
    print(f"{(others >= middle).mean():.3%} of the others are taken for one.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the development sets")
    parser.add_argument("--bundle", type=Path, default=BUILT_IN, help="the model: a bundle's folder")
    parser.add_argument("--write", action="store_true", help="write least evidence and taught likeness into its card")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        print(f"skipped: {arguments.data} is not there")
        return
    recogniser = Recogniser.open(arguments.bundle)
    samples = gather(arguments.data, recogniser)
    readings = {name: read(recogniser, some) for name, some in samples.items()}
    floor = least_evidence(readings)
    show_doubt(readings, floor)
    show_prior(readings)
    own, others, names = teach(samples, readings)
    middle = halfway(own, others)
    show_teaching(own, others, names, middle)
    if arguments.write:
        bundle = recogniser.bundle
        changed = bundle.card.model_copy(
            update={"least_evidence": round(floor, 2), "taught_likeness": round(middle, 2)}
        )
        write_card(bundle.folder, changed)
        print(f"\nWritten into {bundle.folder}: {changed.least_evidence} and {changed.taught_likeness}.")


if __name__ == "__main__":
    main()
