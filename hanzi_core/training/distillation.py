"""Targets that a teacher has a say in, and pictures that he alone can judge.

"Patient and consistent" (Beyer et al. 2022, arXiv 2106.05237): teacher and network see the very same picture, strongly
distorted, and mixtures of pictures too, for which there is no label: what matters is that both answer alike everywhere
around real writing, not on the simulated hand alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import KerasTensor, ops
from numpy.typing import NDArray

from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.strokes.bend_on_device import interpolate

_KNOTS = 5
_BEND_PX = 1.8
_AFFINE = np.array([[0.1, 0.14], [0.1, 0.1]], np.float32)
_CUT = 0.6
"""Of the mixtures: two pictures meet along a line; of the others one shines through."""

Batch = tuple[Any, NDArray[np.int32]]


@dataclass(frozen=True)
class Lesson:
    """How much of the learning is the teacher's."""

    share: float
    """Of the target of a labelled picture of a character that the teacher knows."""
    mixtures: float
    """For each labelled picture."""
    seed: int
    first: int = 0
    """Where the numbers of the mixtures begin; another place where training goes on."""


def taught(
    batches: Iterator[Batch], teacher: Callable[[KerasTensor], KerasTensor], known: NDArray[np.bool_], lesson: Lesson
) -> Iterator[tuple[KerasTensor, KerasTensor]]:
    """Pictures ``uint8 (n, 64, 64, 1)``, first those of ``batches``, then mixtures of them, and targets.

    Args:
        batches: Pictures and their labels, all of one size.
        teacher: From pictures to probabilities ``(n, classes)``.
        known: ``(classes,)``: which of them the teacher can answer.
        lesson: The shares.

    Returns:
        Without end; each target ``float32 (n, classes)`` has the sum 1.
    """
    for number, (labelled, labels) in enumerate(batches):
        rng = np.random.default_rng([lesson.seed, lesson.first, number])
        how = mixing(round(len(labels) * lesson.mixtures), len(labels), rng)
        images = ops.concatenate([ops.convert_to_tensor(labelled), mix(labelled, how)])
        seen = teacher(images)
        weight = np.float32(lesson.share) * known[labels].astype(np.float32)[:, None]
        own = ops.one_hot(labels, seen.shape[1]) * (1 - weight) + seen[: len(labels)] * weight
        yield images, ops.concatenate([own, seen[len(labels) :]])


def mixing(count: int, of: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """How ``count`` mixtures are made of a batch of so many pictures."""
    angle = rng.uniform(0, 2 * np.pi, count)
    is_cut = rng.random(count) < _CUT
    knots = np.linspace(0, IMAGE_SIZE_PX - 1, _KNOTS, dtype=np.float32) - (IMAGE_SIZE_PX - 1) / 2
    grid = np.stack(np.meshgrid(knots, knots), axis=-1)
    affine = np.eye(2, dtype=np.float32) + rng.standard_normal((count, 2, 2), np.float32) * _AFFINE
    places = np.einsum("yxi,nij->nyxj", grid, affine) + (IMAGE_SIZE_PX - 1) / 2
    places += _BEND_PX * rng.standard_normal(places.shape, np.float32)
    return {
        "pairs": np.stack([rng.integers(0, of, count), rng.integers(0, of, count)]).astype(np.int32),
        "line": np.stack([np.cos(angle), np.sin(angle), rng.normal(0, 0.1, count)], axis=1).astype(np.float32),
        "is_cut": is_cut,
        "shining": rng.uniform(0.1, 0.6, count).astype(np.float32),
        "places": places.astype(np.float32),
    }


def mix(images: KerasTensor, how: dict[str, Any]) -> KerasTensor:
    """The mixtures ``uint8 (count, 64, 64, 1)`` of :func:`mixing`, each bent."""
    one, other = (ops.cast(ops.take(images, how["pairs"][side], axis=0)[..., 0], "float32") for side in (0, 1))
    place = np.linspace(-0.5, 0.5, IMAGE_SIZE_PX, dtype=np.float32)
    across, down, offset = (how["line"][:, column, None, None] for column in range(3))
    is_one = across * place[None, None, :] + down * place[None, :, None] > offset
    shining = how["shining"][:, None, None]
    blended = ops.maximum(one, other * shining)
    mixed = ops.where(how["is_cut"][:, None, None], ops.where(is_one, one, other), blended)
    steps = np.linspace(0, _KNOTS - 1, IMAGE_SIZE_PX, dtype=np.float32)
    shape = (how["places"].shape[0], IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    at = interpolate(
        how["places"], np.broadcast_to(steps[None, None, :], shape), np.broadcast_to(steps[None, :, None], shape)
    )
    return ops.cast(ops.round(interpolate(mixed[..., None], at[..., 0], at[..., 1])), "uint8")
