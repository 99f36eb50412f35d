"""More classes for the built-in model, with shapes that are told apart at a glance."""

from pathlib import Path

import numpy as np
import pytest

from hanzi_core.bundle import BUILT_IN, Bundle
from hanzi_core.errors import TrainingError
from hanzi_core.strokes.character_sets import CharacterSetError, read_characters
from hanzi_core.strokes.font_shapes import FIELD_SIZE_PX, FontShapes
from hanzi_core.training import widening
from hanzi_core.training.builtin import BuiltinConfig, Trainer, built_in_model
from hanzi_core.training.builtin_bundle import HeldOut, Story, package_again
from hanzi_core.training.simulation import Simulator, font_picture
from hanzi_core.training.widening import Further, widen

FURTHER = "駅発歯"
"""As Japan writes them, which no model shipped knows."""


def write_shapes(cache: Path, count: int = len(FURTHER)) -> FontShapes:
    """What is no character: six bars that stand, six that lie, and a chequered board."""
    fields = np.zeros((3, FIELD_SIZE_PX, FIELD_SIZE_PX), np.uint8)
    dark = (np.arange(12, 84) - 12) // 6 % 2 == 0
    fields[0, 12:84, 12:84] = 200 * dark
    fields[1, 12:84, 12:84] = 200 * dark[:, None]
    fields[2, 12:84, 12:84] = 200 * (dark ^ dark[:, None])
    cache.mkdir()
    np.save(cache / "klee.npy", fields)
    np.save(cache / "klee.index.npy", np.arange(3))
    return FontShapes(cache, count)


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator()


@pytest.fixture(scope="module")
def held_out(simulator: Simulator) -> HeldOut:
    return HeldOut.draw(simulator, 70)


@pytest.fixture(scope="module")
def further(tmp_path_factory: pytest.TempPathFactory) -> Further:
    return Further(FURTHER, write_shapes(tmp_path_factory.mktemp("shapes") / "cache"), per_class=40)


@pytest.fixture(scope="module")
def wide(
    tmp_path_factory: pytest.TempPathFactory, further: Further, simulator: Simulator, held_out: HeldOut
) -> tuple[Path, dict[str, float]]:
    """The built-in model with three classes more, and the figures of its card."""
    folder = tmp_path_factory.mktemp("model") / "wide"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(widening, "_BATCH", 32)  # of so few pictures, the usual one is a step an epoch
        return folder, widen(BUILT_IN, further, simulator, held_out, folder)


def logits(folder: Path, images: np.ndarray) -> np.ndarray:
    return built_in_model(folder).predict(images[..., None], verbose=0)["logits"]


def test_further_characters_are_read_and_the_old_ones_as_before(
    wide: tuple[Path, dict[str, float]], further: Further, simulator: Simulator, held_out: HeldOut
) -> None:
    folder, figures = wide
    bundle, before = Bundle.open(folder), Bundle.open(BUILT_IN)
    assert bundle.labels == (*before.labels, *FURTHER)
    assert bundle.card.metrics == figures
    assert Story.of(bundle.card).seen == Story.of(before.card).seen
    assert bundle.card.notes.startswith(before.card.notes) and "3 further characters" in bundle.card.notes
    rng = np.random.default_rng(5)
    places = np.tile(np.arange(3), 20)
    pictures = [
        font_picture(further.shapes, int(place), 11, style, rng)
        for place, style in zip(places, simulator.styles(60, rng), strict=True)
    ]
    found = bundle.load().predict(np.stack(pictures)).probabilities.argmax(axis=1)
    assert np.mean(found == places + len(before.labels)) > 0.7  # among ten thousand
    after = logits(folder, held_out.images)
    np.testing.assert_allclose(after[:, : len(before.labels)], logits(BUILT_IN, held_out.images), rtol=1e-4, atol=1e-4)
    assert np.mean(after.argmax(axis=1) < len(before.labels)) > 0.95


def test_a_widened_model_is_packaged_again_and_trained_further(
    wide: tuple[Path, dict[str, float]], held_out: HeldOut, tmp_path: Path
) -> None:
    folder, figures = wide
    assert package_again([folder, folder], held_out, tmp_path / "again") == figures
    assert Bundle.open(tmp_path / "again").labels[-3:] == tuple(FURTHER)
    trainer = Trainer(tmp_path / "run", BuiltinConfig(), folder)
    trained = trainer.model.predict(held_out.images[..., None], verbose=0)["logits"]
    before = logits(BUILT_IN, held_out.images)[:, : trained.shape[1]]  # it learns what the stroke library has
    np.testing.assert_allclose(trained, before, rtol=1e-4, atol=1e-4)
    assert trainer.state.images == figures["images_seen"]


def test_mistakes_are_one_sentence(further: Further, simulator: Simulator, held_out: HeldOut, tmp_path: Path) -> None:
    for characters, sentence in (("駅永歯", "knows 永 already"), ("駅発歯丒", "draws 丒")):
        shapes = write_shapes(tmp_path / sentence, len(characters))
        with pytest.raises(TrainingError, match=sentence):
            widen(BUILT_IN, Further(characters, shapes), simulator, held_out, tmp_path / "wide")
    assert not (tmp_path / "wide").exists()
    (tmp_path / "empty.txt").write_text("\n")
    for name in ("nowhere.txt", "empty.txt"):
        with pytest.raises(CharacterSetError, match="cannot be read"):
            read_characters(tmp_path / name)
    (tmp_path / "list.txt").write_text("駅 発\n歯駅\n", encoding="utf-8")
    assert read_characters(tmp_path / "list.txt") == list(FURTHER)
