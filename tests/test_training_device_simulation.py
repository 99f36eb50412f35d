"""Pictures drawn where the network trains: as those that are stored, on either backend, in a training that goes on."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from hanzi_core.bundle import BUILT_IN, Bundle
from hanzi_core.errors import TrainingError
from hanzi_core.image.normalise import IMAGE_SIZE_PX, normalise
from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.bend_on_device import bend_batch
from hanzi_core.strokes.draw import draw, draw_ink
from hanzi_core.strokes.draw_on_device import draw_batch
from hanzi_core.strokes.font_shapes import (
    FIELD_STEPS_PER_PX,
    FontShapes,
    another_thickness,
    bend,
    bent_places,
    distance_field,
)
from hanzi_core.strokes.font_sheets import pack, unpack
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.segments import segments_of
from hanzi_core.strokes.style import PRESETS
from hanzi_core.training.device_simulation import (
    Drawing,
    Spoiling,
    compiled,
    device_batches,
    noise_bank,
    roughness,
    spoil,
)
from hanzi_core.training.undrawn_batches import (
    INK_SHARE,
    KNOTS,
    PARTS,
    BatchSettings,
    Flaws,
    prepare_batch,
    undrawn_batches,
)
from tests.conftest import PROJECT
from tests.test_strokes_draw_on_device import uncovered

LIBRARY = StrokeLibrary.load()
CLEAN = Flaws(
    blur_px=0,
    grain=0,
    light_x=0,
    light_y=0,
    contrast=200,
    dryness=0,
    dry_from=1,
    dry_cells_x=9,
    dry_cells_y=9,
    rough_px=0,
    rough_cells=12,
)


@pytest.fixture(scope="module")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache whose one font draws forty common characters, as a neat hand writes them."""
    cache = tmp_path_factory.mktemp("fonts")
    places = [
        LIBRARY.index(character)
        for character in "永我国一字人大小中上下左右天地日月水火木金土王目口田山石心手足力女子工文方言立门马"
    ]
    np.save(cache / "klee.npy", np.stack([glyph_field(LIBRARY.characters[place]) for place in places]))
    np.save(cache / "klee.index.npy", np.array(places))
    return cache


@pytest.fixture(scope="module")
def settings(fonts: Path) -> BatchSettings:
    return BatchSettings(batch_size=60, seed=3, fonts=fonts)


@pytest.fixture(scope="module")
def pictures(settings: BatchSettings) -> tuple[np.ndarray, np.ndarray]:
    undrawn = prepare_batch(settings, 0)
    return np.asarray(Drawing(settings)(undrawn)), undrawn.labels


def glyph_field(character: str) -> np.ndarray:
    path = Hand(study(LIBRARY, character)).write(np.zeros(1, np.int64), [PRESETS["neat"]], np.random.default_rng(1))
    field = distance_field(draw_ink(path.points, path.widths, 256))
    assert field is not None
    return field


def spoiling(flaws: Flaws, count: int) -> Spoiling:
    rows = np.tile(np.array(flaws, np.float32), (count, 1))
    return Spoiling(rows, np.zeros((count, 3, 2), np.int32), noise_bank(0))


def test_batches_of_the_same_number_are_the_same_by_whatever_process(settings: BatchSettings) -> None:
    here = undrawn_batches(settings, first=5)
    there = undrawn_batches(settings, first=5, processes=2)
    for _ in range(2):
        pairs = list(zip(keras.tree.flatten(next(here)), keras.tree.flatten(next(there)), strict=True))
        assert len(pairs) == 2 * PARTS + 3 + 4
        for one, other in pairs:
            np.testing.assert_array_equal(one, other)
    there.close()


def test_a_batch_holds_of_each_kind_what_it_should(settings: BatchSettings) -> None:
    undrawn = prepare_batch(settings, 1)
    pens = sum(len(pen.ends) for pen in undrawn.pens)
    assert (pens, len(undrawn.glyphs.numbers), len(undrawn.drawn)) == settings.counts(has_fonts=True)
    assert pens + len(undrawn.glyphs.numbers) + len(undrawn.drawn) == len(undrawn.labels) == settings.batch_size
    lengths = [pen.widths.shape[1] for pen in undrawn.pens]
    assert np.mean(lengths[: PARTS // 2]) < np.mean(lengths[PARTS // 2 :]), "few strokes come before many"
    without = BatchSettings(batch_size=60, seed=3)
    assert len(prepare_batch(without, 1).glyphs.numbers) == 0
    assert sum(without.counts(has_fonts=False)) == 60


def test_clean_ink_lies_as_the_normalisation_lays_it() -> None:
    characters = "永我国一字鑫" * 4
    path = Hand(study(LIBRARY, characters)).write(
        np.arange(len(characters)), [PRESETS["everyday"]] * len(characters), np.random.default_rng(2)
    )
    ends, widths = segments_of(path, with_pen=True, multiple=64)
    assert ends.shape[1] % 64 == 0
    ink = draw_batch(ends, widths, IMAGE_SIZE_PX, INK_SHARE)
    found = np.asarray(compiled(spoil)(ink, spoiling(CLEAN, len(characters))))[..., 0]
    darkness = []
    for number, picture in enumerate(found):
        rows = slice(path.first[number], path.first[number + 1])
        cpu = normalise(255 - draw_ink(path.points[rows], path.widths[rows], 256))
        assert uncovered(picture, cpu) < 0.01, characters[number]
        assert uncovered(cpu, picture) < 0.01, characters[number]
        assert picture.mean() == pytest.approx(cpu.mean(), abs=3), characters[number]
        darkness.append(picture.mean() / cpu.mean())
    assert np.mean(darkness) == pytest.approx(1, abs=0.04)
    assert np.median(np.abs(np.subtract(darkness, 1))) < 0.04


def test_glyphs_are_bent_as_the_cpu_bends_them() -> None:
    fields = np.stack([glyph_field(character) for character in "永我国字人鑫" * 3])
    generators = [np.random.default_rng(number) for number in range(len(fields))]
    places = np.stack([bent_places(KNOTS, rng) for rng in generators])
    thicker = np.array([another_thickness(field, rng) for field, rng in zip(fields, generators, strict=True)])
    ink = bend_batch(fields, places, thicker.astype(np.float32), IMAGE_SIZE_PX, ink_share=INK_SHARE)
    astray, darkness = [], []
    for number, picture in enumerate(np.asarray(spoil(ink, spoiling(CLEAN, len(fields))))[..., 0]):
        cpu = normalise(255 - bend(fields[number], 136, np.random.default_rng(number)))
        astray.append(max(uncovered(picture, cpu), uncovered(cpu, picture)))
        darkness.append(picture.mean() / cpu.mean())
    assert 0.8 < min(darkness) < max(darkness) < 1.2
    assert np.mean(darkness) == pytest.approx(1, abs=0.08)
    assert max(astray) < 0.1, "between the coarse net's knots a sharp bend is a little rounder"
    assert np.mean(astray) < 0.015


def test_glyphs_survive_the_way_to_another_machine(fonts: Path, tmp_path: Path) -> None:
    pack(fonts, tmp_path / "sheets")
    unpack(tmp_path / "sheets", tmp_path / "cache")
    before, after = FontShapes(fonts).all_fields(), FontShapes(tmp_path / "cache").all_fields()
    assert (tmp_path / "sheets" / "klee.tiff").stat().st_size < before.nbytes / 30
    near_edge = np.abs(before.astype(int) - 128) < 5 * FIELD_STEPS_PER_PX
    astray_px = np.abs(before.astype(int) - after)[near_edge] / FIELD_STEPS_PER_PX
    assert astray_px.mean() < 0.35
    assert FontShapes(tmp_path / "cache").drawn.tolist() == FontShapes(fonts).drawn.tolist()


def test_each_flaw_does_what_it_is_called() -> None:
    ink = np.zeros((1, IMAGE_SIZE_PX, IMAGE_SIZE_PX), np.float32)
    ink[:, 12:52, 24:40] = 255

    def spoiled(**flaws: float) -> np.ndarray:
        return np.asarray(spoil(ink, spoiling(CLEAN._replace(**flaws), 1)))[0, ..., 0].astype(float)

    clean = spoiled()
    np.testing.assert_array_equal(clean, ink[0])
    assert np.abs(np.diff(spoiled(blur_px=2), axis=1)).max() < 80
    assert spoiled(dryness=0.8, dry_from=0.5).mean() < 0.9 * clean.mean()
    assert spoiled(grain=9)[:10].std() + spoiled(grain=9)[14:50, 26:38].std() > 1
    rough = np.asarray(roughness(spoiling(CLEAN._replace(rough_px=0.5), 1)))
    assert 0.2 < rough.std() < 0.8
    assert not np.asarray(roughness(spoiling(CLEAN, 1))).any()


def test_they_are_as_dark_and_as_sharp_as_those_of_the_pool(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = pictures
    assert images.shape == (60, 64, 64, 1)
    assert images.dtype == np.uint8
    anatomy = study(LIBRARY, [LIBRARY.characters[label] for label in labels])
    shares = {"ink": [], "edge": []}
    for name in PRESETS:
        styles, rng = [PRESETS[name]] * 48, np.random.default_rng(1)
        path = Hand(anatomy).write(np.arange(48), styles, rng)
        pool = np.stack([normalise(gray) for gray in draw(path, styles, rng)])
        shares["ink"].append(pool.mean())
        shares["edge"].append(np.abs(np.diff(pool.astype(float), axis=2)).mean())
    assert min(shares["ink"]) * 0.8 < images.mean() < max(shares["ink"]) * 1.2
    edge = np.abs(np.diff(images[..., 0].astype(float), axis=2)).mean()
    assert min(shares["edge"]) * 0.8 < edge < max(shares["edge"]) * 1.25


def test_the_shipped_model_reads_them(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = pictures
    model = Bundle.open(BUILT_IN).load()
    order = [model.bundle.index[LIBRARY.characters[label]] for label in labels]
    right = model.predict(images[..., 0]).probabilities.argmax(axis=1) == order
    assert right.mean() > 0.55


def test_what_breaks_while_drawing_ahead_is_said_where_the_batches_are_taken(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no font shapes"):
        next(device_batches(BatchSettings(batch_size=8, seed=0, fonts=tmp_path)))


TRAIN_TWICE = """
import sys
from pathlib import Path
import pytest
from hanzi_core.cli import build
from tests.runs import shallow_built_in
shallow_built_in(pytest.MonkeyPatch())
for images in ("32", "64"):
    build()(["builtin", "train", *sys.argv[1:], "--images", images], standalone_mode=False)
    from hanzi_core.training.builtin import read_state
    print(read_state(Path(sys.argv[1])).images)
"""
"""In one process, for a second one would compile it all again. What it goes on from lies on the disk all the same."""


def test_a_training_on_jax_without_a_pool_goes_on_where_it_was(tmp_path: Path, fonts: Path) -> None:
    options = ["--on-device", "--batch-size", "16", "--working-size-px", "32", "--writers", "0", "--fonts", str(fonts)]
    done = subprocess.run(
        [sys.executable, "-c", TRAIN_TWICE, str(tmp_path / "run"), *options],
        cwd=PROJECT,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ["32", "64"]
    assert not (tmp_path / "run" / "pool").exists()
