"""What a network is fed: rows of a pack, in an order that the seed and the epoch fix."""

import math
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from hanzi_core.dataset import Dataset, Part, open_pack
from hanzi_core.dataset.scan import Report
from hanzi_core.dataset.split import part_rows
from hanzi_core.dataset.store import labels_of, split_digest
from hanzi_core.errors import TrainingError
from hanzi_core.language import mark


@dataclass(frozen=True)
class Material:
    """Everything that a run takes from its dataset."""

    images: NDArray[np.uint8]
    """``(rows, size, size)``, memory-mapped."""
    targets: NDArray[np.integer]
    """The class of each row, -1 for a class that is not trained."""
    labels: list[str]
    train: NDArray[np.int64]
    """Rows to train on."""
    validation: NDArray[np.int64]
    split_digest: str


def gather(dataset: Dataset, split: str, image_size_px: int, report: Report) -> Material:
    """Open pack and split of ``dataset``.

    Raises:
        TrainingError: fewer than two classes, or nothing to validate on.
    """
    manifest, parts = dataset.manifest(), dataset.parts(split)
    labels = labels_of(manifest, parts)
    if len(labels) < 2:
        raise TrainingError(
            mark("The dataset “{name}” has {count} class to train on; a recogniser needs two or more to tell apart."),
            name=dataset.name,
            count=len(labels),
        )
    number = {label: index for index, label in enumerate(labels)}
    targets = manifest["label"].map(number).fillna(-1).to_numpy(np.int32)
    validation = part_rows(parts, Part.VALIDATION)
    validation = validation[targets[validation] >= 0]
    if not len(validation):
        raise TrainingError(
            mark("The split “{split}” of “{name}” has nothing to validate on: split it with a larger share."),
            split=split,
            name=dataset.name,
        )
    images = open_pack(dataset, report, image_size_px).images
    return Material(images, targets, labels, part_rows(parts, Part.TRAIN), validation, split_digest(parts))


class Batches(keras.utils.PyDataset):
    """Batches of pictures ``(batch, size, size, 1)`` and targets ``(batch,)``; shuffled anew each epoch with a seed."""

    def __init__(self, material: Material, rows: NDArray[np.int64], batch_size: int, shuffle_seed: int | None) -> None:
        super().__init__()
        self._material = material
        self._rows = rows
        self._batch_size = batch_size
        self._seed = shuffle_seed
        self._order = rows
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Take the order of ``epoch``, whatever was seen before: a resumed run goes on in the same order."""
        if self._seed is not None:
            self._order = np.random.default_rng((self._seed, epoch)).permutation(self._rows)

    def __len__(self) -> int:
        return math.ceil(len(self._rows) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        pictures = self._material.images[rows][..., np.newaxis].astype(np.float32)
        return pictures, self._material.targets[rows]
