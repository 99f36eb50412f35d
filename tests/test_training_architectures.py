import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hanzi_core.training.backend import load_backend

load_backend(["cpu"])

import keras  # noqa: E402

from hanzi_core.image.augment import NO_AUGMENTATION, Augmentation  # noqa: E402
from hanzi_core.training import memory  # noqa: E402
from hanzi_core.training.architectures import build  # noqa: E402
from hanzi_core.training.averaging import averaged  # noqa: E402
from hanzi_core.training.config import Network, TrainingConfig  # noqa: E402
from hanzi_core.training.distortion import Distortion  # noqa: E402
from hanzi_core.training.memory import available_bytes, needed_bytes  # noqa: E402
from hanzi_core.training.objective import SmoothedCrossentropy, optimiser  # noqa: E402
from tests.conftest import PROJECT  # noqa: E402

TAKES = """
import resource, sys
import numpy as np
from hanzi_core.training.backend import load_backend
load_backend(["cpu"])
import psutil
from hanzi_core.training.architectures import build
from hanzi_core.training.config import Network
from hanzi_core.training.memory import needed_bytes
network, size, batch_size = Network(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
model = build(network, size, 100)
model.compile("sgd", {"logits": "mse", "embedding": None})
def step(count):
    pictures = np.zeros((count, size, size, 1), np.uint8)
    model.train_on_batch(pictures, {"logits": np.zeros((count, 100), np.float32)})
step(2)
before = psutil.Process().memory_info().rss
step(batch_size)
taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
print(taken / (needed_bytes(model, batch_size) - needed_bytes(model, 2)))
"""
"""What a step really takes, over what is reckoned."""

LEAVES = """
import keras
import numpy as np
from hanzi_core.training.averaging import averaged
from hanzi_core.training.config import TrainingConfig
from hanzi_core.training.objective import optimiser
def leave(batch, logs=None):
    raise KeyboardInterrupt
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile(optimiser(TrainingConfig(dataset="any", optimiser="sgd", averaging=0.5), 10), "mse")
model.fit(np.ones((8, 2)), np.zeros(8), batch_size=2, verbose=0)
raw = model.get_weights()
try:
    with averaged(model):
        watch = keras.callbacks.LambdaCallback(on_test_batch_end=leave)
        model.evaluate(np.ones((8, 2)), np.zeros(8), batch_size=2, verbose=0, callbacks=[watch])
except KeyboardInterrupt:
    print(keras.backend.backend(), np.array_equal(model.get_weights()[0], raw[0]))
"""
"""A validation that is left, as one that is asked to stop; whether the weights are back."""


@pytest.mark.parametrize(
    ("network", "size", "dimensions"),
    [
        (Network.COMPACT, 64, 256),
        (Network.CNN, 64, 128),
        (Network.MELNYK, 96, 448),
        (Network.RESNET50, 64, 1024),
        pytest.param(Network.DENSENET169, 64, 1024, marks=pytest.mark.long),
    ],
)
def test_every_network_takes_gray_bytes_and_gives_logits_and_embedding(
    network: Network, size: int, dimensions: int
) -> None:
    model = build(network, size, 7)
    assert model.input_shape == (None, size, size, 1)
    pictures = np.random.default_rng(0).integers(0, 255, (2, size, size, 1)).astype(np.float32)
    outputs = model(pictures)
    assert outputs["logits"].shape == (2, 7) and outputs["embedding"].shape == (2, dimensions)
    assert np.isfinite(outputs["logits"]).all()


def test_melnyk_net_has_the_parameters_of_its_paper() -> None:
    assert build(Network.MELNYK, 96, 3755).count_params() == pytest.approx(6.5e6, rel=0.01)


def test_compact_stays_small() -> None:
    assert build(Network.COMPACT, 64, 100).count_params() < 5_000_000


def test_memory_grows_with_the_batch() -> None:
    model = build(Network.COMPACT, 64, 10)
    assert needed_bytes(model, 128) - needed_bytes(model, 64) == needed_bytes(model, 64) - needed_bytes(model, 0)


@pytest.mark.parametrize(
    ("version", "names"),
    [
        (0, ("memory.max", "memory.current", "inactive_file")),
        (1, ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")),
    ],
)
def test_what_others_of_a_container_hold_is_not_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int, names: tuple[str, str, str]
) -> None:
    limit, taken, cache = names
    groups = [(str(tmp_path / str(number)), *files) for number, (_folder, *files) in enumerate(memory._CGROUPS)]
    monkeypatch.setattr(memory, "_CGROUPS", groups)
    folder = Path(groups[version][0])
    folder.mkdir()
    (folder / limit).write_text("9000000\n")
    (folder / taken).write_text("8000000\n")
    (folder / "memory.stat").write_text(f"anon 7500000\n{cache} 500000\nactive_file 0\n")
    assert available_bytes(["cpu"]) == 1_500_000
    (folder / limit).write_text("max\n")
    assert available_bytes(["cpu"]) > 9_000_000, "a container without a limit"


@pytest.mark.long
@pytest.mark.parametrize(("network", "size", "batch_size"), [("compact", 64, 1024), ("cnn", 160, 96)])
def test_memory_is_reckoned_neither_short_nor_far_above_what_a_step_takes(
    network: str, size: int, batch_size: int
) -> None:
    """Short, a run is killed without a word; far above, one that fits is refused."""
    command = [sys.executable, "-c", TAKES, network, str(size), str(batch_size)]
    done = subprocess.run(command, cwd=PROJECT, timeout=300, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0.4 < float(done.stdout.split()[-1]) <= 1.0


def test_smoothed_crossentropy_is_that_of_keras_on_one_hot_targets() -> None:
    random = np.random.default_rng(1)
    logits, targets = random.normal(size=(5, 9)).astype(np.float32), random.integers(0, 9, 5)
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1, reduction=None)
    expected = theirs(keras.ops.one_hot(targets, 9), logits)
    assert np.allclose(SmoothedCrossentropy(0.1).call(targets, logits), expected, atol=1e-5)


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    rate = optimiser(TrainingConfig(dataset="any", learning_rate=0.01), 1000).learning_rate
    made = optimiser(TrainingConfig(dataset="any", learning_rate=0.01), 1000)
    schedule = made._learning_rate
    assert float(rate) == 0.0
    assert float(schedule(50)) == pytest.approx(0.01)
    assert float(schedule(525)) < 0.0075 and float(schedule(1000)) == pytest.approx(0, abs=1e-6)


def test_sgd_decays_by_its_factor_every_ten_thousand_steps() -> None:
    made = optimiser(TrainingConfig(dataset="any", optimiser="sgd", learning_rate=0.01), 1000)
    assert float(made._learning_rate(10_000)) == pytest.approx(0.009)
    assert made.momentum == 0.9


def test_distortion_changes_pictures_in_training_only_and_by_its_seed() -> None:
    pictures = np.zeros((4, 32, 32, 1), np.float32)
    pictures[:, 8:24, 14:18] = 255
    first, second = Distortion(Augmentation(), 3), Distortion(Augmentation(), 3)
    assert np.array_equal(first(pictures, training=False), pictures)
    changed = np.asarray(first(pictures, training=True))
    assert not np.array_equal(changed, pictures)
    assert np.array_equal(changed, second(pictures, training=True))
    assert not np.array_equal(changed, first(pictures, training=True)), "each batch is drawn anew"
    assert np.array_equal(Distortion(NO_AUGMENTATION, 0)(pictures, training=True), pictures)
    assert changed.min() >= 0 and changed.max() <= 255


def test_on_a_gpu_what_xla_lacks_is_not_compiled_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated: Keras is told of a GPU, and compiles nothing yet."""
    import tensorflow as tf
    from tensorflow.python.framework import config

    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind=None: [gpu])
    monkeypatch.setattr(config, "is_op_determinism_enabled", lambda: False)
    plain = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten()])
    augmented = keras.Sequential([Distortion(Augmentation(), 0), plain])
    for model in (plain, augmented):
        model.compile("sgd", "mse")
    assert plain.jit_compile and not augmented.jit_compile
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert Distortion(Augmentation(), 0).supports_jit, "JAX has it"


def test_averaged_weights_come_and_go() -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimiser(TrainingConfig(dataset="any", optimiser="sgd", averaging=0.5), 10), "mse")
    model.fit(np.ones((8, 2)), np.zeros(8), batch_size=2, verbose=0)
    raw = model.get_weights()
    with averaged(model):
        assert not np.array_equal(model.get_weights()[0], raw[0])
    assert np.array_equal(model.get_weights()[0], raw[0])


def test_a_validation_by_jax_that_is_left_gives_the_weights_back() -> None:
    """Within it JAX has them elsewhere."""
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", LEAVES],
        cwd=PROJECT,
        env=environment,
        timeout=120,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "jax True\n", done.stderr
