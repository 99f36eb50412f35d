"""What a run's model gains by being calibrated: the confidence of its answers, and what it is sure of.

    python -m bench.calibration RUN --workspace DIR

RUN is a finished run. Its test part is read once as the network was trained (temperature 1, every answer may be sure)
and once by the temperature and the least evidence that its validation asked for; beside it what it cannot know:
scribbles, Latin letters and digits, and characters of ``penwriting40`` that are none of its classes.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.development_sets import read_set
from bench.doubt import letter, scribble
from hanzi_core.bundle import Bundle, bundle_folder
from hanzi_core.dataset import Dataset, Part, open_pack
from hanzi_core.dataset.split import part_rows
from hanzi_core.evaluation.calibration import calibration_error, reliability
from hanzi_core.jobs import Job
from hanzi_core.recognition import Preferences, Recogniser
from hanzi_core.workspace import Workspace

COUNT = 300


def error(recogniser: Recogniser, seen: Sequence[NDArray[np.uint8]], labels: Sequence[str]) -> float:
    """The expected calibration error of the model's own probabilities."""
    probabilities = recogniser.predict(np.stack(seen)).probabilities
    firsts = [recogniser.bundle.labels[place] for place in probabilities.argmax(axis=1)]
    rank = [1 if first == label else 2 for first, label in zip(firsts, labels, strict=True)]
    predictions = pd.DataFrame({"probability_1": probabilities.max(axis=1), "rank": rank})
    return calibration_error(reliability(predictions))


def sure(recogniser: Recogniser, seen: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.bool_], list[str]]:
    """Whether each answer is called sure, and its first candidate."""
    answers = recogniser.answer(seen, Preferences(), 1)
    firsts = [answer.candidates[0].label if answer.candidates else "" for answer in answers]
    return np.array([answer.is_sure for answer in answers]), firsts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="id of a finished run")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the development sets")
    asked = parser.parse_args()
    workspace = Workspace.open(asked.workspace)
    bundle = Bundle.open(bundle_folder(Job.find(workspace, asked.run)))
    dataset = Dataset.find(workspace, bundle.card.dataset)
    rows = part_rows(dataset.parts(bundle.card.split), Part.TEST)
    labels = dataset.manifest()["label"].iloc[rows].tolist()
    written = list(open_pack(dataset, lambda *_: None, bundle.card.image_size_px)[rows])
    random = np.random.default_rng(0)
    lacking = [s.gray for s in read_set("penwriting40", asked.data, 2000).samples if s.label not in bundle.index]
    strange = {
        "scribbles": [scribble(random) for _ in range(COUNT)],
        "letters, digits": [letter(random) for _ in range(COUNT)],
        "other characters": lacking[:COUNT],
    }
    print(f"{bundle.name}: {len(rows)} pictures to test\n")
    titles = ["model", "temperature", "calibration error", "sure, of the right", "right, of the sure"]
    print(f"| {' | '.join([*titles, *(f'sure, of {name}' for name in strange)])} |")
    print("|---|" + "---:|" * (4 + len(strange)))
    plain = bundle.card.model_copy(update={"temperature": 1.0, "least_evidence": 0.0})
    for name, card in (("as trained", plain), ("calibrated", bundle.card)):
        recogniser = Recogniser(replace(bundle, card=card))
        is_sure, firsts = sure(recogniser, written)
        right = np.array(firsts) == np.array(labels)
        shares = [error(recogniser, written, labels), is_sure[right].mean(), right[is_sure].mean()]
        shares += [sure(recogniser, [recogniser.see(gray) for gray in grays])[0].mean() for grays in strange.values()]
        print(f"| {name} | {card.temperature:g} | {' | '.join(f'{share:.1%}' for share in shares)} |")


if __name__ == "__main__":
    main()
