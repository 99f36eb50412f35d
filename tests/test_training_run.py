"""Faults that are really caused, and what a run leaves when they come."""

import importlib
import resource
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from hanzi_core.bundle import WEIGHTS, Bundle, bundle_folder, write_description
from hanzi_core.cli.training import _train_and_test
from hanzi_core.dataset.importing import ImportConfig, import_dataset
from hanzi_core.errors import BundleError, DatasetError, HanziError, JobError, TrainingError, WorkspaceError
from hanzi_core.jobs import Job, State, Work, run_work
from hanzi_core.jobs.devices import CPU
from hanzi_core.training.backend import _without_jax, load_backend
from hanzi_core.training.config import Network, TrainingConfig
from hanzi_core.workspace import Workspace
from tests.conftest import PROJECT
from tests.handwriting import write_collection
from tests.runs import fit, make_dataset, make_model, make_run, silent


def open_material(workspace: Workspace, job: Job):
    load_backend(job.devices)
    from hanzi_core.training.run import open_material as open_it

    return open_it(Work(job), workspace, TrainingConfig(**job.config))


def suffer(root: Path, job: Job, mishap: str) -> subprocess.CompletedProcess[str]:
    """The whole job in a process of its own, to which ``mishap`` comes."""
    command = [sys.executable, "-m", "tests.runs", str(root), job.id, mishap]
    return subprocess.run(command, cwd=PROJECT, timeout=300, capture_output=True, text=True, check=False)


def test_a_loss_gone_astray_is_told_with_its_step_and_the_best_is_kept(workspace: Workspace, tmp_path: Path) -> None:
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", epochs=4)
    done = suffer(workspace.root, job, "poison")
    assert done.returncode == 2, done.stderr
    assert job.status().state is State.FAILED
    assert str(job.status().changes[-1]).startswith("The loss is no longer a number at step 7")
    assert Bundle.open(bundle_folder(job)).labels == ("人", "口", "木"), "the best is kept"
    result = job.result()
    assert result and result["best_epoch"] == 1.0
    from hanzi_core.training.checkpoint import Checkpoints

    found = Checkpoints(job.folder / "checkpoints").load()
    assert found and all(np.isfinite(array).all() for array in found[1] if array.dtype.kind == "f"), "nothing astray"


def test_a_gpu_that_vanishes_under_a_run(workspace: Workspace, tmp_path: Path) -> None:
    """Simulated: no machine of ours could lose one."""
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", epochs=4)
    assert suffer(workspace.root, job, "gpu").returncode == 2
    assert job.status().state is State.FAILED
    assert str(job.status().changes[-1]).startswith("gpu:0 has vanished from under the run")
    assert list((job.folder / "checkpoints").glob("*.npz"))


TMPFS = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
"""A file system of one's own, without being root."""


@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run([*TMPFS, "mount -t tmpfs t /mnt"], check=False).returncode != 0,
    reason="this system lets nobody mount a small disk",
)
def test_a_disk_that_fills_up_during_a_run(workspace: Workspace, tmp_path: Path) -> None:
    """On a real disk of 60 MB, filled to the last byte between two checkpoints."""
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", epochs=4)
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    script = (
        f"mount -t tmpfs -o size=60m tmpfs {disk} && cp -r {workspace.root}/. {disk} && "
        f"{sys.executable} -m tests.runs {disk} {job.id} full; code=$?; cp -r {disk}/jobs {kept}; exit $code"
    )
    done = subprocess.run([*TMPFS, script], cwd=PROJECT, timeout=300, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    left = Job(kept / job.id)
    assert left.stored_status().state is State.FAILED
    assert str(left.stored_status().changes[-1]).startswith("No space is left on the disk of")
    from hanzi_core.training.checkpoint import Checkpoints

    found = Checkpoints(left.folder / "checkpoints").load()
    assert found and (found[0].epoch, found[0].batch) == (1, 2), "the last one before is whole"
    assert not [path for path in (left.folder / "checkpoints").iterdir() if path.suffix != ".npz"]


def test_a_full_disk_leaves_the_earlier_checkpoint_good(tmp_path: Path) -> None:
    import numpy as np

    from hanzi_core.training.checkpoint import Checkpoints, Position

    checkpoints = Checkpoints(tmp_path / "checkpoints")
    state = [np.arange(500_000, dtype=np.float32)]
    checkpoints.save(Position(step=1), state)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(WorkspaceError, match="No space is left"):
            checkpoints.save(Position(step=2), state)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    found = checkpoints.load()
    assert found and found[0].step == 1 and np.array_equal(found[1][0], state[0])
    assert [path.suffix for path in checkpoints.folder.iterdir()] == [".npz"], "nothing half-written stays"


def test_only_damaged_checkpoints_are_a_sentence(tmp_path: Path) -> None:
    from hanzi_core.training.checkpoint import Checkpoints, Position

    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.load() is None
    checkpoints.save(Position(step=1), [])
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(TrainingError, match="Every checkpoint"):
        checkpoints.load()


def test_a_checkpoint_that_lost_an_array_is_passed_over(tmp_path: Path) -> None:
    """As where a flipped bit of the archive's directory hides a member; others lead to errors of every kind."""
    from hanzi_core.training.checkpoint import Checkpoints, Position

    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(Position(step=1), [np.arange(3), np.arange(4)])
    checkpoints.save(Position(step=2), [np.arange(3), np.arange(4)])
    newest = sorted(tmp_path.glob("*.npz"))[-1]
    with zipfile.ZipFile(newest) as whole:
        members = {name: whole.read(name) for name in whole.namelist() if name != "a1.npy"}
    with zipfile.ZipFile(newest, "w") as less:
        for name, content in members.items():
            less.writestr(name, content)
    found = checkpoints.load()
    assert found and found[0].step == 1
    newest.with_name(f".{newest.name}.x7f").touch()  # of a process that was killed amid the next one
    checkpoints.forget()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_where_tensorflow_writes_is_no_lack_of_memory(workspace: Workspace) -> None:
    """TensorFlow has one error for both."""
    load_backend([CPU])
    import tensorflow as tf

    from hanzi_core.training.run import full_disk_explained

    job = make_run(workspace)
    with pytest.raises(WorkspaceError, match="No space is left"), full_disk_explained(job):
        raise tf.errors.ResourceExhaustedError(None, None, "events/x; No space left on device")
    with pytest.raises(tf.errors.ResourceExhaustedError), full_disk_explained(job):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")


def test_a_dataset_that_was_moved_away(workspace: Workspace, tmp_path: Path) -> None:
    make_dataset(workspace, tmp_path / "three")
    shutil.rmtree(tmp_path / "three")
    with pytest.raises(DatasetError):
        open_material(workspace, make_run(workspace))


def test_a_dataset_that_is_moved_away_under_a_run(workspace: Workspace, tmp_path: Path) -> None:
    """What a run has opened it keeps; the next one says what it misses."""
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn")
    assert suffer(workspace.root, job, "moved").returncode == 0, job.log_tail()
    assert not (workspace.root / "datasets" / "three").exists()
    assert job.status().state is State.FINISHED and Bundle.open(bundle_folder(job)).labels == ("人", "口", "木")
    after = make_run(workspace, network="cnn")
    assert run_work(after, lambda work: open_material(workspace, after) and {}) == 2
    assert after.status().state is State.FAILED
    assert str(after.status().changes[-1]).startswith("There is no dataset “three”")


def test_a_clock_that_jumps_back_an_hour_under_a_run(workspace: Workspace, tmp_path: Path) -> None:
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", time_limit_min=30)
    done = suffer(workspace.root, job, "clock")
    assert done.returncode == 0, done.stderr
    assert job.status().state is State.FINISHED
    rows = [row for row in job.history.rows() if row["kind"] == "epoch"]
    assert [row["epoch"] for row in rows] == [1.0, 2.0, 3.0]
    assert rows[1]["time"] < rows[0]["time"] - 3000, "it did jump"
    assert 0 < rows[0]["elapsed_s"] < rows[1]["elapsed_s"] < rows[2]["elapsed_s"] < 300


def test_a_class_to_validate_on_that_training_lacks(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_collection(tmp_path / "given" / "train", "人木", 4)
    write_collection(tmp_path / "given" / "val", "人木口", 2)
    import_dataset(workspace, ImportConfig(location=tmp_path / "given", name="three"), silent)
    material = open_material(workspace, make_run(workspace))
    assert material.labels == ["人", "木"]
    assert len(material.validation) == 4
    assert "2 pictures to validate on are left out: no training for 口" in capsys.readouterr().out


def test_a_gpu_that_has_vanished(workspace: Workspace) -> None:
    with pytest.raises(JobError, match=r"There is no device “gpu:9” here; there are: .*cpu"):
        load_backend(["gpu:9"])


def test_tensorflow_brings_no_jax_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """To import that as well took a fifth longer, and it can be had afterwards."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    with _without_jax(), pytest.raises(ImportError):
        importlib.import_module("jax")
    assert "jax" not in sys.modules
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with _without_jax():
        assert "jax" not in sys.modules, "it is free to come"


def test_a_batch_too_large_for_memory_fails_with_a_size_that_fits(workspace: Workspace, tmp_path: Path) -> None:
    make_dataset(workspace, tmp_path / "three", count=16)
    job = make_run(workspace, network="cnn", image_size_px=160, batch_size=32)
    command = [sys.executable, "-m", "tests.runs", str(workspace.root), job.id, "memory"]
    done = subprocess.run(command, cwd=PROJECT, timeout=240, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    status = job.status()
    assert status.state is State.FAILED
    assert "A batch of 32 pictures needs about" in str(status.changes[-1])
    assert status.changes[-1].sentence["values"]["fitting"] in (2, 4, 8, 16)


def test_memory_that_runs_out_amid_a_step_is_told(workspace: Workspace) -> None:
    """Simulated: a CPU's process is ended by the system then, and no machine of ours has a GPU to fill."""
    load_backend([CPU])
    import tensorflow as tf

    from hanzi_core.training.architectures import build
    from hanzi_core.training.run import steps_explained
    from hanzi_core.training.trainee import Trainee

    model = build(Network.COMPACT, 32, 3)
    job = make_run(workspace)
    with pytest.raises(TrainingError) as told, steps_explained(Trainee(model, model, None), 48, job):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
    assert "A batch of 48 pictures needs about" in str(told.value) and "a batch size of 24" in str(told.value)


class _KilledError(BaseException):
    """The process is no more."""


def test_a_run_that_dies_before_it_is_known_as_finished_does_not_begin_anew(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hanzi_core.training.checkpoint import BEST_WEIGHTS

    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", epochs=1)

    def die(_job: Job, _result: dict) -> None:
        raise _KilledError

    with monkeypatch.context() as patched, pytest.raises(_KilledError):
        patched.setattr(Job, "write_result", die)
        _train_and_test(workspace, job)
    assert _train_and_test(workspace, job) == 0
    assert job.stored_status().state is State.FINISHED
    assert " goes on after step 4: " in job.log_tail(), "nothing was trained again"
    assert not list((job.folder / "checkpoints").iterdir()), "and now they are not needed"
    assert not (job.folder / BEST_WEIGHTS).exists() and (bundle_folder(job) / WEIGHTS).exists()


def test_an_estimate_measures_full_batches(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one of an epoch is smaller: it would make every run look short."""
    make_dataset(workspace, tmp_path / "three")
    load_backend([CPU])
    import keras

    from hanzi_core.training.estimate import estimate

    sizes = []
    step = keras.Model.train_on_batch
    monkeypatch.setattr(
        keras.Model, "train_on_batch", lambda model, *batch: (sizes.append(len(batch[0])), step(model, *batch))[1]
    )
    job = make_run(workspace, network="cnn", batch_size=16)
    found = estimate(Work(job), workspace, TrainingConfig(**job.config))
    assert found["images"] == 30 and set(sizes) == {16}


def test_time_limit_early_stopping_and_balance(workspace: Workspace, tmp_path: Path) -> None:
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", time_limit_min=0.0001, epochs=1000, balance="weights")
    short = fit(workspace, job)
    assert short.restore_best() and short.position.step == 1 and short.best.epoch == 0.25
    begin, epoch, end = job.log_tail().splitlines()
    assert datetime.strptime(begin[:19], "%Y-%m-%d %H:%M:%S"), "a run may take days"
    assert " epoch 1 of 1000, cut short at 25%: " in epoch and end.endswith(" ends early: its time is up")
    job = make_run(workspace, early_stopping=1, epochs=50, learning_rate=1e-6, optimiser="sgd")
    patient = fit(workspace, job)
    assert 1 < patient.position.epoch < 50
    begin, *epochs, end = job.log_tail().splitlines()
    assert " begins: compact, " in begin
    assert end.endswith(f" ends early: the validation loss was lowest after epoch {len(epochs) - 1}")
    assert len(epochs) == patient.position.epoch, "a line an epoch"
    assert "epoch 1 of 50: " in epochs[0] and "val_accuracy 0." in epochs[0]


def test_a_step_heeds_the_time_that_has_passed() -> None:
    import numpy as np

    load_backend([CPU])
    import keras

    from hanzi_core.training.objective import SmoothedCrossentropy, optimiser, schedule_of

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(optimiser(TrainingConfig(dataset="any", time_limit_min=1), 100), SmoothedCrossentropy(0.0))

    def learn() -> float:
        before = model.get_weights()[0]
        model.fit(np.ones((16, 4), np.float32), np.zeros(16, np.int32), batch_size=4, verbose=0)
        return float(np.abs(model.get_weights()[0] - before).max())

    assert learn() > 1e-4, "the steps alone are at its beginning"
    schedule_of(model).tell_time(1.0)
    assert learn() == 0.0


def test_the_learning_rate_ends_with_the_time(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(workspace, tmp_path / "three")
    load_backend([CPU])
    from hanzi_core.training.fitting import Fitting
    from hanzi_core.training.objective import Hastened, schedule_of

    rates: list[float] = []
    tell_time = Hastened.tell_time

    def told(schedule: Hastened, share: float) -> None:
        tell_time(schedule, share)
        rates.append(float(schedule(0)))

    monkeypatch.setattr(Hastened, "tell_time", told)
    monkeypatch.setattr(Fitting, "elapsed_s", lambda _fitting: 3.0 * len(rates))
    fitting = fit(workspace, make_run(workspace, network="cnn", time_limit_min=1, epochs=1000))
    top = rates.index(max(rates))
    assert len(rates) == 20 and rates[0] == 0.0
    assert rates[top] > 0.95 * TrainingConfig(dataset="any").learning_rate
    assert rates[top:] == sorted(rates[top:], reverse=True) and rates[-1] < 0.01 * rates[top]
    assert float(schedule_of(fitting.whole)(fitting.position.step)) == rates[-1]


def test_start_from_a_bundle_keeps_body_and_known_classes(trained: Workspace, finished_run: Job) -> None:
    import numpy as np

    load_backend(finished_run.devices)
    from hanzi_core.training.first_model import first_model

    config = TrainingConfig(dataset="ten", network="cnn", start="bundle", start_bundle=finished_run.id)
    model = first_model(trained, config, ["人", "龍"])
    bundle = Bundle.open(bundle_folder(finished_run))
    pictures = np.random.default_rng(0).integers(0, 255, (2, 64, 64), np.uint8)
    served = bundle.load().predict(pictures)
    again = model(pictures[..., np.newaxis].astype("float32"))
    assert again["logits"].shape == (2, 2)
    assert model.name == "compact", "its own network, whichever the run names"
    assert np.allclose(served.embedding, again["embedding"], atol=1e-3)
    import keras

    old = keras.models.load_model(bundle.folder / "model.keras", compile=False)
    known = old(pictures[..., np.newaxis].astype("float32"))["logits"][:, bundle.index["人"]]
    assert np.allclose(known, again["logits"][:, 0], atol=1e-4)


def test_a_model_whose_body_was_held_learns_as_a_whole_when_it_is_trained_further(workspace: Workspace) -> None:
    """It was saved as it was fine-tuned, and so is the built-in model."""
    load_backend([CPU])
    import keras

    from hanzi_core.training.first_model import HEAD, first_model

    saved = make_model(workspace)
    for layer in saved.layers:
        layer.trainable = layer.name == HEAD
    folder = workspace.models / "small"
    saved.save(folder / WEIGHTS)
    further = {"dataset": "three", "start": "bundle", "start_bundle": "small"}
    with pytest.raises(BundleError, match=r"small/model\.keras is damaged, or of another model"):
        first_model(workspace, TrainingConfig(**further), ["人", "木"])
    write_description(folder, Bundle.open(folder).card, Bundle.open(folder).labels)
    model = first_model(workspace, TrainingConfig(**further), ["人", "木"])
    before = model.get_weights()
    answering = keras.Model(model.input, model.output[HEAD])
    answering.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    pictures = np.random.default_rng(0).integers(0, 255, (4, 32, 32, 1)).astype(np.float32)
    answering.train_on_batch(pictures, np.array([0, 1, 0, 1]))
    still = [one.name for one, old in zip(model.weights, before, strict=True) if np.array_equal(one.numpy(), old)]
    assert not still, "statistics of batches among them"
    held = first_model(workspace, TrainingConfig(**further, rehearsal="old", keep_last=True), ["人", "木"])
    assert [variable.path for variable in held.trainable_variables] == ["logits/kernel", "logits/bias"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": "bundle", "start_bundle": "nobody"}, "There is no model “nobody”"),
        ({"network": "resnet50", "start": "imagenet", "start_file": "/nowhere.h5"}, "no ImageNet weights at"),
    ],
)
def test_weights_that_cannot_be_had(workspace: Workspace, settings: dict, message: str) -> None:
    from hanzi_core.training.start import check_start

    with pytest.raises(TrainingError, match=message):
        check_start(workspace, TrainingConfig(dataset="three", **settings))


def test_a_file_of_weights_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/of-somebody")
    named = [
        TrainingConfig(dataset="a", network="resnet50", start="imagenet", start_file=path).start_file
        for path in ("w.weights.h5", "~/w.weights.h5")
    ]
    assert named == [tmp_path / "w.weights.h5", Path("/home/of-somebody/w.weights.h5")]


def test_a_run_is_called_after_what_it_trains(workspace: Workspace) -> None:
    from hanzi_core.training.start import trained_name

    assert trained_name(workspace, TrainingConfig(dataset="three", network="cnn")) == "cnn"
    further = TrainingConfig(dataset="three", network="cnn", start="bundle", start_bundle="builtin")
    assert trained_name(workspace, further) == "Built-in"


def test_imagenet_weights_from_a_file(workspace: Workspace, tmp_path: Path) -> None:
    import numpy as np

    load_backend(["cpu"])
    from hanzi_core.training.architectures import build
    from hanzi_core.training.config import Network
    from hanzi_core.training.first_model import first_model

    other = build(Network.RESNET50, 32, 5).get_layer("backbone")
    other.save_weights(tmp_path / "notop.weights.h5")
    (tmp_path / "wrong.weights.h5").write_bytes(b"nothing of the kind")
    settings = {"dataset": "three", "network": "resnet50", "image_size_px": 32, "start": "imagenet"}
    model = first_model(workspace, TrainingConfig(**settings, start_file=tmp_path / "notop.weights.h5"), ["人", "木"])
    assert np.array_equal(model.get_layer("backbone").get_weights()[0], other.get_weights()[0])
    with pytest.raises(HanziError, match="does not hold ImageNet weights of resnet50"):
        first_model(workspace, TrainingConfig(**settings, start_file=tmp_path / "wrong.weights.h5"), ["人", "木"])
