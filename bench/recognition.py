"""How well recognisers read real handwriting that they never saw: ours and its peers, on the same pictures.

    python -m bench.recognition --data ../shared/data                        everything
    python -m bench.recognition --limit 2000 --models paddle --json out.json  a part
    python -m bench.recognition --stages --sets drawn                        what each stage of ours costs

Vocabularies are open: every class that a model knows competes. Times are of one character at a time on one thread,
from the decoded picture (normalisation included) or the strokes to the candidates.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

# Before NumPy and OpenCV are loaded: their own threads would make the times of one thread a lie.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from bench.development_sets import SETS, DevelopmentSet, MissingSetError, Sample, read_set
from bench.peers import PEERS, Ranking, Recogniser, is_han, open_peers, rank_rows
from bench.stages import measure_stages, show_stages
from hanzi_core.bundle import BUILT_IN, CARD, Bundle
from hanzi_core.image.normalise import normalise
from hanzi_core.strokes.simplified import simplified

POOL = 100
"""Candidates that a prior may reorder."""
BATCH = 32
TIMED_SAMPLES = 50
RARE = 1e-7
"""Added to every frequency: about once in ten million characters, so that an unseen one stays possible."""


class BundleReader:
    """A model bundle of ours, served as the product serves it."""

    needs_strokes = False

    def __init__(self, folder: Path) -> None:
        self._model = Bundle.open(folder).load(threads=1)
        bundle = self._model.bundle
        self.name = f"{bundle.card.name} (ours)"
        self.size_mb = (folder / "model.tflite").stat().st_size / 1e6
        self._labels, self._size_px = bundle.labels, bundle.card.image_size_px
        self.characters = frozenset(self._labels)

    def rank(self, samples: Sequence[Sample], count: int) -> list[Ranking]:
        """See :class:`bench.peers.Recogniser`."""
        images = np.stack([normalise(sample.gray, self._size_px) for sample in samples])
        return rank_rows(self._model.predict(images).probabilities, self._labels, count)


@dataclass(frozen=True)
class Score:
    """Shares of the samples whose character was among the first 1, 5 and 10 candidates, in 0..1."""

    top1: float
    top5: float
    top10: float


@dataclass(frozen=True)
class Measurement:
    """One model on one set."""

    model: str
    size_mb: float
    set: str
    samples: int
    coverage: float | None
    """Share of the samples whose character the model knows; ``None`` where it does not tell."""
    plain: Score
    known: Score | None
    """Over the samples that the model could know."""
    with_prior: Score
    ms: float
    """Median milliseconds of CPU a character, one thread."""


class Prior(dict[str, float]):
    """Log-frequencies, where a character that is not listed has its simplified form's, or else the rarest."""

    def __missing__(self, character: str) -> float:
        form = simplified(character)
        return self[form] if form != character and form in self else float(np.log(RARE))


def measure(recogniser: Recogniser, found: DevelopmentSet, prior: Prior, weight: float) -> Measurement:
    """Read every sample of ``found``; ``prior`` holds log-frequencies, ``weight`` is how much they count."""
    rankings: list[Ranking] = []
    for start in range(0, len(found.samples), BATCH):
        rankings += recogniser.rank(found.samples[start : start + BATCH], POOL)
    tests = [right_answer(sample.label, found.either_form) for sample in found.samples]
    places = [place_of(ranking, test) for ranking, test in zip(rankings, tests, strict=True)]
    reordered = [place_of(reorder(r, prior, weight), test) for r, test in zip(rankings, tests, strict=True)]
    known = [any(map(test, _forms(s.label, recogniser))) for s, test in zip(found.samples, tests, strict=True)]
    tells = bool(recogniser.characters)
    return Measurement(
        model=recogniser.name,
        size_mb=recogniser.size_mb,
        set=found.name,
        samples=len(places),
        coverage=float(np.mean(known)) if tells else None,
        plain=score(places),
        known=score([place for place, is_known in zip(places, known, strict=True) if is_known]) if tells else None,
        with_prior=score(reordered),
        ms=time_one_by_one(recogniser, found.samples[:TIMED_SAMPLES]),
    )


def _forms(label: str, recogniser: Recogniser) -> list[str]:
    """The classes of ``recogniser`` that ``label`` could be answered with: itself, and what simplifies to it."""
    by_simplified = _classes_by_simplified(recogniser.characters)
    return ([label] if label in recogniser.characters else []) + by_simplified.get(label, [])


@cache
def _classes_by_simplified(characters: frozenset[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for character in characters:
        grouped.setdefault(simplified(character), []).append(character)
    return grouped


def right_answer(label: str, either_form: bool) -> Callable[[str], bool]:
    """The test that a candidate must pass: to be ``label``, or with ``either_form`` a traditional form of it."""
    return lambda candidate: candidate == label or (either_form and simplified(candidate) == label)


def place_of(ranking: Ranking, is_right: Callable[[str], bool]) -> int:
    """The place of the first right candidate from 0; :data:`POOL` where none is."""
    return next((place for place, (label, _) in enumerate(ranking) if is_right(label)), POOL)


def reorder(ranking: Ranking, prior: Prior, weight: float) -> Ranking:
    """``ranking`` by score + ``weight`` × log-frequency: Bayes' rule where the weight is 1."""
    return sorted(((label, score + weight * prior[label]) for label, score in ranking), key=lambda pair: -pair[1])


def score(places: Sequence[int]) -> Score:
    """Count places below 1, 5 and 10."""
    return Score(*(float(np.mean(np.asarray(places) < k)) if places else 0.0 for k in (1, 5, 10)))


def time_one_by_one(recogniser: Recogniser, samples: Sequence[Sample]) -> float:
    """Median milliseconds of one sample, of CPU time: what else runs on the machine does not count."""
    elapsed_ms = []
    for sample in samples:
        start_s = time.process_time()
        recogniser.rank([sample], 10)
        elapsed_ms.append((time.process_time() - start_s) * 1e3)
    return statistics.median(elapsed_ms)


def character_prior() -> Prior:
    """Log-frequency of each character in written Chinese, from the words of ``wordfreq`` (Speer 2022).

    Its Chinese list is simplified: a traditional form has the frequency of its simplified one.
    """
    try:
        from wordfreq import get_frequency_dict  # noqa: PLC0415  optional
    except ImportError:
        return Prior()
    counts: Counter[str] = Counter()
    for word, frequency in get_frequency_dict("zh", wordlist="large").items():
        for character in filter(is_han, word):
            counts[character] += frequency
    total = sum(counts.values())
    return Prior({character: float(np.log(count / total + RARE)) for character, count in counts.items()})


def markdown(measurements: Sequence[Measurement]) -> str:
    """The table of the results, in %."""
    lines = [
        "| model | MB | set | characters | known | top-1 | top-5 | top-10 | top-1 of known | top-1, prior "
        "| top-10, prior | ms |",
        "|---|" + "---:|" * 11,
    ]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in measurements]
    return "\n".join(lines)


def _cells(row: Measurement) -> list[str]:
    return [
        row.model,
        f"{row.size_mb:.1f}",
        row.set,
        f"{row.samples:,}",
        *map(_percent, (row.coverage, row.plain.top1, row.plain.top5, row.plain.top10)),
        *map(_percent, (row.known.top1 if row.known else None, row.with_prior.top1, row.with_prior.top10)),
        f"{row.ms:.2f}",
    ]


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{share * 100:.1f}"


def _library_characters(path: Path | None) -> frozenset[str]:
    if path:
        return frozenset(filter(is_han, path.read_text(encoding="utf-8")))
    labels = BUILT_IN / "labels.json"
    return frozenset(json.loads(labels.read_bytes())) if labels.is_file() else frozenset()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the development sets")
    parser.add_argument("--models", nargs="+", default=["ours", *PEERS], choices=["ours", *PEERS])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--bundle", type=Path, default=BUILT_IN, help="our model: a bundle's folder")
    parser.add_argument("--limit", type=int, default=0, help="samples of a set, drawn at random; 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="of that draw")
    parser.add_argument("--characters", type=Path, help="text file: drawn characters to score (our labels by default)")
    parser.add_argument("--prior-weight", type=float, default=0.1, help="how much log-frequencies count")
    parser.add_argument("--stages", action="store_true", help="instead: what each stage of our answer costs")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser.parse_args()


def _open_models(names: Sequence[str], bundle: Path) -> list[Recogniser]:
    models: list[Recogniser] = []
    if "ours" in names:
        if (bundle / CARD).is_file():
            models.append(BundleReader(bundle))
        else:
            _say(f"ours left out: {bundle} holds no model bundle")
    peers, missing = open_peers([name for name in names if name in PEERS])
    for line in missing:
        _say(line)
    return models + peers


def _read_sets(arguments: argparse.Namespace) -> list[DevelopmentSet]:
    if not arguments.data.is_dir():
        _say(f"{arguments.data} is not there: give the folder of the development sets with --data")
        return []
    characters = _library_characters(arguments.characters)
    found = []
    for name in arguments.sets:
        try:
            found.append(read_set(name, arguments.data, arguments.limit, arguments.seed, characters))
        except MissingSetError as error:
            _say(f"{name} skipped: {error}")
    return found


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(1)
    found = _read_sets(arguments)
    if arguments.stages and found:
        drawn = [sample for each in found for sample in each.samples if sample.strokes]
        show_stages(measure_stages(arguments.bundle, drawn[:200]))
        return
    models = _open_models(arguments.models, arguments.bundle) if found else []
    if not models:
        print("skipped: no set or no model to measure")
        return
    prior = character_prior()
    if not prior:
        _say("wordfreq is missing: no prior")
    measurements = []
    for model in models:
        for development_set in found:
            if not model.needs_strokes or all(sample.strokes for sample in development_set.samples):
                measurements.append(measure(model, development_set, prior, arguments.prior_weight))
                _say(" | ".join(_cells(measurements[-1])))
    print(markdown(measurements))
    if arguments.json:
        rows = [asdict(row) for row in measurements]
        arguments.json.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
