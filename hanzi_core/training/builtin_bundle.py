"""From a checkpoint of the built-in model to its bundle: calibrated, quantised, and measured on hands it never saw."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from hanzi_core.bundle import BUILT_IN_NAME, WEIGHTS, Bundle, Card, write_card
from hanzi_core.errors import TrainingError
from hanzi_core.language import mark
from hanzi_core.strokes.character_sets import bare_components
from hanzi_core.strokes.font_shapes import SOURCES
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.training.builtin import State, built_in_model
from hanzi_core.training.builtin_network import IMAGES_SEEN, IMAGES_TAUGHT, NETWORK, average
from hanzi_core.training.calibration import best_temperature
from hanzi_core.training.config import NO_DATASET
from hanzi_core.training.export import write_bundle
from hanzi_core.training.simulation import FONT_SHARE, Simulator

HELD_OUT_SEED = 2_000_000_011
"""No shard is drawn from it."""

COMPONENT_PENALTY = 4.0
"""In nats: a bare component must be 55 times as probable as a character to be put before it."""


@dataclass(frozen=True)
class Story:
    """What is known of a model's weights before it is measured."""

    seen: dict[str, float]
    """Figures of the card: how many pictures they have learned from."""
    notes: str

    @classmethod
    def of(cls, card: Card) -> "Story":
        """As a card tells it."""
        return cls({name: card.metrics.get(name, 0.0) for name in (IMAGES_SEEN, IMAGES_TAUGHT)}, card.notes)


@dataclass(frozen=True)
class HeldOut:
    """Simulated pictures that no training has seen."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]

    @classmethod
    def draw(cls, simulator: Simulator, count: int) -> "HeldOut":
        """Always the same ``count`` pictures for the same simulator."""
        return cls(*simulator.images(count, np.random.default_rng(HELD_OUT_SEED)))


def package(model: keras.Model, state: State, held_out: HeldOut, folder: Path) -> dict[str, float]:
    """Write the bundle of ``model``, trained as ``state`` tells, to ``folder`` and return the figures in its card."""
    doubt_bare_components(model)
    seen = {IMAGES_SEEN: float(state.images), IMAGES_TAUGHT: float(state.taught)}
    return write(model, StrokeLibrary.load().characters, Story(seen, _notes(state)), held_out, folder)


def package_again(bundles: Sequence[Path], held_out: HeldOut, folder: Path) -> dict[str, float]:
    """The same from ``bundles`` instead of a checkpoint: the mean of their weights, with the story of the first.

    So a built-in model that was fine-tuned, which is served in floating point, becomes small and quick again.

    Raises:
        HanziError: one of them is no built-in model, or has another number of blocks.
    """
    try:
        model = average([built_in_model(bundle) for bundle in bundles])
    except ValueError as error:
        raise TrainingError(mark("These models are built in different ways: they have no mean.")) from error
    first = Bundle.open(bundles[0])
    story = Story.of(first.card)
    if len(bundles) > 1:
        story = replace(story, notes=f"{story.notes} Mean of {len(bundles)} models: it and those before.")
    return write(model, first.labels, story, held_out, folder)


def write(model: keras.Model, labels: Sequence[str], story: Story, held_out: HeldOut, folder: Path) -> dict[str, float]:
    """Write ``model`` as the bundle ``folder``: calibrated, in 8 bits, with its figures, which are returned.

    Args:
        model: As :func:`build_builtin` builds it.
        labels: Its classes; those of the stroke library first.
        story: What the card tells of its weights.
        held_out: What it is calibrated and measured on.
        folder: Replaced if it is there.
    """
    model.set_weights([shorten(weight) for weight in model.get_weights()])
    logits = model.predict(held_out.images[..., np.newaxis], batch_size=256, verbose=0)["logits"]
    card = Card(
        name=BUILT_IN_NAME,
        network=NETWORK,
        created=time.time(),
        temperature=best_temperature(logits, held_out.labels),
        dataset=NO_DATASET,
        notes=story.notes,
    )
    write_bundle(model, card, labels, folder, quantise=True)
    metrics = story.seen | {f"float_{name}": value for name, value in accuracy(logits, held_out.labels).items()}
    metrics |= evaluate(folder, held_out)
    write_card(folder, Bundle.open(folder).card.model_copy(update={"metrics": metrics}))
    return metrics


def shorten(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """``weight`` rounded to 12 significant bits, as good as 16-bit numbers: deflated, it takes less room."""
    dropped = np.uint32(12)
    bits = np.ascontiguousarray(weight, np.float32).view(np.uint32)
    return ((bits + (np.uint32(1) << (dropped - 1))) >> dropped << dropped).view(np.float32)


def doubt_bare_components(model: keras.Model) -> None:
    """Take :data:`COMPONENT_PENALTY` from the logits of radicals that are hardly ever written by themselves.

    The simulated hand writes 囗 as often as any rare character, and it looks like 口; people mean 口.
    """
    kernel, bias = model.get_layer("logits").get_weights()
    bias[[StrokeLibrary.load().index(character) for character in bare_components()]] -= COMPONENT_PENALTY
    model.get_layer("logits").set_weights([kernel, bias])


def evaluate(folder: Path, held_out: HeldOut) -> dict[str, float]:
    """Accuracy of a bundle on ``held_out``, as it is served."""
    model = Bundle.open(folder).load(threads=2)
    parts = [model.predict(part).probabilities for part in np.array_split(held_out.images, 64)]
    return accuracy(np.concatenate(parts), held_out.labels)


def repeat_card(folder: Path, held_out: HeldOut) -> dict[str, float]:
    """A bundle card's figures, measured anew: in floating point from its weights, as served, and the temperature."""
    model = keras.models.load_model(Bundle.open(folder).file(WEIGHTS), compile=False, safe_mode=True)
    logits = model.predict(held_out.images[..., np.newaxis], batch_size=256, verbose=0)["logits"]
    figures = {f"float_{name}": value for name, value in accuracy(logits, held_out.labels).items()}
    return figures | evaluate(folder, held_out) | {"temperature": best_temperature(logits, held_out.labels)}


def accuracy(scores: NDArray[np.float32], labels: NDArray[np.int32]) -> dict[str, float]:
    """Shares of rows whose class is the best, and among the best 5 and 10."""
    own = scores[np.arange(len(labels)), labels][:, None]
    place = (scores > own).sum(axis=1)
    return {f"top_{count}": round(float((place < count).mean()), 4) for count in (1, 5, 10)}


def _notes(state: State) -> str:
    fonts = ", ".join(f"{source.name} ({source.licence})" for source in SOURCES)
    return (
        f"Trained on {state.images:,} simulated pictures, no collected handwriting among them; looks at "
        f"{state.working_size_px} px. Strokes: Make Me a Hanzi by hanzi-writer-data 2.0.1 (Arphic Public License); "
        "Japanese forms from KanjiVG (CC BY-SA 3.0). "
        f"About {FONT_SHARE:.0%} shapes of free fonts, not shipped: {fonts}. "
        f"{_told_by_teacher(state)} Metrics: accuracy on simulated pictures never trained on, float and as served."
    )


def _told_by_teacher(state: State) -> str:
    if not state.taught:
        return "No distillation."
    return (
        f"Distilled from PP-OCRv6 small (Apache-2.0): it has {state.teacher_share:.0%} of the targets of "
        f"{state.taught:,} pictures, where it knows the character, and judged {state.mixtures * state.taught:,.0f} "
        "mixtures of them alone."
    )
