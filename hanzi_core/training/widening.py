"""More classes for the built-in model: characters that the stroke library lacks, as free fonts draw them.

The last layer alone learns: what the network sees of a character is described well enough by a body that knows ten
thousand others, and the classes that are there stay as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from hanzi_core.bundle import Bundle
from hanzi_core.errors import TrainingError
from hanzi_core.language import mark
from hanzi_core.strokes.font_shapes import FontShapes
from hanzi_core.training.builtin import built_in_model
from hanzi_core.training.builtin_bundle import HeldOut, Story, write
from hanzi_core.training.simulation import Simulator, font_picture

_SEED = 2_000_000_033
_CHUNK = 2048
_BATCH = 512
_EPOCHS = 4
_LEARNING_RATE = 2e-2
_RESTRAINT = 1e-2
"""Of the mean squared length of the new classes' weights, as their share of the loss counts."""


@dataclass(frozen=True)
class Further:
    """Characters to learn, and their shapes."""

    characters: Sequence[str]
    shapes: FontShapes
    """Made for these characters, in this order."""
    per_class: int = 150
    """Pictures to learn each from; as many in all are written of the characters that are known."""


def widen(bundle: Path, further: Further, simulator: Simulator, held_out: HeldOut, folder: Path) -> dict[str, float]:
    """Write the bundle that reads the ``further`` characters too to ``folder``, and return the figures in its card.

    Raises:
        HanziError: ``bundle`` is no built-in model, it knows one of the characters, or no font draws one.
    """
    known = Bundle.open(bundle)
    _check(known.labels, further)
    model = built_in_model(bundle)
    rng = np.random.default_rng(_SEED)
    lessons = _lessons(model, len(known.labels), further, simulator, rng)
    wide = with_classes(model, *_learn(model, lessons, len(further.characters)))
    story = Story.of(known.card)
    told = f" {len(further.characters):,} further characters as free fonts draw them, by the last layer alone."
    labels = [*known.labels, *further.characters]
    return write(wide, labels, replace(story, notes=story.notes + told), held_out, folder)


def with_classes(model: keras.Model, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> keras.Model:
    """``model`` with further classes behind its own.

    Args:
        model: Outputs ``logits`` and ``embedding``.
        kernel: ``(embedding, further)``.
        bias: ``(further,)``.
    """
    embedding = model.get_layer("embedding").output
    old_kernel, old_bias = model.get_layer("logits").get_weights()
    last = layers.Dense(len(old_bias) + len(bias), name="logits", dtype="float32")
    wide = keras.Model(model.input, {"logits": last(embedding), "embedding": embedding}, name=model.name)
    last.set_weights([np.concatenate([old_kernel, kernel], axis=1), np.concatenate([old_bias, bias])])
    return wide


def _check(known: Sequence[str], further: Further) -> None:
    if both := sorted(set(further.characters).intersection(known)):
        raise TrainingError(mark("The model knows {characters} already: leave them out."), characters="".join(both))
    undrawn = np.flatnonzero(~further.shapes.drawn)
    if len(undrawn):
        missing = "".join(further.characters[place] for place in undrawn.tolist())
        raise TrainingError(mark("No font draws {characters}: leave them out."), characters=missing)


def _lessons(
    model: keras.Model, known: int, further: Further, simulator: Simulator, rng: np.random.Generator
) -> tuple[NDArray[np.float16], NDArray[np.int32]]:
    """What the body makes of as many pictures of known characters as of further ones, and their classes.

    Of the known ones each is as frequent as any other: rare ones are the most like those that are to be learned.
    """
    body = keras.Model(model.input, model.output["embedding"])
    stroke_count = int(np.median(simulator.stroke_counts))
    embeddings, labels = [], []
    places = rng.permutation(np.tile(np.arange(len(further.characters), dtype=np.int32), further.per_class))
    for begin in range(0, len(places), _CHUNK):
        part = places[begin : begin + _CHUNK]
        styles = simulator.styles(len(part), rng)
        new = [
            font_picture(further.shapes, int(place), stroke_count, style, rng)
            for place, style in zip(part, styles, strict=True)
        ]
        old_labels = rng.integers(len(simulator.weights), size=len(part), dtype=np.int32)
        pictures = np.concatenate([np.stack(new), simulator.write(old_labels, rng)])[..., np.newaxis]
        embeddings.append(body.predict(pictures, batch_size=256, verbose=0).astype(np.float16))
        labels += [part + known, old_labels]
    return np.concatenate(embeddings), np.concatenate(labels).astype(np.int32)


def _learn(
    model: keras.Model, lessons: tuple[NDArray[np.float16], NDArray[np.int32]], count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias of ``count`` new classes beside the old, which stay.

    Every class counts alike, whether it is new or not: none is preferred that people write no more often.
    """
    embeddings, labels = lessons
    kernel, bias = model.get_layer("logits").get_weights()
    share = count / (count + len(bias))
    weights = np.where(labels >= len(bias), 2 * share, 2 * (1 - share)).astype(np.float32)
    seen = keras.Input((embeddings.shape[1],))
    old = layers.Dense(len(bias), trainable=False)
    new = layers.Dense(
        count,
        kernel_initializer="zeros",
        bias_initializer=keras.initializers.Constant(float(bias.mean()) - 3),
        kernel_regularizer=keras.regularizers.L2(_RESTRAINT * share / count),
    )
    head = keras.Model(seen, layers.Concatenate()([old(seen), new(seen)]))
    old.set_weights([kernel, bias])
    steps = _EPOCHS * -(-len(labels) // _BATCH)
    rate = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    head.compile(keras.optimizers.Adam(rate), loss)
    keras.utils.set_random_seed(_SEED)
    head.fit(embeddings, labels, batch_size=_BATCH, epochs=_EPOCHS, sample_weight=weights, verbose=2)
    return tuple(new.get_weights())
