"""A model that learns what it did not know, and keeps what it knew."""

import functools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hanzi_core.bundle import Bundle, Card, bundle_folder
from hanzi_core.cli.training import checked
from hanzi_core.dataset import Dataset, Part, SplitSettings
from hanzi_core.dataset.importing import ImportConfig, import_dataset
from hanzi_core.dataset.split import part_rows
from hanzi_core.dataset.store import split_digest
from hanzi_core.errors import TrainingError
from hanzi_core.jobs import Job, Work
from hanzi_core.training.backend import load_backend
from hanzi_core.training.config import SIMULATED_HAND, Balance, Network, Start, TrainingConfig
from hanzi_core.training.fine_tuning import fine_tuning
from hanzi_core.training.presets import CORRECTING
from hanzi_core.workspace import Workspace
from tests.conftest import Command
from tests.handwriting import draw, write_collection, write_png
from tests.runs import fit, make_dataset, make_model, make_run, silent

load_backend(["cpu"])

import keras  # noqa: E402

from hanzi_core.training.anchor import Anchor  # noqa: E402
from hanzi_core.training.calibration import calibrated  # noqa: E402
from hanzi_core.training.input import Material, epoch_order, gather, row_weights  # noqa: E402
from hanzi_core.training.rehearsal import Packs, split_gone_over, written  # noqa: E402
from hanzi_core.training.run import export_best, open_material, train  # noqa: E402
from hanzi_core.training.simulation import Simulator  # noqa: E402
from hanzi_core.training.trainee import concerned  # noqa: E402

ROWS = np.empty(0, np.int64)


def test_rows_are_counted_on_from_pack_to_pack() -> None:
    first, second = np.zeros((3, 2, 2), np.uint8), np.arange(2, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)
    packs = Packs([first, second + 7])
    assert len(packs) == 5
    assert packs[np.array([4, 0, 3, 2])][:, 0, 0].tolist() == [8, 0, 7, 0]


def test_an_epoch_holds_every_correction_and_other_old_pictures_each_time() -> None:
    rows = np.arange(5000)
    material = Material(None, np.zeros(5000, np.int32), ["a", "b"], rows[:3], rows[:1], "", rehearsal=rows[10:])
    config = TrainingConfig(dataset="any")
    first, second = epoch_order(material, config, 0), epoch_order(material, config, 1)
    assert len(first) == material.pictures_per_epoch == 1012
    assert sorted(first[first < 3]) == [0] * 4 + [1] * 4 + [2] * 4
    assert len(set(first[first >= 3])) == 1000 and set(first) != set(second)


def test_where_all_is_learned_a_few_old_pictures_come_again_and_their_labels_do_not_count() -> None:
    rows = np.arange(60)
    material = Material(
        None, np.zeros(60, np.int32), ["a", "b"], rows[:3], rows[:1], "", rehearsal=rows[10:], rehearse_all=True
    )
    order = epoch_order(material, TrainingConfig(dataset="any"), 0)
    assert len(order) == material.pictures_per_epoch
    assert np.sum(order >= 3) == 5000 and set(order[order >= 3]) == set(rows[10:])
    assert 0.05 < np.mean(order < 3) < 0.3
    weights = row_weights(material, Balance.NONE)
    assert weights is not None and (weights[:3] > 1).all() and not weights[10:].any()


def test_an_anchor_costs_least_where_nothing_has_changed() -> None:
    random = np.random.default_rng(0)
    features, kernel = random.normal(size=(8, 4)).astype(np.float32), random.normal(size=(4, 3)).astype(np.float32)
    anchor, before = Anchor(kernel, np.zeros(3, np.float32), np.ones(3, np.bool_)), features @ kernel
    costs = []
    for logits in (before, before + random.normal(size=before.shape).astype(np.float32), before[:, ::-1].copy()):
        assert np.array_equal(anchor(features, logits, training=True), logits)
        costs.append(float(anchor.losses[0]))
    assert costs[0] < min(costs[1:])
    anchor(features, before, training=False)
    assert anchor.losses == [], "and nothing in use"


def test_classes_that_are_not_concerned_are_not_taught() -> None:
    random = np.random.default_rng(0)
    features, kernel = random.normal(size=(8, 4)).astype(np.float32), random.normal(size=(4, 3)).astype(np.float32)
    image = keras.Input((4,))
    head = keras.layers.Dense(3)
    anchor = Anchor(kernel, np.zeros(3, np.float32), np.array([True, False, True]))
    model = keras.Model(image, anchor(image, head(image)))
    model.compile(keras.optimizers.Adam(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = head.kernel.numpy()
    model.train_on_batch(features, np.array([0, 2] * 4))
    changed = (head.kernel.numpy() != before).any(axis=0)
    assert changed.tolist() == [True, False, True]


@pytest.fixture
def corrected(trained: Workspace, workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the trained workspace with a dataset of things to learn: one old class and one that is new."""
    shutil.copytree(trained.root, workspace.root, dirs_exist_ok=True)
    pictures = write_collection(tmp_path / "fixes", "人", 12)
    random = np.random.default_rng(1)
    for number in range(12):  # a 三 on its side
        write_png(pictures / "川" / f"{number}.png", np.ascontiguousarray(np.rot90(draw("三", random))))
    split = SplitSettings(validation=0.1, test=0.0)
    import_dataset(workspace, ImportConfig(location=pictures, name="fixes", split=split), silent)
    return workspace


@pytest.mark.long
def test_fine_tuning_learns_the_new_and_keeps_the_old(
    corrected: Workspace, finished_run: Job, command: Command
) -> None:
    options = ["--dataset", "fixes", "--rehearsal", "ten", "--start", "bundle", "--start-bundle", finished_run.id]
    rate = ["--learning-rate", "0.0003", "--epochs", "8", "--batch-size", "16"]
    done = command("train", *options, *rate)
    assert done.returncode == 0, done.stderr
    run = Job.find(corrected, done.stdout.splitlines()[0])
    before, after = Bundle.open(bundle_folder(finished_run)), Bundle.open(bundle_folder(run))
    assert after.labels == (*before.labels, "川")
    assert recalled(corrected, "fixes", after) > 0.9, "the corrections are learned"
    old = recalled(corrected, "ten", before)
    assert recalled(corrected, "ten", after) >= old - 0.05, "and nothing is forgotten"


def test_a_run_of_the_verb_learns_every_correction_and_is_as_sure_as_before(
    corrected: Workspace, finished_run: Job, command: Command
) -> None:
    options = ["--dataset", "fixes", "--title", "mended", "--epochs", "2"]
    done = command("fine-tune", "--model", finished_run.id, *options)
    assert done.returncode == 0, done.stderr
    run = Job.find(corrected, done.stdout.splitlines()[0])
    assert (run.config["rehearsal"], run.config["keep_last"]) == ("ten", True)
    before, after = Bundle.open(bundle_folder(finished_run)), Bundle.open(bundle_folder(run))
    assert (after.card.name, after.card.dataset) == ("mended", "ten")
    assert after.card.temperature == before.card.temperature
    assert after.card.notes == "Fine-tuned on 24 pictures of 2 classes of “fixes”."
    result = run.result()
    assert result and result["to_learn"] == 24 and result["learned"] > 21
    assert f"Learned: {result['learned']} of 24" in done.stdout
    assert f"Accuracy on what it went over: {result['validation_accuracy']:.1%}" in done.stdout
    assert recalled(corrected, "fixes", after) > 0.9
    assert recalled(corrected, "ten", after) >= recalled(corrected, "ten", before) - 0.05


def test_a_whole_model_that_rehearses_is_as_sure_as_its_own_validation_lets_it_be(
    workspace: Workspace, tmp_path: Path
) -> None:
    """It answers otherwise than before, and had the calibration of before."""
    make_dataset(workspace, tmp_path / "three")
    pictures = write_collection(tmp_path / "old", "人木", 6)
    import_dataset(workspace, ImportConfig(location=pictures, name="old"), silent)
    make_model(
        workspace,
        Network.CNN,
        temperature=2.5,
        least_evidence=9.0,
        taught_likeness=0.5,
        dataset="old",
        notes="It is small.",
    )
    job = make_run(workspace, start="bundle", start_bundle="small", rehearsal="old", epochs=1)
    work, config = Work(job), TrainingConfig(**job.config)
    train(work, workspace, config)
    bundle = Bundle.open(bundle_folder(job))
    assert calibrated(bundle, open_material(work, workspace, config)) == bundle.card
    assert bundle.card.taught_likeness == Card.model_fields["taught_likeness"].default
    assert bundle.card.dataset == "old" and bundle.card.notes.startswith("It is small. Fine-tuned on ")


def test_corrections_concern_their_classes_and_what_new_ones_are_taken_for(
    corrected: Workspace, finished_run: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanzi_core.training.trainee._RIVALS", 1)
    bundle = Bundle.open(bundle_folder(finished_run))
    fixes, size_px = Dataset.find(corrected, "fixes"), bundle.card.image_size_px
    material = gather(fixes, "default", size_px, silent, list(bundle.labels), hold_out=False)
    learns = {material.labels[index] for index in np.flatnonzero(concerned(bundle, material))}
    assert {"人", "川"} < learns, "a 三 on its side is taken for something"
    assert len(learns) < len(material.labels)
    new = material.train[material.targets[material.train] == material.labels.index("川")]
    answers = bundle.load().predict(material.pack[new]).probabilities.argmax(axis=1)
    assert learns == {"人", "川"} | {bundle.labels[answer] for answer in answers}


@pytest.fixture
def quick_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hand that studies its library once, and writes forty pictures to validate on instead of fifteen hundred."""
    monkeypatch.setattr("hanzi_core.training.rehearsal._VALIDATED", 40)
    monkeypatch.setattr("hanzi_core.training.rehearsal.Simulator", functools.cache(Simulator))


@pytest.mark.usefixtures("quick_hand")
def test_the_built_in_model_goes_over_what_the_simulated_hand_writes(corrected: Workspace) -> None:
    assert fine_tuning(corrected, "builtin", "fixes").rehearsal == SIMULATED_HAND
    material = Material(
        np.zeros((2, 64, 64), np.uint8), np.zeros(2, np.int32), ["木", "人", "☀"], np.arange(2), ROWS, ""
    )
    mixed = written(material, 64, 3, silent)
    assert sorted(mixed.targets[mixed.rehearsal]) == [0, 1] and (mixed.targets[mixed.validation] < 2).all()
    assert np.array_equal(mixed.pack[mixed.rehearsal], written(material, 64, 3, silent).pack[mixed.rehearsal])
    with pytest.raises(TrainingError, match="writes nothing that this model knows"):
        written(replace(material, labels=["☀", "☂"]), 64, 3, silent)
    with pytest.raises(TrainingError, match="64 px pictures, this model sees 48 px"):
        written(material, 48, 3, silent)


def test_a_class_of_pictures_that_would_be_held_out_is_learned_where_nothing_is(
    workspace: Workspace, tmp_path: Path
) -> None:
    """It had no output, and its pictures taught the last class."""
    write_collection(tmp_path / "given" / "train", "人木", 4)
    write_collection(tmp_path / "given" / "val", "木口", 2)
    dataset = import_dataset(workspace, ImportConfig(location=tmp_path / "given", name="given"), silent)
    held_out = gather(dataset, "default", 32, silent, ["木", "火"])
    assert held_out.labels == ["木", "火", "人"] and len(held_out.train) == 6
    material = gather(dataset, "default", 32, silent, ["木", "火"], hold_out=False)
    assert material.labels == ["木", "火", "人", "口"]
    assert len(material.train) == 12 and not len(material.validation) and material.rehearse_all
    assert sorted(set(material.targets[material.train])) == [0, 2, 3]
    assert material.split_digest == held_out.split_digest, "the split is the same"


def test_a_model_that_is_to_learn_nothing_is_told_so(workspace: Workspace, tmp_path: Path) -> None:
    """It was an unexpected fault: the classes of the model are there without any picture."""
    make_dataset(workspace, tmp_path / "three")
    dataset = Dataset.find(workspace, "three")
    dataset.exclude([], list(dataset.manifest()["path"]))
    for hold_out in (True, False):
        with pytest.raises(TrainingError, match="“three” has no picture to learn from"):
            gather(dataset, "default", 32, silent, ["木", "火"], hold_out=hold_out)


def test_a_class_whose_name_no_model_can_hold_is_refused_before_training(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "given", "人木", 3)
    (folder / "木").rename(folder / ("pictures that still have to be sorted, " * 2))
    dataset = import_dataset(workspace, ImportConfig(location=tmp_path / "given", name="given"), silent)
    with pytest.raises(TrainingError, match="“pictures that still have to be sorted, p…” has more than 64 signs"):
        gather(dataset, "default", 32, silent)


def test_what_is_gone_over_is_divided_as_when_it_was_learned(workspace: Workspace, tmp_path: Path) -> None:
    """By the split of the usual name the model was taught its own test; without one of that name it could not learn."""
    make_dataset(workspace, tmp_path / "three")
    pictures = write_collection(tmp_path / "old", "人木口", 20)
    old = import_dataset(workspace, ImportConfig(location=pictures, name="old"), silent)
    old.split(SplitSettings(name="mine", validation=0.2, test=0.3, seed=5))
    make_model(workspace, Network.CNN, dataset="old", split="mine")
    config = fine_tuning(workspace, "small", "three").model_copy(update={"epochs": 1})
    job = Job.create(workspace, "train", config.model_dump(mode="json"), "learns", ["cpu"])
    result = train(Work(job), workspace, config)
    material = open_material(Work(job), workspace, config)
    first = len(Dataset.find(workspace, "three").manifest())
    assert set(material.rehearsal) == set(first + part_rows(old.parts("mine"), Part.TRAIN))
    assert set(material.validation) == set(first + part_rows(old.parts("mine"), Part.VALIDATION))
    assert (result["rehearsal_split"], result["rehearsal_digest"]) == ("mine", split_digest(old.parts("mine")))
    other = Card(name="other", network="cnn", created=0)
    assert split_gone_over(old, other) == "default"
    old.delete_split("default")
    assert split_gone_over(old, other) == "mine", "the only one"


@pytest.mark.usefixtures("quick_hand")
def test_a_group_that_is_stopped_leaves_a_bundle_though_it_must_write_again_what_it_went_over(
    corrected: Workspace, finished_run: Job
) -> None:
    config = TrainingConfig(
        dataset="fixes", rehearsal=SIMULATED_HAND, start=Start.BUNDLE, start_bundle=finished_run.id, epochs=1
    )
    job = Job.create(corrected, "train", config.model_dump(mode="json"), "stopped", ["cpu"])
    fit(corrected, job).save()  # what the ranks of a group leave
    job.request_stop()
    export_best(Work(job), corrected, config)
    assert "川" in Bundle.open(bundle_folder(job)).labels


def test_what_a_model_was_trained_on_must_be_there_or_named(corrected: Workspace, finished_run: Job) -> None:
    shutil.rmtree(corrected.datasets / "ten")
    with pytest.raises(TrainingError, match="name another to rehearse with"):
        fine_tuning(corrected, finished_run.id, "fixes")


def test_what_is_learned_whole_is_not_gone_over(workspace: Workspace, tmp_path: Path) -> None:
    """It was validated on what it learned, and so was perfect."""
    make_dataset(workspace, tmp_path / "three")
    with pytest.raises(TrainingError, match="import what is new as a dataset of its own"):
        fine_tuning(workspace, "builtin", "three", "three")
    values = {**CORRECTING, "dataset": "three", "start_bundle": "builtin", "rehearsal": "three"}
    with pytest.raises(TrainingError, match="“three” cannot be learned whole and gone over at once"):
        checked(workspace, values)
    assert checked(workspace, {**values, "keep_last": False}).rehearsal == "three", "then it holds pictures out"


def recalled(workspace: Workspace, name: str, bundle: Bundle) -> float:
    """The share of a whole dataset that the model reads right."""
    from hanzi_core.dataset import open_pack

    dataset = Dataset.find(workspace, name)
    pack = open_pack(dataset, silent, bundle.card.image_size_px)
    found = bundle.load().predict(pack[np.arange(len(pack))])
    answers = [bundle.labels[index] for index in found.probabilities.argmax(axis=1)]
    return float(np.mean([one == other for one, other in zip(answers, dataset.manifest()["label"], strict=True)]))


def test_a_dataset_that_shares_nothing_cannot_be_rehearsed_with(
    corrected: Workspace, finished_run: Job, tmp_path: Path
) -> None:
    pictures = write_collection(tmp_path / "alien", "人木", 4)
    for number, folder in enumerate(sorted(pictures.iterdir())):
        folder.rename(pictures / f"外{number}")
    import_dataset(corrected, ImportConfig(location=pictures, name="alien"), silent)
    config = TrainingConfig(dataset="fixes", rehearsal="alien", start="bundle", start_bundle=finished_run.id)
    work = Work(Job.create(corrected, "train", config.model_dump(mode="json"), "x", ["cpu"]))
    with pytest.raises(TrainingError, match="“alien” has no picture of anything that the model knows"):
        open_material(work, corrected, config)
