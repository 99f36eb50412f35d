"""Learning something new without forgetting: what a model knows already, mixed in with what it is to learn.

A network that sees only its corrections for a while gives up the rest ("catastrophic forgetting"; Robins 1995 showed
that going over old material with the new prevents it).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hanzi_core.bundle import Card
from hanzi_core.dataset import Dataset, Part, open_pack
from hanzi_core.dataset.scan import Report
from hanzi_core.dataset.split import part_rows
from hanzi_core.dataset.store import split_digest
from hanzi_core.errors import TrainingError
from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.language import mark
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.training.input import Material
from hanzi_core.training.simulation import Simulator

SPLIT = "default"
WRITING = mark("Writing what it is to go over")
_VALIDATED = 1500
_CHUNK = 512


class Packs:
    """Rows of several packs of one picture size, counted on from one to the next."""

    def __init__(self, packs: Sequence[Any]) -> None:
        self._packs = packs
        self._ends = np.cumsum([len(pack) for pack in packs])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """``(rows, size, size)``."""
        holder = np.searchsorted(self._ends, rows, side="right")
        places, found = [], []
        for number in np.unique(holder):
            (mine,) = np.nonzero(holder == number)
            before = self._ends[number] - len(self._packs[number])
            places.append(mine)
            found.append(self._packs[number][rows[mine] - before])
        return np.concatenate(found)[np.argsort(np.concatenate(places))]


def written(material: Material, image_size_px: int, seed: int, report: Report) -> Material:
    """``material`` with pictures of the simulated hand mixed in: the same ones for the same seed.

    Raises:
        TrainingError: the model knows no character that the hand can write, or looks at pictures of another size.
    """
    if image_size_px != IMAGE_SIZE_PX:
        raise TrainingError(
            mark(
                "The simulated hand writes {written} px pictures, this model sees {seen} px: rehearse with a dataset."
            ),
            written=IMAGE_SIZE_PX,
            seen=image_size_px,
        )
    library = StrokeLibrary.load()
    classes = np.array([index for index, label in enumerate(material.labels) if label in library], np.int64)
    if not len(classes):
        raise TrainingError(mark("The simulated hand writes nothing that this model knows: rehearse with a dataset."))
    random = np.random.default_rng(seed)
    targets = np.concatenate([classes, random.choice(classes, _VALIDATED)])
    places = np.array([library.index(material.labels[target]) for target in targets], np.int32)
    hand, pictures = Simulator(), np.empty((len(targets), image_size_px, image_size_px), np.uint8)
    for begin in range(0, len(targets), _CHUNK):
        report(WRITING, begin, len(targets))
        pictures[begin : begin + _CHUNK] = hand.write(places[begin : begin + _CHUNK], random)
    rows = len(material.pack) + np.arange(len(targets))
    return replace(
        material,
        pack=Packs([material.pack, pictures]),
        targets=np.concatenate([material.targets, targets.astype(np.int32)]),
        validation=np.concatenate([material.validation, rows[-_VALIDATED:]]),
        rehearsal=rows[:-_VALIDATED],
    )


def split_gone_over(dataset: Dataset, before: Card) -> str:
    """The split of ``dataset`` to rehearse by: the one that the model learned by, so that its test stays unseen."""
    there = list(dataset.splits())
    if before.dataset == dataset.name and before.split in there:
        return before.split
    return SPLIT if SPLIT in there else there[0]


def rehearsed(material: Material, dataset: Dataset, split: str, image_size_px: int, report: Report) -> Material:
    """``material`` with the pictures of ``dataset`` mixed in, to train and to validate on as ``split`` divides them.

    Pictures of classes that ``material`` does not name are left out.

    Raises:
        TrainingError: then none is left.
    """
    manifest = dataset.manifest()
    parts = dataset.parts(split, manifest)
    number = {label: index for index, label in enumerate(material.labels)}
    targets = manifest["label"].map(number).fillna(-1).to_numpy(np.int32)
    first = len(material.pack)

    def known(part: Part) -> NDArray[np.int64]:
        rows = part_rows(parts, part)
        return first + rows[targets[rows] >= 0]

    if not len(known(Part.TRAIN)):
        raise TrainingError(
            mark("“{name}” has no picture of anything that the model knows: choose another dataset to rehearse with."),
            name=dataset.name,
        )
    return replace(
        material,
        pack=Packs([material.pack, open_pack(dataset, report, image_size_px, manifest)]),
        targets=np.concatenate([material.targets, targets]),
        validation=np.concatenate([material.validation, known(Part.VALIDATION)]),
        rehearsal=known(Part.TRAIN),
        rehearsal_split=split,
        rehearsal_digest=split_digest(parts),
    )
