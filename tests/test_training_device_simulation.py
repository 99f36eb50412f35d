"""Pictures drawn where the network trains: as those that are stored, on either backend, in a training that goes on."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hanzi_core.bundle import BUILT_IN, Bundle
from hanzi_core.image.normalise import normalise
from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.draw import draw, draw_ink
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.segments import segments_of
from hanzi_core.strokes.style import PRESETS
from hanzi_core.training.builtin import read_state
from hanzi_core.training.device_simulation import compiled, draw_and_spoil, noise_bank
from hanzi_core.training.pen_batches import Flaws, PenSettings, write_batch, written_batches
from tests.conftest import PROJECT
from tests.test_strokes_draw_on_device import uncovered

SETTINGS = PenSettings(batch_size=48, seed=3)
LIBRARY = StrokeLibrary.load()


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    written = write_batch(SETTINGS, 0)
    return np.asarray(compiled(draw_and_spoil)(*written[:4], noise_bank(3))), written.labels


def test_batches_of_the_same_number_are_the_same_by_whatever_process() -> None:
    here = written_batches(SETTINGS, first=5)
    there = written_batches(SETTINGS, first=5, processes=2)
    for _ in range(2):
        for one, other in zip(next(here), next(there), strict=True):
            np.testing.assert_array_equal(one, other)
    there.close()


def test_clean_ink_lies_as_the_normalisation_lays_it() -> None:
    characters = "永我国一字鑫" * 4
    path = Hand(study(LIBRARY, characters)).write(
        np.arange(len(characters)), [PRESETS["everyday"]] * len(characters), np.random.default_rng(2)
    )
    ends, widths = segments_of(path, with_pen=True, multiple=64)
    assert ends.shape[1] % 64 == 0
    clean = Flaws(blur_px=0, grain=0, light_x=0, light_y=0, contrast=200, dryness=0, dry_from=1)
    flaws = np.tile(np.array(clean, np.float32), (len(characters), 1))
    offsets = np.zeros((len(characters), 2, 2), np.int32)
    found = np.asarray(compiled(draw_and_spoil)(ends, widths, flaws, offsets, noise_bank(0)))[..., 0]
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


def test_they_are_as_dark_and_as_sharp_as_those_of_the_pool(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = pictures
    assert images.shape == (48, 64, 64, 1)
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


def test_a_training_on_jax_without_a_pool_goes_on_where_it_was(tmp_path: Path) -> None:
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    for images in (16, 32):
        command = [sys.executable, "-m", "hanzi_core", "builtin", "train", str(tmp_path / "run"), "--on-device"]
        command += ["--images", str(images), "--batch-size", "8", "--working-size-px", "32", "--writers", "0"]
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert read_state(tmp_path / "run").images == images
    assert not (tmp_path / "run" / "pool").exists()
