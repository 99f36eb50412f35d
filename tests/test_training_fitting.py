import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hanzi_core.bundle import Bundle, bundle_folder
from hanzi_core.dataset import Dataset, SplitSettings
from hanzi_core.dataset.importing import ImportConfig, import_dataset
from hanzi_core.errors import TrainingError
from hanzi_core.image.augment import NO_AUGMENTATION
from hanzi_core.jobs import Job
from hanzi_core.jobs.devices import CPU
from hanzi_core.training.backend import load_backend
from hanzi_core.training.config import Network
from hanzi_core.workspace import Workspace
from tests.conftest import PROJECT
from tests.handwriting import write_collection
from tests.runs import fit, make_dataset, make_model, make_run, silent

MOMENTARY = ("time", "elapsed_s", "images_per_s", "cpu_load", "memory_bytes")


def lasting(job: Job) -> list[dict[str, Any]]:
    """The history without what no two runs share."""
    rows = [row for row in job.history.rows() if row["kind"] == "epoch"]
    return [{name: value for name, value in row.items() if name not in MOMENTARY} for row in rows]


def same_state(first: Any, second: Any) -> bool:
    """Whether weights, optimiser, averages, seeds and metrics of two fittings are equal to the last bit."""
    from hanzi_core.training.checkpoint import read_state

    pairs = zip(read_state(first.whole), read_state(second.whole), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


def test_a_run_killed_within_an_epoch_goes_on_as_if_nothing_had_been(workspace: Workspace, tmp_path: Path) -> None:
    make_dataset(workspace, tmp_path / "three")
    settings = {"averaging": 0.9, "balance": "sampling", "seed": 3}
    whole, broken = make_run(workspace, **settings), make_run(workspace, **settings)
    command = [sys.executable, "-m", "tests.runs", str(workspace.root), broken.id, "6"]
    died = subprocess.run(command, cwd=PROJECT, timeout=240, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert broken.history.rows(), "it had told something before it died"
    broken.history.append({"kind": "epoch", "epoch": 9.0, "note": "written after the checkpoint, before the end"})
    halves = broken.folder / "checkpoints" / ".000000000007-1.npz.a1b2", broken.folder / ".best.npz.c3d4"
    for half in halves:
        half.write_bytes(b"it died while it wrote this")
    expected, resumed = fit(workspace, whole), fit(workspace, broken)
    assert not any(half.exists() for half in halves)
    assert same_state(expected, resumed)
    assert expected.restore_best() and resumed.restore_best()
    assert lasting(whole) == lasting(broken)
    assert [row["epoch"] for row in lasting(broken)] == [1.0, 2.0, 3.0]
    assert resumed.position.step == expected.position.step == 12
    log = broken.log_tail()
    assert " begins: compact, " in log and " goes on after step 6: compact, " in log and " 3 classes, " in log
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(broken.folder / "events"))
    events.Reload()
    assert [event.step for event in events.Tensors("val_accuracy")][-3:] == [4, 8, 12]
    assert events.Graph().node, "the graph of the network is drawn too"


def test_two_devices_of_a_machine_train_as_one_would(workspace: Workspace, tmp_path: Path) -> None:
    """Simulated: two halves of the CPU stand for two GPUs, which no machine of ours has."""
    make_dataset(workspace, tmp_path / "three")
    settings = {"network": "cnn", "optimiser": "sgd", "learning_rate": 0.01, "dropout": 0.0}
    settings["augmentation"] = NO_AUGMENTATION.model_dump()
    one, two = make_run(workspace, **settings), make_run(workspace, **settings)
    command = [sys.executable, "-m", "tests.runs", str(workspace.root), two.id, "mirror"]
    done = subprocess.run(command, cwd=PROJECT, timeout=300, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    fit(workspace, one)
    for alone, shared in zip(lasting(one), lasting(two), strict=True):
        assert shared["val_loss"] == pytest.approx(alone["val_loss"], abs=1e-3)
        assert shared["loss"] == pytest.approx(alone["loss"], abs=1e-3)
    assert Bundle.open(bundle_folder(two)).load()


def test_half_precision_scales_its_loss_also_after_it_was_left(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a CPU: no machine of ours has a GPU that wants float16."""
    make_dataset(workspace, tmp_path / "three")
    load_backend([CPU])
    monkeypatch.setattr("hanzi_core.training.trainee.policy", lambda _precision: "mixed_float16")
    settings = {"network": "cnn", "averaging": 0.9, "epochs": 2}
    whole, broken = make_run(workspace, **settings), make_run(workspace, **settings)
    expected = fit(workspace, whole)
    scaling = expected.whole.optimizer
    assert scaling.dynamic_scale > 1 and int(scaling.iterations) == 8, "every step was finite"
    assert {layer.compute_dtype for layer in expected._model.layers} == {"float16", "float32"}
    fit(workspace, broken, lambda step: (broken.folder / "stop").touch() if step == 6 else None)
    broken.forget_process()
    assert same_state(expected, fit(workspace, broken))
    assert lasting(whole) == lasting(broken)
    assert lasting(whole)[0]["learning_rate"] > 0 == lasting(whole)[1]["learning_rate"]


def test_of_epochs_that_read_equally_many_right_the_one_of_lowest_loss_is_kept(
    workspace: Workspace, tmp_path: Path
) -> None:
    """The first of them was kept, which is the least trained."""
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", optimiser="sgd", learning_rate=1e-4, augmentation=NO_AUGMENTATION)
    fitting = fit(workspace, job)
    rows = lasting(job)
    assert len({row["val_accuracy"] for row in rows}) == 1 and len({row["val_loss"] for row in rows}) == 3
    lowest = min(rows, key=lambda row: row["val_loss"])
    assert fitting.best.epoch == lowest["epoch"] > 1
    fitting.save()
    fitting.look_back()
    assert fitting.best.loss == pytest.approx(lowest["val_loss"], abs=1e-6), "one that is taken up knows it still"


class _GoneError(BaseException):
    """The process is no more."""


@pytest.mark.parametrize("saves", [1, 2, 3], ids=["before a validation", "after it", "before the next"])
def test_a_run_that_died_between_two_passes_goes_on_as_if_nothing_had_been(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saves: int
) -> None:
    make_dataset(workspace, tmp_path / "three")
    settings = {"network": "cnn", "seed": 3, "momentum": 0.9, "optimiser": "sgd", "learning_rate": 0.01}
    whole, broken = make_run(workspace, **settings), make_run(workspace, **settings)
    from hanzi_core.training.fitting import Fitting

    expected, left = fit(workspace, whole), saves

    def save_and_die(fitting: Fitting) -> None:
        nonlocal left
        fitting.save()
        left -= 1
        if left == 0:
            raise _GoneError

    with monkeypatch.context() as patched, pytest.raises(_GoneError):
        patched.setattr(Fitting, "_save_if_worth", save_and_die)
        fit(workspace, broken)
    resumed = fit(workspace, broken)
    assert same_state(expected, resumed)
    assert lasting(whole) == lasting(broken)
    assert [row["epoch"] for row in lasting(broken)] == [1.0, 2.0, 3.0]


def test_a_run_that_died_in_its_validation_at_the_time_limit_is_validated_first(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", time_limit_min=0.0001, epochs=1000)
    from hanzi_core.training.fitting import Fitting

    def die(_fitting: Fitting) -> None:
        raise _GoneError

    with monkeypatch.context() as patched, pytest.raises(_GoneError):
        patched.setattr(Fitting, "_validate", die)
        fit(workspace, job)
    assert not lasting(job)
    resumed = fit(workspace, job)
    assert resumed.restore_best(), "there is a model"
    assert [row["epoch"] for row in lasting(job)] == [resumed.best.epoch] == [0.25]


def test_a_run_that_died_within_a_validation_goes_on_within_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(workspace, tmp_path / "three", count=24)
    settings = {"network": "cnn", "averaging": 0.9, "epochs": 2}
    whole, broken = make_run(workspace, **settings), make_run(workspace, **settings)
    import hanzi_core.training.fitting as module

    monkeypatch.setattr(module, "_VALIDATION_BATCH", 2)  # fifteen pictures to validate on, in four pieces
    monkeypatch.setattr(module, "_VALIDATION_PIECE", 4)
    expected, save = fit(workspace, whole), module.Fitting.save

    def save_and_die(fitting: module.Fitting) -> None:
        save(fitting)
        if fitting.position.epoch == 1 and fitting.position.validated == 8:
            raise _GoneError

    with monkeypatch.context() as patched, pytest.raises(_GoneError):
        patched.setattr(module, "CHECKPOINT_INTERVAL_S", 0.0)
        patched.setattr(module.Fitting, "save", save_and_die)
        fit(workspace, broken)
    pieces = []
    add_up = module.Fitting._add_up
    monkeypatch.setattr(module.Fitting, "_add_up", lambda *given: (pieces.append(given[2]), add_up(*given)))
    resumed = fit(workspace, broken)
    assert pieces == [4, 3], "only what was left is validated"
    assert same_state(expected, resumed)
    assert lasting(whole) == lasting(broken)
    assert resumed.best.accuracy == expected.best.accuracy


def test_a_validation_takes_no_more_room_than_a_step(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a batch that is small since the memory is, it took 256 pictures at once."""
    make_dataset(workspace, tmp_path / "three", count=24)
    load_backend([CPU])
    import keras

    from hanzi_core.training.input import Batches

    sizes, evaluate = [], keras.Model.evaluate

    def watched(model: keras.Model, batches: Batches, **options: Any) -> Any:
        sizes.extend(len(batches[number][0]) for number in range(len(batches)))
        return evaluate(model, batches, **options)

    monkeypatch.setattr(keras.Model, "evaluate", watched)
    job = make_run(workspace, network="cnn", batch_size=4, epochs=1)
    fitting = fit(workspace, job)
    assert sizes == [8, 7]
    at_once = evaluate(fitting.whole, Batches(fitting._material, fitting._material.validation, 256), return_dict=True)
    assert lasting(job)[0]["val_loss"] == pytest.approx(at_once["loss"], rel=1e-4), "the figures are the same"
    fitting._share = (0, 2)
    assert fitting.validation_batch_size == 4, "a process of a group has its share of a step"


def test_a_run_is_not_taken_up_with_another_split(workspace: Workspace, stopped: Job) -> None:
    """It would be told that it reads right what it has been trained on."""
    before = stopped.history.path.read_bytes()
    stopped.forget_process()
    Dataset.find(workspace, "three").split(SplitSettings(validation=0.2, test=0.0, seed=5))
    with pytest.raises(TrainingError, match="its split has changed since"):
        fit(workspace, stopped)
    assert stopped.history.path.read_bytes() == before


def test_a_run_is_not_taken_up_where_what_it_goes_over_was_split_anew(workspace: Workspace, tmp_path: Path) -> None:
    make_dataset(workspace, tmp_path / "three")
    split = SplitSettings(validation=0.2, test=0.0)
    pictures = write_collection(tmp_path / "old", "人木", 6)
    old = import_dataset(workspace, ImportConfig(location=pictures, name="old", split=split), silent)
    make_model(workspace, Network.CNN)
    job = make_run(workspace, start="bundle", start_bundle="small", rehearsal="old")
    fit(workspace, job, lambda step: (job.folder / "stop").touch() if step == 2 else None)
    job.forget_process()
    old.split(split.model_copy(update={"seed": 5}))
    with pytest.raises(TrainingError, match="its split has changed since"):
        fit(workspace, job)


@pytest.fixture
def stopped(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A run that was asked to stop in its second epoch; however slow the machine, it saves between epochs alone."""
    import hanzi_core.training.fitting as module

    monkeypatch.setattr(module, "CHECKPOINT_INTERVAL_S", 3600.0)
    monkeypatch.setattr(module, "_CHECKPOINT_COST", 1e9)
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", averaging=0.9)
    fit(workspace, job, lambda _step: (job.folder / "stop").touch() if len(lasting(job)) == 1 else None)
    return job


def test_a_stopped_run_leaves_a_checkpoint_within_its_epoch(workspace: Workspace, stopped: Job) -> None:
    from hanzi_core.training.checkpoint import Checkpoints

    found = Checkpoints(stopped.folder / "checkpoints").load()
    assert found and (found[0].epoch, found[0].batch, found[0].step) == (1, 2, 6)
    newest = max((stopped.folder / "checkpoints").glob("*.npz"))
    newest.write_bytes(newest.read_bytes()[:-1000])  # cut short by the disk
    before = Checkpoints(stopped.folder / "checkpoints").load()
    assert before and before[0].step == 4, "the one before it, at the end of the first epoch"
    stopped.forget_process()
    resumed, whole = fit(workspace, stopped), fit(workspace, make_run(workspace, network="cnn", averaging=0.9))
    assert resumed.position.epoch == 3
    assert same_state(resumed, whole)
    assert [row["epoch"] for row in lasting(stopped)] == [1.0, 2.0, 3.0]
