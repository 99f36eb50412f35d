import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bench.doubt import scribble
from hanzi_core.bundle import BUILT_IN, MODEL, WEIGHTS, Bundle, Card, bundle_folder, write_description
from hanzi_core.errors import BundleError
from hanzi_core.jobs import Job
from hanzi_core.recognition import PLAIN, Preferences, Recogniser, Vocabulary
from hanzi_core.recognition.frequency import Favour, frequency_prior
from hanzi_core.recognition.recogniser import SURE
from hanzi_core.recognition.vocabulary import BIG5, GB2312, GB2312_LEVEL_1, allowed_labels
from hanzi_core.strokes.frequency import frequencies_per_million
from hanzi_core.strokes.library import StrokeLibrary
from tests.handwriting import STROKES, draw


@pytest.fixture
def recogniser(finished_run: Job) -> Recogniser:
    return Recogniser.open(bundle_folder(finished_run))


def test_a_character_comes_first(recogniser: Recogniser) -> None:
    random = np.random.default_rng(7)
    right = sum(recogniser.recognise(draw(c, random))[0].label == c for c in STROKES)
    assert right >= 9


def test_a_blank_picture_has_no_candidates(recogniser: Recogniser) -> None:
    assert recogniser.recognise(np.full((80, 80), 255, np.uint8)) == []
    answer = recogniser.answer([recogniser.see(np.zeros((80, 80), np.uint8))], PLAIN)[0]
    assert answer.candidates == () and not answer.is_sure


def test_candidates_fall_in_probability_and_sum_to_one(recogniser: Recogniser) -> None:
    seen = recogniser.see(draw("大", np.random.default_rng(0)))
    answer = recogniser.answer([seen], PLAIN, 10)[0]
    probabilities = [each.probability for each in answer.candidates]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-3)


def test_only_listed_characters_count_and_a_foreign_one_is_not_sure(recogniser: Recogniser) -> None:
    seen = [recogniser.see(draw("木", np.random.default_rng(number))) for number in range(10)]
    listed = recogniser.answer(seen, Preferences(vocabulary=Vocabulary.LIST, listed="口日"))
    assert {each.label for answer in listed for each in answer.candidates} == {"口", "日"}
    assert sum(answer.is_sure for answer in recogniser.answer(seen, PLAIN)) > 5
    # Of two characters one is always the more probable: no proof of it.
    assert [answer.is_sure for answer in listed] == [False] * 10
    with pytest.raises(BundleError, match="knows none of the characters that count"):  # not: that there is no ink
        recogniser.answer(seen, Preferences(vocabulary=Vocabulary.LIST, listed="龘"))


def test_a_listed_character_counts_as_pdf_files_hold_it_too_and_a_word_by_its_characters() -> None:
    labels = ["人", "一", "六", "六一", "一人国", "大"]
    listed = Preferences(vocabulary=Vocabulary.LIST, listed="\u2f08 \u2f00\n\uf9d1龘")
    assert [label for label, weight in zip(labels, listed.weights(labels), strict=True) if weight] == labels[:4]
    assert listed.lacking(labels) == ["龘"]
    assert listed.counts_taught("人 人")


def test_twenty_threads_at_once_get_the_same_answers(recogniser: Recogniser) -> None:
    pictures = [draw(character, np.random.default_rng(n)) for n, character in enumerate(STROKES)]
    alone = [recogniser.recognise(picture) for picture in pictures]
    with ThreadPoolExecutor(20) as threads:
        together = list(threads.map(recogniser.recognise, pictures * 20))
    assert together == alone * 20


def test_a_bundle_whose_labels_do_not_fit_is_refused(finished_run: Job, tmp_path: Path) -> None:
    for path in bundle_folder(finished_run).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write_description(tmp_path, Bundle.open(tmp_path).card, ("一", "二"))
    with pytest.raises(BundleError, match="does not fit together"):
        Recogniser.open(tmp_path)


def test_the_vocabularies_are_those_of_the_standards() -> None:
    assert (len(GB2312_LEVEL_1), len(GB2312), len(BIG5)) == (3755, 6763, 13051)
    labels = ["国", "國", "木", "A"]
    assert list(allowed_labels(Vocabulary.SIMPLIFIED, labels)) == [True, False, True, False]
    assert list(allowed_labels(Vocabulary.TRADITIONAL, labels)) == [False, True, True, False]
    assert allowed_labels(Vocabulary.ALL, labels).all()


def test_frequent_characters_are_preferred_but_not_forced() -> None:
    assert frequencies_per_million()["人"] > 1000 > frequencies_per_million()["杓"]
    prior = frequency_prior(["的", "杓", "☃"], Favour.COMMON)
    assert 1.3 < prior[0] / prior[1] < 2
    assert prior[2] > 0
    assert (frequency_prior(["的", "杓", "☃"], Favour.NONE) == 1).all()
    rare = frequency_prior(["的", "杓", "☃"], Favour.RARE)
    assert 2 < rare[1] / rare[0] < 5 and rare[2] > rare[1]


def test_the_built_in_model_is_small_and_knows_more_than_the_stroke_library() -> None:
    sizes = {name: (BUILT_IN / name).stat().st_size for name in (MODEL, WEIGHTS)}
    assert sizes[MODEL] <= 6_000_000 and sum(sizes.values()) <= 25_000_000
    labels = Bundle.open(BUILT_IN).labels
    library = StrokeLibrary.load().characters
    assert labels[: len(library)] == library and len(labels) == len(set(labels)) == 10_617
    assert {"垱", "峂", "庼", "㧐"} < set(labels), "of the national standard's table"


def test_the_built_in_model_carries_its_own_measure_of_doubt(built_in: Recogniser) -> None:
    card = built_in.bundle.card
    assert card.least_evidence > 0, "python -m bench.doubt --write has not been run for this model"
    assert card.taught_likeness != Card.model_fields["taught_likeness"].default


def test_the_built_in_model_is_sure_of_characters_and_not_of_scribbles(built_in: Recogniser) -> None:
    random = np.random.default_rng(11)
    characters = built_in.answer([built_in.see(draw(c, random, 200)) for c in "木人中大口日"], Preferences())
    assert sum(each.is_sure for each in characters) >= 5
    scribbles = built_in.answer([built_in.see(scribble(random)) for _ in range(60)], Preferences())
    assert sum(each.is_sure for each in scribbles) <= 9


def test_little_evidence_is_doubt_however_probable(built_in: Recogniser, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUILT_IN, tmp_path / "strict", ignore=shutil.ignore_patterns("*.keras")))
    write_description(folder, built_in.bundle.card.model_copy(update={"least_evidence": 99.0}), built_in.bundle.labels)
    strict = Recogniser.open(folder)
    answer = strict.answer([strict.see(draw("木", np.random.default_rng(3), 200))], Preferences())[0]
    assert answer.candidates[0].probability > SURE and not answer.is_sure
