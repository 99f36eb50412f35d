"""What a fine-tuning teaches, and what it makes the model forget, on real handwriting.

    python -m bench.fine_tuning --data ../shared/data

Characters that the model misreads, as the Recognise page answers, and characters that it has no class for are kept as
corrections; ``python -m hanzi_core fine-tune`` lets it learn them. Printed is how many of them are read right then, how
many of the others, which it has a class for and was not corrected on, were and are, and how long it took.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.development_sets import DevelopmentSet, Sample, read_set
from bench.recognition import right_answer
from hanzi_core.bundle import BUILT_IN, Bundle, find_bundles
from hanzi_core.recognition import Preferences, Recogniser
from hanzi_core.recognition.corrections import Corrections
from hanzi_core.workspace import Workspace

SETS = ("drawn", "tomoe", "penwriting40", "calligraphy100")
CASES = ((1, 0), (0, 1), (5, 1), (25, 3))
"""Of each set: misread characters to be learned, and characters without a class."""

MISLABELLED = {("drawn", "坂")}
"""The one that is misread is a 坊, as its ten neighbours of that name show; it would be taught wrongly."""

_BATCH = 32


@dataclass
class Lesson:
    """What is to be learned of a set, and what is to be kept."""

    found: DevelopmentSet
    taught: list[Sample] = field(default_factory=list)
    rest: list[Sample] = field(default_factory=list)


def answers(recogniser: Recogniser, samples: Sequence[Sample]) -> list[str]:
    """The first candidate of each, as the page has it unless something else is chosen."""
    weights, labels = recogniser.weights(Preferences()), recogniser.bundle.labels
    found = []
    for start in range(0, len(samples), _BATCH):
        seen = np.stack([recogniser.see(sample.gray) for sample in samples[start : start + _BATCH]])
        found += [labels[best] for best in (recogniser.predict(seen).probabilities * weights).argmax(axis=1)]
    return found


def are_right(recogniser: Recogniser, found: DevelopmentSet, samples: Sequence[Sample]) -> list[bool]:
    """Whether each of ``samples`` of the set is read right."""
    pairs = zip(answers(recogniser, samples), samples, strict=True)
    return [right_answer(sample.label, found.either_form)(answer) for answer, sample in pairs]


def choose(found: DevelopmentSet, right: Sequence[bool], known: dict[str, int], misread: int, new: int) -> Lesson:
    """The first ``misread`` wrong answers and one picture of each of ``new`` characters without a class are taught.

    The rest is what has a class.
    """
    lesson, new_labels = Lesson(found), set()
    for sample, is_right in zip(found.samples, right, strict=True):
        if sample.label not in known:
            if len(new_labels) < new and sample.label not in new_labels:
                new_labels.add(sample.label)
                lesson.taught.append(sample)
        elif is_right or (found.name, sample.label) in MISLABELLED or misread < 1:
            lesson.rest.append(sample)
        else:
            misread -= 1
            lesson.taught.append(sample)
    return lesson


def fine_tune(root: Path, samples: Sequence[Sample]) -> tuple[Path, float]:
    """Let the built-in model learn ``samples`` in a workspace of its own: the new bundle, and the minutes it took."""
    workspace = Workspace.open(root)
    corrections, card = Corrections(workspace), Bundle.open(BUILT_IN).card
    for sample in samples:
        corrections.add(sample.gray, sample.label, [], card)
    started = time.monotonic()
    command = [sys.executable, "-m", "hanzi_core", "--workspace", str(root), "fine-tune"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return find_bundles(workspace)[told.split()[0]], (time.monotonic() - started) / 60


def row(recogniser: Recogniser, sets: Sequence[DevelopmentSet], misread: int, new: int) -> list[str]:
    """The cells of one case."""
    known = recogniser.bundle.index
    lessons = [choose(each, are_right(recogniser, each, each.samples), known, misread, new) for each in sets]
    taught = [sample for lesson in lessons for sample in lesson.taught]
    with tempfile.TemporaryDirectory() as folder:
        bundle, minutes = fine_tune(Path(folder), taught)
        learner = Recogniser.open(bundle)
        learned = sum(sum(are_right(learner, each.found, each.taught)) for each in lessons)
        cells = [str(len(taught)), str(sum(sample.label not in known for sample in taught)), str(learned)]
        for each in lessons:
            before, after = (np.mean(are_right(who, each.found, each.rest)) for who in (recogniser, learner))
            cells.append(f"{before:.1%} → {after:.1%}")
    return [*cells, f"{minutes:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the development sets")
    parser.add_argument("--limit", type=int, default=1000, help="samples of a set")
    parser.add_argument("--case", type=int, nargs=2, action="append", metavar=("MISREAD", "NEW"), help="of each set")
    arguments = parser.parse_args()
    recogniser = Recogniser.open(BUILT_IN)
    sets = [read_set(name, arguments.data, arguments.limit) for name in SETS]
    print("| corrections | new characters | learned | " + " | ".join(SETS) + " | minutes |")
    print("|---:|---:|---:|" + "---:|" * len(SETS) + "---:|")
    for misread, new in arguments.case or CASES:
        print("| " + " | ".join(row(recogniser, sets, misread, new)) + " |", flush=True)


if __name__ == "__main__":
    main()
