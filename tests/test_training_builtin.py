import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from hanzi_core.bundle import Bundle, bundle_folder
from hanzi_core.cli import build
from hanzi_core.errors import TrainingError
from hanzi_core.jobs import Job
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.training.builtin import (
    BuiltinConfig,
    Clock,
    Shards,
    State,
    Trainer,
    distort,
    learning_rate,
    read_state,
)
from hanzi_core.training.builtin_bundle import (
    COMPONENT_PENALTY,
    HeldOut,
    accuracy,
    doubt_bare_components,
    package,
    package_again,
    repeat_card,
)
from hanzi_core.training.builtin_network import average, build_builtin, transfer
from tests.conftest import PROJECT
from tests.runs import shallow_built_in

SMALL = {"batch_size": 8, "warm_up_images": 0}


def write_pool(folder: Path, shards: int = 2, images: int = 24) -> Path:
    rng = np.random.default_rng(0)
    for number in range(shards):
        shard = folder / "pool" / f"shard-{number:05d}"
        shard.mkdir(parents=True)
        np.save(shard / "images.npy", rng.integers(0, 256, (images, 64, 64), np.uint8))
        np.save(shard / "labels.npy", rng.integers(0, 9574, images, np.int32))
    return folder / "pool"


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network whose steps compile quickly."""
    shallow_built_in(monkeypatch)


class TestSchedule:
    def test_up_along_and_down(self) -> None:
        config = BuiltinConfig(images=1000, batch_size=8, warm_up_images=100, cool_down_images=400, learning_rate=0.01)
        rates = [learning_rate(config, State(images=seen, working_size_px=48)) for seen in (0, 92, 599, 700, 999)]
        assert rates[0] < 0.001
        assert rates[1] == rates[2] == 0.01
        assert rates[2] > rates[3] > rates[4] > 0
        assert rates[4] < 0.0001

    def test_a_new_stage_warms_up_again(self) -> None:
        config = BuiltinConfig(images=1000, batch_size=8, warm_up_images=100)
        assert (
            learning_rate(config, State(images=500, stage_began=500, working_size_px=48)) < 0.2 * config.learning_rate
        )

    def test_time_that_runs_out_brings_the_cool_down_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [100.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        config = BuiltinConfig(images=1_000_000, batch_size=8, time_limit_min=10, cool_down_images=4000)
        state = State(working_size_px=48)
        clock = Clock(config, state)
        for step in range(1, 60):  # ten pictures a second, once the first steps have compiled
            now[0] += 1
            state.images += 10
            if step < 50:
                assert clock.end(step) == config.images
            else:
                clock.end(step)
        assert clock.left_s == pytest.approx(600 - 59)
        assert clock.end(60) == pytest.approx(590 + 10 * 541, rel=0.01)
        state.images = clock.end(60) - 8
        assert learning_rate(config, state, clock.end(60)) < config.learning_rate
        assert Clock(config.model_copy(update={"time_limit_min": None}), state).end(100) == config.images


class TestPool:
    def test_all_shards_are_used_in_turn(self, tmp_path: Path) -> None:
        state = State(working_size_px=32)
        shards = Shards(write_pool(tmp_path, shards=3), state, BuiltinConfig(**SMALL))
        batches = shards.batches()
        for _ in range(3 * 3 * 2):
            images, labels = next(batches)
            assert images.shape == (8, 64, 64, 1)
            assert labels.shape == (8,)
        assert set(state.shard_uses.values()) == {2}

    def test_an_empty_pool_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(TrainingError, match="no shards"):
            next(Shards(tmp_path, State(working_size_px=32), BuiltinConfig()).batches())

    def test_a_batch_larger_than_a_shard_is_a_sentence(self, tmp_path: Path) -> None:
        config = BuiltinConfig(**{**SMALL, "batch_size": 1000})
        with pytest.raises(TrainingError, match="smaller batch size"):
            next(Shards(write_pool(tmp_path), State(working_size_px=32), config).batches())

    def test_distortion_changes_the_picture_and_keeps_its_ink(self) -> None:
        images = np.zeros((64, 64, 64), np.uint8)
        images[:, 20:44, 30:34] = 255
        bent = distort(images, np.random.default_rng(0))
        changed = (bent != images).any(axis=(1, 2))
        assert 0.5 < changed.mean() < 0.95
        ink = bent.astype(float).sum(axis=(1, 2)) / images[0].sum()
        assert 0.9 < ink.mean() < 1.3
        assert 0.4 < ink.min() <= ink.max() < 2, "a line of 4 px by a pen 1 px finer or broader, and bent"


class TestTrainer:
    @pytest.mark.usefixtures("shallow")
    def test_it_goes_on_where_it_stopped_and_grows(self, tmp_path: Path) -> None:
        pool = write_pool(tmp_path)
        first = Trainer(tmp_path, BuiltinConfig(images=32, working_size_px=32, **SMALL))
        first.train(pool)
        again = Trainer(tmp_path, BuiltinConfig(images=40, working_size_px=32, **SMALL))
        assert again.state.images == 32
        for one, two in zip(first.model.weights, again.model.weights, strict=True):
            np.testing.assert_array_equal(one.numpy(), two.numpy())
        again.train(pool)
        grown = Trainer(tmp_path, BuiltinConfig(images=48, working_size_px=48, **SMALL))
        assert (grown.state.images, grown.state.stage_began) == (40, 40)
        logits = grown.model.get_layer("logits").kernel.numpy()
        averaged = again.averaged().get_layer("logits").kernel.numpy()
        np.testing.assert_array_equal(logits, averaged)
        grown.train(pool)
        assert read_state(tmp_path).working_size_px == 48

    @pytest.mark.usefixtures("shallow")
    def test_half_precision_scales_its_loss(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hanzi_core.training.builtin.policy", lambda _precision: "mixed_float16")
        trainer = Trainer(tmp_path, BuiltinConfig(images=8, working_size_px=32, **SMALL))
        trainer.train(write_pool(tmp_path))
        scaling = trainer._trainee.optimizer
        assert isinstance(scaling, keras.optimizers.LossScaleOptimizer) and int(scaling.iterations) == 1
        assert trainer.averaged() is trainer.model

    def test_a_folder_without_checkpoint(self, tmp_path: Path) -> None:
        with pytest.raises(TrainingError, match="no checkpoint"):
            read_state(tmp_path)

    def test_packaged_it_is_small_and_answers_as_the_network_does(self, tmp_path: Path) -> None:
        trainer = Trainer(tmp_path, BuiltinConfig(working_size_px=48, **SMALL))
        rng = np.random.default_rng(1)
        bare = StrokeLibrary.load().index("囗")
        kernel, bias = trainer.model.get_layer("logits").get_weights()
        bias[bare] += 1.5 * COMPONENT_PENALTY  # it is the answer, and would not be if it were doubted twice
        trainer.model.get_layer("logits").set_weights([kernel, bias])
        held_out = HeldOut(rng.integers(0, 256, (70, 64, 64), np.uint8), np.full(70, bare, np.int32))
        state = State(images=77, taught=50, teacher_share=0.4, mixtures=0.5, working_size_px=48)
        figures = package(trainer.model, state, held_out, tmp_path / "bundle")
        accuracies = {f"{kind}top_{n}" for kind in ("", "float_") for n in (1, 5, 10)}
        assert set(figures) == accuracies | {"images_seen", "images_taught"}
        sizes = [(tmp_path / "bundle" / name).stat().st_size for name in ("model.tflite", "model.keras")]
        assert sizes[0] < 6_000_000
        assert sum(sizes) < 25_000_000
        bundle = Bundle.open(tmp_path / "bundle")
        assert len(bundle.labels) == 9574
        assert json.loads((tmp_path / "bundle" / "card.json").read_text("utf-8"))["metrics"] == figures
        again = repeat_card(tmp_path / "bundle", held_out)
        assert "it has 40% of the targets of 50 pictures" in bundle.card.notes
        assert "judged 25 mixtures" in bundle.card.notes
        assert again.pop("temperature") == bundle.card.temperature
        assert again.items() <= figures.items()
        found = bundle.load().predict(held_out.images).probabilities
        logits = trainer.model.predict(held_out.images[..., None], verbose=0)["logits"]
        expected = np.exp(logits / bundle.card.temperature)
        expected /= expected.sum(1, keepdims=True)
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.95
        further = Trainer(tmp_path / "further", BuiltinConfig(working_size_px=48, **SMALL), tmp_path / "bundle")
        assert further.state.images == further.state.stage_began == 77
        assert further.state.taught == 50
        again = further.model.predict(held_out.images[..., None], verbose=0)["logits"]
        np.testing.assert_allclose(again, logits, rtol=1e-5, atol=1e-5)
        assert package_again([tmp_path / "bundle"], held_out, tmp_path / "again") == figures
        assert Bundle.open(tmp_path / "again").card.notes == bundle.card.notes

    @pytest.mark.usefixtures("shallow")
    def test_the_time_limit_ends_it(self, tmp_path: Path) -> None:
        trainer = Trainer(tmp_path, BuiltinConfig(working_size_px=32, time_limit_min=1e-4, **SMALL))
        trainer.train(write_pool(tmp_path))
        assert read_state(tmp_path).images < 100 * SMALL["batch_size"]

    def test_blocks_that_a_shallower_network_lacks_change_nothing_at_first(self) -> None:
        shallow = without_last_blocks(build_builtin(50, 32))
        deep = build_builtin(50, 48)
        transfer(shallow, deep)
        assert len(deep.weights) > len(shallow.weights)
        same_size = build_builtin(50, 32)
        transfer(shallow, same_size)
        images = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 1), np.uint8)
        expected = shallow.predict(images, verbose=0)
        for name, found in same_size.predict(images, verbose=0).items():
            np.testing.assert_allclose(found, expected[name], rtol=1e-5, atol=1e-5)
        with pytest.raises(ValueError, match="nothing in"):
            transfer(deep, without_last_blocks(build_builtin(50, 48)))

    def test_only_built_in_models_are_packaged_again(
        self, finished_run: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held_out = HeldOut(np.zeros((1, 64, 64), np.uint8), np.zeros(1, np.int32))
        with pytest.raises(TrainingError, match="no built-in model"):
            package_again([bundle_folder(finished_run)], held_out, tmp_path)
        models = iter([build_builtin(5, 32), without_last_blocks(build_builtin(5, 32))])
        monkeypatch.setattr("hanzi_core.training.builtin_bundle.built_in_model", lambda _folder: next(models))
        with pytest.raises(TrainingError, match="different ways"):
            package_again([tmp_path, tmp_path], held_out, tmp_path)

    def test_the_average_of_models_lies_amid_them(self) -> None:
        models = [build_builtin(5, 32) for _ in range(3)]
        rng = np.random.default_rng(0)
        for model in models:
            model.set_weights([rng.normal(size=weight.shape) for weight in model.weights])
        everyone = [model.get_weights() for model in models]
        for found, *one in zip(average(models).get_weights(), *everyone, strict=True):
            np.testing.assert_allclose(found, sum(one) / 3, atol=1e-6)

    def test_it_goes_on_from_no_other_network(self, tmp_path: Path, finished_run: Job) -> None:
        other = bundle_folder(finished_run)
        with pytest.raises(TrainingError, match="no built-in model"):
            Trainer(tmp_path / "run", BuiltinConfig(working_size_px=32, **SMALL), other)


def without_last_blocks(model: keras.Model) -> keras.Model:
    """The same network less the last residual block of its two deepest stages."""
    blocks = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Add)]
    dropped = (blocks[3], blocks[5])

    def past(layer: keras.Layer, inputs: Any, **options: Any) -> keras.KerasTensor:
        return inputs[0] if layer.name in dropped else layer(inputs, **options)

    cloned = keras.models.clone_model(model, call_function=past)
    return keras.Model(cloned.input, cloned.output)


ENDLESS = """
import sys
from pathlib import Path
import pytest
from hanzi_core.training import builtin
from tests.runs import shallow_built_in
shallow_built_in(pytest.MonkeyPatch())
builtin.CHECKPOINT_EVERY_S = 0
folder = Path(sys.argv[1])
builtin.Trainer(folder, builtin.BuiltinConfig(working_size_px=32, batch_size=8)).train(folder / "pool")
"""
"""A training that writes a checkpoint at every step, until it is killed."""


@pytest.mark.usefixtures("shallow", "workspace")
def test_killed_it_goes_on_from_a_whole_checkpoint(tmp_path: Path) -> None:
    write_pool(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)], cwd=PROJECT, stderr=subprocess.DEVNULL)
    while not (tmp_path / "state.json").exists() or read_state(tmp_path).images < 24:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    seen = read_state(tmp_path).images
    command = ["builtin", "train", str(tmp_path), "--working-size-px", "32", "--batch-size", "8"]
    build()([*command, "--images", str(seen + 16)], standalone_mode=False)
    assert read_state(tmp_path).images == seen + 16


def test_bare_components_come_after_what_people_write(tmp_path: Path) -> None:
    model = Trainer(tmp_path, BuiltinConfig(working_size_px=32, **SMALL)).model
    library = StrokeLibrary.load()
    before = model.get_layer("logits").get_weights()[1]
    doubt_bare_components(model)
    change = before - model.get_layer("logits").get_weights()[1]
    assert all(change[library.index(character)] == COMPONENT_PENALTY for character in "囗氵讠")
    assert not any(change[library.index(character)] for character in "口水言人豸隹")


class TestFigures:
    def test_accuracy_counts_places(self) -> None:
        scores = np.tile(np.arange(20, 0, -1, dtype=np.float32), (4, 1))
        assert accuracy(scores, np.array([0, 4, 5, 12], np.int32)) == {"top_1": 0.25, "top_5": 0.5, "top_10": 0.75}
