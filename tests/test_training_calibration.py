import numpy as np
import pytest

from bench.doubt import scribble
from hanzi_core.bundle import Bundle, bundle_folder
from hanzi_core.dataset import Dataset
from hanzi_core.jobs import Job
from hanzi_core.recognition import Preferences, Recogniser
from hanzi_core.training.calibration import best_temperature, calibrated
from hanzi_core.training.input import gather
from hanzi_core.workspace import Workspace
from tests.handwriting import STROKES, draw
from tests.runs import silent


def drawn_from(logits: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A class for each row, as probable as it says."""
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return np.array([random.choice(chances.shape[1], p=row) for row in chances], np.int32)


def test_the_temperature_that_was_hidden_is_found() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (4000, 12))
    labels = drawn_from(logits, random)
    assert best_temperature((logits * 1.7).astype(np.float32), labels) == pytest.approx(1.7, rel=0.08)
    shifted = (logits * 1.7 + random.normal(0, 50, (4000, 1))).astype(np.float32)
    assert best_temperature(shifted, labels) == pytest.approx(1.7, rel=0.08), "log-probabilities do as well"


def test_a_few_pictures_without_mistakes_do_not_make_it_boast() -> None:
    labels = np.arange(8)
    logits = 2.5 * np.eye(8, dtype=np.float32)
    assert 0.5 < best_temperature(logits, labels) < 1
    assert best_temperature(np.tile(logits, (200, 1)), np.tile(labels, 200)) == 0.3


def test_a_run_s_model_is_as_sure_as_its_validation_lets_it_be(trained: Workspace, finished_run: Job) -> None:
    bundle = Bundle.open(bundle_folder(finished_run))
    material = gather(Dataset.find(trained, "ten"), "default", bundle.card.image_size_px, silent)
    assert calibrated(bundle, material) == bundle.card
    assert bundle.card.temperature != 1
    output = bundle.load().predict(material.pack[material.validation])
    right = output.probabilities.argmax(axis=1) == material.targets[material.validation]
    assert 0.85 < (output.evidence[right] >= bundle.card.least_evidence).mean() < 0.98


def test_what_is_no_character_is_doubted(finished_run: Job) -> None:
    recogniser = Recogniser.open(bundle_folder(finished_run))
    random = np.random.default_rng(1)
    scribbles = [recogniser.see(scribble(random)) for _ in range(60)]
    written = [recogniser.see(draw(character, random)) for character in STROKES for _ in range(6)]

    def sure(seen: list[np.ndarray]) -> float:
        return float(np.mean([answer.is_sure for answer in recogniser.answer(seen, Preferences(), 1)]))

    assert sure(written) > 0.7
    assert sure(scribbles) < sure(written) / 2
