import shutil
from pathlib import Path

import numpy as np
import pytest

from hanzi_core.errors import TrainingError
from hanzi_core.strokes.font_shapes import FIELD_SIZE_PX, FontShapes, bend
from hanzi_core.strokes.library import LIBRARY_FILE, StrokeLibrary
from hanzi_core.training import simulation
from hanzi_core.training.simulation import Simulator, character_weights, draw_shards

LIBRARY = StrokeLibrary.load()


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator()


def test_pictures_are_normalised_and_show_ink(simulator: Simulator) -> None:
    images, labels = simulator.images(60, np.random.default_rng(0))
    assert images.shape == (60, 64, 64)
    assert images.dtype == np.uint8
    assert images.reshape(60, -1).max(1).min() > 200
    assert 0 <= labels.min() <= labels.max() < 9574


def test_a_shard_depends_on_seed_and_number_alone(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "SHARD_IMAGES", 32)
    draw_shards(simulator, tmp_path / "a", [0, 1], seed=3)
    draw_shards(simulator, tmp_path / "b", [1], seed=3)
    for name in ("images", "labels"):
        one, other, next_one = (
            np.load(tmp_path / shard / f"{name}.npy") for shard in ("a/shard-00001", "b/shard-00001", "a/shard-00000")
        )
        np.testing.assert_array_equal(one, other)
        assert not np.array_equal(one, next_one)


def test_common_characters_come_more_often() -> None:
    weights = dict(zip(LIBRARY.characters, character_weights(LIBRARY.characters), strict=True))
    assert sum(weights.values()) == pytest.approx(1)
    rarest = min(weights.values())
    assert 20 * rarest < weights["的"] < 40 * rarest  # level 1, and the most frequent of all
    assert weights["的"] > weights["们"] > weights["杓"] > rarest
    assert weights["們"] > 2 * rarest  # traditional forms are as common as what they stand for
    half = sorted(weights.values(), reverse=True)[:1900]
    assert sum(half) == pytest.approx(0.5, abs=0.01)


def test_a_distance_field_gives_ink_of_many_widths() -> None:
    rows = np.abs(np.arange(FIELD_SIZE_PX) - FIELD_SIZE_PX / 2)
    field = np.clip(128 + 8 * (4 - rows), 0, 255).astype(np.uint8)[:, None].repeat(FIELD_SIZE_PX, 1)
    inks = [bend(field, 64, np.random.default_rng(seed)).mean() for seed in range(30)]
    assert max(inks) > 1.8 * min(inks) > 0


def test_glyphs_are_chosen_by_character(tmp_path: Path) -> None:
    places = np.array([LIBRARY.index("永"), LIBRARY.index("我")])
    fields = np.zeros((2, FIELD_SIZE_PX, FIELD_SIZE_PX), np.uint8)
    fields[1, 40:56, 40:56] = 255
    np.save(tmp_path / "klee.npy", fields)
    np.save(tmp_path / "klee.index.npy", places)
    shapes = FontShapes(tmp_path)
    assert shapes.drawn[places].all()
    assert shapes.drawn.sum() == 2
    number, field = shapes.choose(int(places[1]), np.random.default_rng(0))
    np.testing.assert_array_equal(field, fields[1])
    np.testing.assert_array_equal(shapes.all_fields()[number], fields[1])
    assert shapes.ink(int(places[1]), 64, np.random.default_rng(0)).any()


def test_a_cache_without_fonts_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no font shapes"):
        FontShapes(tmp_path / "nowhere")


def test_a_glyph_bent_outward_is_not_cut_off() -> None:
    """Every other stroke of a character at the rim of the field would be lost, and its label wrong."""
    field = np.zeros((FIELD_SIZE_PX, FIELD_SIZE_PX), np.uint8)
    field[8:-8, 8:-8] = 255
    inks = np.stack([bend(field, 136, np.random.default_rng(seed)) for seed in range(200)])
    rim = np.concatenate([inks[:, 0], inks[:, -1], inks[:, :, 0], inks[:, :, -1]], axis=1)
    assert (rim > 128).any(axis=1).mean() < 0.05


def test_pictures_are_the_same_with_a_second_library_but_for_its_forms(tmp_path: Path) -> None:
    """What is written in other forms comes back in its own place."""
    places = np.array([LIBRARY.index(character) for character in "一国我人永三"] * 10, np.int32)
    japanese = tmp_path / "kanjivg.npz"
    shutil.copy(LIBRARY_FILE, japanese)
    images = Simulator(kanjivg=japanese).write(places, np.random.default_rng(0))
    one_stroke = images[places == LIBRARY.index("一")]
    assert (one_stroke > 128).any(axis=2).sum(axis=1).max() < 40, "a 一 stays flat, whoever wrote it"
    assert (images[places == LIBRARY.index("国")] > 128).any(axis=2).sum(axis=1).min() > 40
