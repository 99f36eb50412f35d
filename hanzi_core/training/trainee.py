"""The network of a run, ready to be trained: with its augmentation, loss and optimiser, on one GPU or on several."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from hanzi_core.bundle import Bundle, Card
from hanzi_core.jobs.devices import CPU
from hanzi_core.training.anchor import Anchor
from hanzi_core.training.architectures import build
from hanzi_core.training.config import Start, TrainingConfig
from hanzi_core.training.distortion import Distortion
from hanzi_core.training.first_model import HEAD, first_model
from hanzi_core.training.input import Batches, Material, batch_count
from hanzi_core.training.memory import check_memory
from hanzi_core.training.objective import SmoothedCrossentropy, optimiser
from hanzi_core.training.precision import policy, scaled
from hanzi_core.training.start import start_bundle
from hanzi_core.workspace import Workspace

_CHUNK = 256
_RIVALS = 10
"""Likeliest answers to a picture, which may have to give way: with the first alone a new character was not learned."""


@dataclass(frozen=True)
class Trainee:
    """What is trained, and the part of it that is kept."""

    whole: keras.Model
    """Augmentation, then logits; compiled."""
    model: keras.Model
    """Logits and embedding."""
    before: Card | None
    """Of the bundle that it began as."""


def prepare_trainee(
    workspace: Workspace, config: TrainingConfig, material: Material, devices: Sequence[str], processes: int = 1
) -> Trainee:
    """Build and compile, down to the last variable of the optimiser.

    Raises:
        TrainingError: the first weights cannot be had, or a batch cannot fit into memory.
    """
    batch_size = min(config.batch_size, material.pictures_per_epoch)
    began_as = start_bundle(workspace, config)
    steps = config.epochs * batch_count(material.pictures_per_epoch, batch_size, processes)
    with _strategy(devices):
        dtype = policy(config.precision)
        keras.mixed_precision.set_global_policy(dtype)
        model = first_model(workspace, config, material.labels)
        keras.mixed_precision.set_global_policy("float32")
        check_memory(model, batch_size // max(1, len(devices)) // processes, devices)
        logits = model.output[HEAD]
        if began_as and config.keep_last:
            head = model.get_layer(HEAD)
            kernel, bias = head.get_weights()
            logits = Anchor(kernel, bias, concerned(began_as, material))(head.input, logits)
        answering = keras.Model(model.input, logits)
        whole = keras.Sequential([Distortion(config.augmentation, config.seed), answering])
        whole.compile(
            scaled(optimiser(config, steps), dtype),
            SmoothedCrossentropy(config.label_smoothing),
            metrics=[
                keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
                keras.metrics.SparseTopKCategoricalAccuracy(min(5, len(material.labels)), name="top_5"),
            ],
        )
        whole._symbolic_build(data_batch=Batches(material, material.train, 2)[0])
    return Trainee(whole, model, began_as.card if began_as else None)


def concerned(bundle: Bundle, material: Material) -> NDArray[np.bool_]:
    """``(classes,)``: those that are to be learned, and for the new among them those that their pictures are taken for.

    What ``bundle`` knows can rise by itself; a class that is new to it needs room, which the likeliest answers give up.
    """
    targets = material.targets[material.train]
    found = np.zeros(len(material.labels), np.bool_)
    found[targets] = True
    new = material.train[targets >= len(bundle.labels)]
    if not len(new):
        return found
    model = bundle.load(threads=2)
    for begin in range(0, len(new), _CHUNK):
        answers = model.predict(material.pack[new[begin : begin + _CHUNK]]).probabilities
        found[np.argsort(answers, axis=1)[:, -_RIVALS:]] = True
    return found


def _strategy(devices: Sequence[str]) -> contextlib.AbstractContextManager:
    """Several GPUs of one machine share each batch (``MirroredStrategy``)."""
    if len([key for key in devices if key != CPU]) < 2:
        return contextlib.nullcontext()
    import tensorflow as tf

    return tf.distribute.MirroredStrategy().scope()


def in_float32(config: TrainingConfig, model: keras.Model, classes: int) -> keras.Model:
    """The same network with the same weights in numbers of 32 bits throughout, as it is served.

    A network that began as a bundle is in 32 bits already.
    """
    if config.start is Start.BUNDLE or policy(config.precision) == "float32":
        return model
    plain = build(config.network, config.image_size_px, classes, config.dropout)
    plain.set_weights(model.get_weights())
    return plain
