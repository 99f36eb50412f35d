"""A run: from a dataset and a configuration to a model bundle."""

import time
from typing import Any

import keras

from hanzi_core.bundle import Card, bundle_folder
from hanzi_core.dataset import Dataset
from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.jobs import Job, Work
from hanzi_core.language import mark
from hanzi_core.training.architectures import build
from hanzi_core.training.config import TrainingConfig
from hanzi_core.training.distortion import Distortion
from hanzi_core.training.export import write_bundle
from hanzi_core.training.input import Batches, Material, gather
from hanzi_core.training.objective import SmoothedCrossentropy, optimiser
from hanzi_core.training.reporting import Reporter
from hanzi_core.workspace import Workspace

EXPORTING = mark("Writing the model bundle")


def train(work: Work, workspace: Workspace, config: TrainingConfig) -> dict[str, Any]:
    """Train as ``config`` says, and leave the best weights as a model bundle in the job's folder.

    A run that is stopped, or that runs out of time, leaves the best that it had.

    Returns:
        The result of the job: epochs, best validation accuracy and its epoch, seconds, parameters.

    Raises:
        HanziError: dataset or settings cannot be trained on; the loss is no longer a number.
        Stopped: it was asked to stop; the bundle is there if an epoch was complete.
    """

    def report(phase: str, done: int, total: int) -> None:
        work.check()
        work.progress(phase, done, total)

    keras.utils.set_random_seed(config.seed)
    dataset = Dataset.find(workspace, config.dataset)
    material = gather(dataset, config.split, IMAGE_SIZE_PX, report)
    model = build(config.network, IMAGE_SIZE_PX, len(material.labels))
    result = _fit(work, config, material, model)
    work.progress(EXPORTING, 0, 1)
    card = _card(work.job, config, result)
    write_bundle(model, card, material.labels, bundle_folder(work.job))
    work.progress(EXPORTING, 1, 1)
    return result


def _fit(work: Work, config: TrainingConfig, material: Material, model: keras.Model) -> dict[str, Any]:
    """Train ``model`` in place, end with the best weights in it, and tell what was reached."""
    batches = Batches(material, material.train, config.batch_size, config.seed)
    validation = Batches(material, material.validation, 256, None)
    trainee = keras.Sequential([Distortion(config.augmentation, config.seed), _logits(model)])
    trainee.compile(
        optimiser(config, config.epochs * len(batches)),
        SmoothedCrossentropy(config.label_smoothing),
        metrics=[
            keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
            keras.metrics.SparseTopKCategoricalAccuracy(5, name="top_5"),
        ],
    )
    reporter = Reporter(
        work,
        epochs=config.epochs,
        steps_per_epoch=len(batches),
        images_per_epoch=len(material.train),
        time_limit_s=None if config.time_limit_min is None else config.time_limit_min * 60,
    )
    best = keras.callbacks.ModelCheckpoint(
        work.folder / "best.weights.h5", monitor="val_accuracy", mode="max", save_best_only=True, save_weights_only=True
    )
    order = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _logs: batches.begin_epoch(epoch))
    started = time.monotonic()
    fitted = trainee.fit(
        batches,
        validation_data=validation,
        epochs=config.epochs,
        callbacks=[order, reporter, best],
        shuffle=False,
        verbose=0,
    )
    trainee.load_weights(work.folder / "best.weights.h5")
    accuracies = fitted.history["val_accuracy"]
    return {
        "epochs": len(accuracies),
        "best_epoch": int(max(range(len(accuracies)), key=accuracies.__getitem__)) + 1,
        "validation_accuracy": float(max(accuracies)),
        "seconds": round(time.monotonic() - started, 1),
        "parameters": int(model.count_params()),
        "classes": len(material.labels),
        "split_digest": material.split_digest,
        "stopped": work.stopping(),
    }


def _logits(model: keras.Model) -> keras.Model:
    return keras.Model(model.input, model.output["logits"])


def _card(job: Job, config: TrainingConfig, result: dict[str, Any]) -> Card:
    return Card(
        name=job.title,
        network=config.network.value,
        created=time.time(),
        dataset=config.dataset,
        split=config.split,
        metrics={"validation_accuracy": result["validation_accuracy"]},
    )
