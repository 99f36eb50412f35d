"""What a network is fed: rows of a pack, in an order that the seed and the epoch fix."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from hanzi_core.bundle import LABEL_LENGTH_LIMIT
from hanzi_core.dataset import Dataset, Part, open_pack
from hanzi_core.dataset.scan import Report
from hanzi_core.dataset.split import part_rows
from hanzi_core.dataset.store import labels_of, split_digest
from hanzi_core.errors import TrainingError
from hanzi_core.language import mark
from hanzi_core.training.config import Balance, TrainingConfig

_REPEATS = 4
"""Times that a picture to be learned comes in an epoch with rehearsal: a handful must weigh something among many."""
_REHEARSED_EACH = 3
_LEAST_REHEARSED = 1000
_REHEARSED_WITH_ALL = 5_000, 20_000
"""Of what is known, so many come at least and at most in an epoch with all that is to be learned."""
_MOST_REPEATS = 100
_TAUGHT_WEIGHT = 10.0
"""Of the right answer to what is to be learned, against the answer that the model gave before: ten to one."""


@dataclass(frozen=True)
class Material:
    """Everything that a run takes from its dataset, and from the one that it rehearses with."""

    pack: Any
    """A picture a row, asked for by arrays of rows: a :class:`~hanzi_core.dataset.Pack`, or several in a row."""
    targets: NDArray[np.integer]
    """The class of each row, -1 for a class that is not trained."""
    labels: list[str]
    train: NDArray[np.int64]
    """Rows to train on."""
    validation: NDArray[np.int64]
    split_digest: str
    rehearsal: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Rows of what is known already."""
    rehearsal_split: str = ""
    """Of the dataset that they are of, if they are of one."""
    rehearsal_digest: str = ""
    """Of how that is divided."""
    rehearse_all: bool = False
    """Whether each epoch goes over as much of it as it can, since the model is to answer as before."""

    @property
    def rehearsed_per_epoch(self) -> int:
        """How many pictures of what is known come in an epoch, others each time."""
        if self.rehearse_all:
            least, most = _REHEARSED_WITH_ALL
            return min(max(len(self.rehearsal), least), most)
        wanted = max(_LEAST_REHEARSED, _REHEARSED_EACH * _REPEATS * len(self.train))
        return min(len(self.rehearsal), wanted)

    @property
    def repeats(self) -> int:
        """Times that each picture to be learned comes in an epoch with rehearsal."""
        if not self.rehearse_all:
            return _REPEATS
        share = self.rehearsed_per_epoch // (_REHEARSED_EACH * max(1, len(self.train)))
        return min(max(share, _REPEATS), _MOST_REPEATS)

    @property
    def pictures_per_epoch(self) -> int:
        """How many pictures an epoch has."""
        if not len(self.rehearsal):
            return len(self.train)
        return self.repeats * len(self.train) + self.rehearsed_per_epoch


def gather(
    dataset: Dataset,
    split: str,
    image_size_px: int,
    report: Report,
    known_labels: Sequence[str] = (),
    *,
    hold_out: bool = True,
) -> Material:
    """Open pack and split of ``dataset``.

    Args:
        dataset: Where the pictures are.
        split: Which of them are for what.
        image_size_px: Side of the pictures.
        report: Hears how far the packing is.
        known_labels: Come first and stay, whether the dataset has them or not.
        hold_out: Else every usable picture of the split is trained on, of whichever part, and its class is known.

    Raises:
        TrainingError: fewer than two classes, or one whose name no model can hold; or no picture to train on.
    """
    manifest = dataset.manifest()
    divided = dataset.parts(split, manifest)
    parts = divided if hold_out else divided.where(divided == "", Part.TRAIN.value)
    kept = set(known_labels)
    labels = [*known_labels, *(label for label in labels_of(manifest, parts) if label not in kept)]
    _check_classes(dataset.name, labels)
    train = part_rows(parts, Part.TRAIN)
    if not len(train):  # a model to start from has classes all the same
        raise TrainingError(
            mark("“{name}” has no picture to learn from: import some, or take back what is excluded."),
            name=dataset.name,
        )
    number = {label: index for index, label in enumerate(labels)}
    targets = manifest["label"].map(number).fillna(-1).to_numpy(np.int32)
    validation = part_rows(parts, Part.VALIDATION)
    known = validation[targets[validation] >= 0]
    if len(known) < len(validation):
        unknown = sorted(set(manifest["label"].iloc[validation]) - set(labels))
        print(f"{len(validation) - len(known)} pictures to validate on are left out: no training for", *unknown)
    pack = open_pack(dataset, report, image_size_px, manifest)
    digest = split_digest(divided)
    return Material(pack, targets, labels, train, known, digest, rehearse_all=not hold_out)


def _check_classes(dataset: str, labels: list[str]) -> None:
    if len(labels) < 2:
        raise TrainingError(
            mark("The dataset “{name}” has {count} class to train on; a recogniser needs two or more to tell apart."),
            name=dataset,
            count=len(labels),
        )
    longest = max(labels, key=len)
    if len(longest) > LABEL_LENGTH_LIMIT:
        raise TrainingError(
            mark("The class “{label}…” has more than {limit} signs in its name: rename its folder, or exclude it."),
            label=longest[:40],
            limit=LABEL_LENGTH_LIMIT,
        )


class Batches(keras.utils.PyDataset):
    """Batches of one pass: pictures ``(batch, size, size, 1)``, targets ``(batch,)`` and, if given, weights.

    A run that is taken up within an epoch passes the batches that are done, and sees the very ones it would have seen.
    """

    def __init__(
        self,
        material: Material,
        order: NDArray[np.int64],
        batch_size: int,
        *,
        weights: NDArray[np.float32] | None = None,
        done: int = 0,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        """``share`` is which part of how many of each batch this process is fed."""
        super().__init__()
        self._material = material
        self._order = order
        self._batch_size = batch_size
        self._weights = weights
        self._done = done
        self._part, self._parts = share

    def __len__(self) -> int:
        return batch_count(len(self._order), self._batch_size, self._parts) - self._done

    def __getitem__(self, index: int) -> tuple[NDArray, ...]:
        first = (index + self._done) * self._batch_size
        rows = self._order[first : first + self._batch_size][self._part :: self._parts]
        pictures = self._material.pack[rows][..., np.newaxis].astype(np.float32)
        targets = self._material.targets[rows]
        return (pictures, targets) if self._weights is None else (pictures, targets, self._weights[rows])


def batch_count(rows: int, batch_size: int, parts: int = 1) -> int:
    """Batches of a pass; several processes need batches of one size, so the last, smaller one is left out."""
    return math.ceil(rows / batch_size) if parts == 1 else rows // batch_size


def epoch_order(material: Material, config: TrainingConfig, epoch: int) -> NDArray[np.int64]:
    """The rows of an epoch in their order, fixed by seed and epoch alone; balanced by sampling where asked for."""
    random = np.random.default_rng((config.seed, epoch))
    if len(material.rehearsal):
        count = material.rehearsed_per_epoch
        known = random.choice(material.rehearsal, count, replace=count > len(material.rehearsal))
        return random.permutation(np.concatenate([np.tile(material.train, material.repeats), known]))
    if config.balance is not Balance.SAMPLING:
        return random.permutation(material.train)
    targets = material.targets[material.train]
    chance = 1 / np.bincount(targets, minlength=len(material.labels))[targets]
    return random.choice(material.train, len(material.train), p=chance / chance.sum())


def row_weights(material: Material, balance: Balance) -> NDArray[np.float32] | None:
    """Weight of each row in the loss: against the size of its class, 1 on average over the pictures.

    Of what is only gone over the label does not count: the model is to answer as before, mistakes and all.
    """
    if material.rehearse_all:
        taught = np.zeros(len(material.targets), np.float32)
        taught[material.train] = _TAUGHT_WEIGHT
        return taught
    if balance is not Balance.WEIGHTS:
        return None
    counts = np.bincount(material.targets[material.train], minlength=len(material.labels))
    weights = len(material.train) / (len(material.labels) * np.maximum(counts, 1))
    return weights.astype(np.float32)[material.targets]
