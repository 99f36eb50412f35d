"""A run: from a dataset and a configuration to a model bundle."""

import errno
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from hanzi_core.bundle import Bundle, Card, bundle_folder, write_card
from hanzi_core.dataset import Dataset
from hanzi_core.dataset.scan import Report
from hanzi_core.errors import TrainingError
from hanzi_core.jobs import Job, Stopped, Work
from hanzi_core.jobs.devices import CPU, vanished
from hanzi_core.language import mark
from hanzi_core.training.builtin_network import IMAGES_SEEN, IMAGES_TAUGHT
from hanzi_core.training.calibration import calibrated
from hanzi_core.training.config import SIMULATED_HAND, TrainingConfig
from hanzi_core.training.distributed import Rank
from hanzi_core.training.events import write_graph
from hanzi_core.training.export import write_bundle
from hanzi_core.training.first_model import HEAD
from hanzi_core.training.fitting import Fitting
from hanzi_core.training.input import Batches, Material, gather
from hanzi_core.training.memory import available_bytes, needed_bytes, too_large
from hanzi_core.training.precision import prepare
from hanzi_core.training.rehearsal import rehearsed, split_gone_over, written
from hanzi_core.training.start import check_start, image_size_px, start_bundle, trained_name
from hanzi_core.training.trainee import Trainee, in_float32, prepare_trainee
from hanzi_core.workspace import FULL_DISK, Workspace, no_space

EXPORTING = mark("Writing the model bundle")
PREPARING = mark("Building the network")


def train(work: Work, workspace: Workspace, config: TrainingConfig) -> dict[str, Any]:
    """Train as ``config`` says, from the newest checkpoint in the job's folder if there is one.

    The best weights are left as a model bundle in the folder, also by a run that is stopped, runs out of time, or
    whose loss goes astray.

    Returns:
        The result of the job: epochs, best validation accuracy and its epoch, seconds, parameters.

    Raises:
        HanziError: dataset or settings cannot be trained on; the loss is no longer a number; memory is not enough.
        Stopped: it was asked to stop before the first epoch was complete; its checkpoint is there.
    """
    material = open_material(work, workspace, config)
    work.progress(PREPARING, 0, 1)
    prepare(work.job.devices, config.seed)
    trainee = build_trainee(workspace, config, material, work.job.devices)
    fitting = Fitting(work, config, material, trainee.model, trainee.whole)
    with steps_explained(trainee, config.batch_size, work.job), full_disk_explained(work.job):
        fitting.run()
    return _leave_bundle(work, config, fitting, material, trainee)


def train_rank(work: Work, workspace: Workspace, config: TrainingConfig, rank: Rank) -> None:
    """The part of one process in a group; rank 0 leaves checkpoints and the best weights in the job's folder.

    Raises:
        HanziError: as :func:`train`.
    """
    material = open_material(work, workspace, config)
    device = rank.device(work.job.devices, config.hosts)
    prepare(device, config.seed)
    trainee = build_trainee(workspace, config, material, device, rank.count)
    share = (rank.number, rank.count)
    fitting = Fitting(work, config, material, trainee.model, trainee.whole, share=share)
    with steps_explained(trainee, config.batch_size, work.job), full_disk_explained(work.job):
        fitting.run()
    fitting.save()
    if fitting.fault:
        raise fitting.fault


def export_best(
    work: Work, workspace: Workspace, config: TrainingConfig, fault: TrainingError | None = None
) -> dict[str, Any]:
    """Write the best weights that a group of processes has left as a model bundle.

    Raises:
        TrainingError: ``fault``, by which the group ended.
        Stopped: the group was stopped before its first epoch was complete.
    """
    material = open_material(work, workspace, config, work.progress)  # also where it was asked to stop
    trainee = build_trainee(workspace, config, material, (CPU,))
    fitting = Fitting(work, config, material, trainee.model, trainee.whole)
    write_graph(work.folder / "events", trainee.whole)  # the ranks had none
    fitting.look_back()
    fitting.fault = fault
    return _leave_bundle(work, config, fitting, material, trainee)


def _leave_bundle(
    work: Work, config: TrainingConfig, fitting: Fitting, material: Material, trainee: Trainee
) -> dict[str, Any]:
    """Write the best weights as a model bundle, however the training ended."""
    if not fitting.restore_best():
        raise fitting.fault or Stopped
    if work.stopping():
        work.let_go()  # a large network takes a minute to write
    work.write_out()
    result = _result(fitting, material, trainee)
    with full_disk_explained(work.job):
        _export(work, config, trainee, material, result)
    if fitting.fault:
        work.job.write_result(result)
        raise fitting.fault
    return result


def open_material(work: Work, workspace: Workspace, config: TrainingConfig, report: Report | None = None) -> Material:
    """The pictures of the run, packed now if they were not.

    Args:
        work: Of the run.
        workspace: Where the dataset is.
        config: Of the run.
        report: Hears how far it is; else the work's own, by which a request to stop ends it.

    Raises:
        HanziError: the dataset cannot be trained on, or the first weights cannot be had.
    """
    report = report or work.report
    check_start(workspace, config)
    size = image_size_px(workspace, config)
    bundle = start_bundle(workspace, config) if config.rehearsal else None
    dataset = Dataset.find(workspace, config.dataset)
    known_labels = bundle.labels if bundle else ()
    material = gather(dataset, config.split, size, report, known_labels, hold_out=not config.keep_last)
    if config.rehearsal == SIMULATED_HAND:
        material = written(material, size, config.seed, report)
    elif config.rehearsal and bundle:
        known = Dataset.find(workspace, config.rehearsal)
        material = rehearsed(material, known, split_gone_over(known, bundle.card), size, report)
    if not len(material.validation):
        raise TrainingError(
            mark("The split “{split}” of “{name}” has nothing to validate on: split it with a larger share."),
            split=config.split,
            name=dataset.name,
        )
    return material


def build_trainee(
    workspace: Workspace, config: TrainingConfig, material: Material, devices: Sequence[str], processes: int = 1
) -> Trainee:
    """What is trained, ready for its first step.

    Raises:
        TrainingError: memory is not even enough for that, or as :func:`prepare_trainee`.
    """
    try:
        return prepare_trainee(workspace, config, material, devices, processes)
    except Exception as error:
        if not ran_out_of_memory(error):
            raise
        raise TrainingError(
            mark("The memory is not enough for {network} at {size} px: choose a smaller network or smaller pictures."),
            network=trained_name(workspace, config),
            size=image_size_px(workspace, config),
        ) from error


@contextmanager
def steps_explained(trainee: Trainee, batch_size: int, job: Job) -> Iterator[None]:
    """Take steps, and say in a sentence where memory ran out all the same, or a GPU went away.

    Raises:
        TrainingError: one of the two.
    """
    try:
        yield
    except Exception as error:
        if ran_out_of_memory(error):
            needed = needed_bytes(trainee.model, batch_size)
            raise too_large(batch_size, needed, available_bytes(job.devices), max(2, batch_size // 2)) from error
        if lost := vanished(job.devices):
            raise TrainingError(
                mark(
                    "{devices} has vanished from under the run: “python -m hanzi_core doctor” says more; then resume."
                ),
                devices=", ".join(lost),
            ) from error
        raise


@contextmanager
def full_disk_explained(job: Job) -> Iterator[None]:
    """Say in a sentence where TensorFlow had no space to write, which it calls as it calls a lack of memory.

    Raises:
        WorkspaceError: the disk is full.
    """
    try:
        yield
    except Exception as error:
        if any(os.strerror(number) in str(error) for number in FULL_DISK):
            raise no_space(job.folder) from error
        raise


def ran_out_of_memory(error: Exception) -> bool:
    """Whether TensorFlow, JAX or Python could not get the memory that it asked for."""
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"ResourceExhaustedError", "MemoryError"}) or "RESOURCE_EXHAUSTED" in str(error)


def _result(fitting: Fitting, material: Material, trainee: Trainee) -> dict[str, Any]:
    return {
        "epochs": fitting.position.epoch,
        "best_epoch": fitting.best.epoch,
        "validation_accuracy": fitting.best.accuracy,
        "seconds": round(fitting.elapsed_s(), 1),
        "parameters": int(trainee.model.count_params()),
        "classes": len(material.labels),
        "split_digest": material.split_digest,
        **_gone_over(material),
        **(_learned(trainee, material, fitting.validation_batch_size) if material.rehearse_all else {}),
    }


def _gone_over(material: Material) -> dict[str, str]:
    """By which split of the dataset that it rehearsed with, as that was."""
    if not material.rehearsal_split:
        return {}
    return {"rehearsal_split": material.rehearsal_split, "rehearsal_digest": material.rehearsal_digest}


def _learned(trainee: Trainee, material: Material, batch_size: int) -> dict[str, int]:
    """Of what was to be learned, how much is read right now."""
    pictures = Batches(material, material.train, batch_size)
    found = trainee.model.predict(pictures, verbose=0)[HEAD].argmax(axis=1)
    return {"to_learn": len(found), "learned": int(np.sum(found == material.targets[material.train]))}


def _export(work: Work, config: TrainingConfig, trainee: Trainee, material: Material, result: dict[str, Any]) -> None:
    work.progress(EXPORTING, 0, 1)
    model = in_float32(config, trainee.model, len(material.labels))
    card = _card(work.job, config, model, result)
    folder = bundle_folder(work.job)
    if config.rehearsal and trainee.before:
        card = _further(card, trainee.before, material)
    if config.keep_last and trainee.before:
        write_bundle(model, _still(card, trainee.before), material.labels, folder)
    else:
        write_bundle(model, card, material.labels, folder)
        write_card(folder, calibrated(Bundle.open(folder), material))
    work.progress(EXPORTING, 1, 1)


def _further(card: Card, before: Card, material: Material) -> Card:
    """A model that has forgotten nothing is to rehearse with the same as before when it learns more."""
    classes = len(np.unique(material.targets[material.train]))
    lesson = f"Fine-tuned on {len(material.train):,} pictures of {classes:,} classes of “{card.dataset}”."
    metrics = {name: value for name, value in before.metrics.items() if name in (IMAGES_SEEN, IMAGES_TAUGHT)}
    changed = {"notes": f"{before.notes} {lesson}".strip(), "metrics": metrics | card.metrics}
    return card.model_copy(update={"dataset": before.dataset, "split": before.split} | changed)


def _still(card: Card, before: Card) -> Card:
    """A model that answers as before is as sure as it was."""
    kept = ("temperature", "least_evidence", "taught_likeness")
    return card.model_copy(update={name: getattr(before, name) for name in kept})


def _card(job: Job, config: TrainingConfig, model: Any, result: dict[str, Any]) -> Card:
    return Card(
        name=job.title,
        network=model.name,
        created=time.time(),
        image_size_px=model.input_shape[1],
        dataset=config.dataset,
        split=config.split,
        metrics={"validation_accuracy": result["validation_accuracy"]},
    )
