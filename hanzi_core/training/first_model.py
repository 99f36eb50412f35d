"""The network with its first weights: at random, from a bundle of ours, or from a file of ImageNet weights."""

from pathlib import Path

import keras

from hanzi_core.bundle import WEIGHTS, Bundle
from hanzi_core.errors import TrainingError
from hanzi_core.language import mark
from hanzi_core.training.architectures import BACKBONE, build
from hanzi_core.training.config import Start, TrainingConfig
from hanzi_core.training.start import start_bundle
from hanzi_core.workspace import Workspace

HEAD = "logits"
"""The last layer of every network of ours."""


def first_model(workspace: Workspace, config: TrainingConfig, labels: list[str]) -> keras.Model:
    """The network of the run before its first step.

    Raises:
        TrainingError: the weights cannot be read or do not fit; never a silent random start.
        BundleError: they are not those that the bundle was packaged with.
    """
    bundle = start_bundle(workspace, config)
    if bundle:
        model = _from_bundle(bundle, labels)
        if config.keep_last:
            _hold_body(model)
        return model
    model = build(config.network, config.image_size_px, len(labels), config.dropout)
    if config.start is Start.IMAGENET and config.start_file:
        _load_backbone(model, config.start_file)
    return model


def _from_bundle(bundle: Bundle, labels: list[str]) -> keras.Model:
    """Body and embedding of the bundle; the head keeps what it knows of classes that stay, the others are new.

    All of it may learn: a model that was fine-tuned was saved with its body held.
    """
    weights = bundle.file(WEIGHTS)
    try:
        old = keras.models.load_model(weights, compile=False, safe_mode=True)
        embedding, head = old.output["embedding"], old.get_layer(HEAD)
    except Exception as error:  # Keras raises ValueError, TypeError, OSError and more on broken files
        raise TrainingError(
            mark("The weights of the model “{name}” are damaged: choose another."), name=bundle.name
        ) from error
    logits = keras.layers.Dense(len(labels), name=HEAD, dtype="float32")
    model = keras.Model(old.input, {"logits": logits(head.input), "embedding": embedding}, name=old.name)
    for layer in model.layers:  # of the model itself it is true already, and set again it reaches no layer
        layer.trainable = True
    kernel, bias = logits.get_weights()
    old_kernel, old_bias = head.get_weights()
    for index, label in enumerate(labels):
        if (known := bundle.index.get(label)) is not None:
            kernel[:, index], bias[index] = old_kernel[:, known], old_bias[known]
    logits.set_weights([kernel, bias])
    return model


def _hold_body(model: keras.Model) -> None:
    """Let the last layer alone learn: a handful of pictures would blur what the others have from millions."""
    for layer in model.layers:
        layer.trainable = layer.name == HEAD


def _load_backbone(model: keras.Model, path: Path) -> None:
    try:
        model.get_layer(BACKBONE).load_weights(path)
    except Exception as error:  # h5py and Keras have a dozen ways to say so
        raise TrainingError(
            mark("{path} does not hold ImageNet weights of {network} without its top: give another file."),
            path=path,
            network=model.name,
        ) from error
