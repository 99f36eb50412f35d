"""How the pictures of a dataset are spread over its classes, and what a class looks like."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hanzi_core.dataset.labels import is_character
from hanzi_core.dataset.manifest import usable


@dataclass(frozen=True)
class Imbalance:
    """How unevenly pictures are spread over classes."""

    ratio: float
    """Largest class to smallest, 1 where all are alike."""
    gini: float
    """Gini coefficient of the class sizes: 0 where all are alike, towards 1 where one class has all."""


def class_counts(manifest: pd.DataFrame) -> pd.Series:
    """Usable pictures by label, the largest class first; labels of one size in their order."""
    counts = manifest.loc[usable(manifest), "label"].value_counts()
    return counts.sort_index().sort_values(ascending=False, kind="stable")


def all_class_counts(manifest: pd.DataFrame) -> pd.Series:
    """:func:`class_counts`, and behind them with 0 the characters of which no picture can be used."""
    counts = class_counts(manifest)
    empty = [label for label in manifest["label"].unique() if label not in counts.index and is_character(label)]
    return counts.reindex([*counts.index, *sorted(empty)], fill_value=0)


def imbalance(counts: pd.Series) -> Imbalance:
    """The imbalance of class sizes, none of them zero.

    The Gini coefficient is half the relative mean absolute difference (Gini 1912).
    """
    sizes = np.sort(counts.to_numpy(np.float64))
    if not len(sizes):
        return Imbalance(1.0, 0.0)
    places = np.arange(1, len(sizes) + 1)
    gini = float(((2 * places - len(sizes) - 1) * sizes).sum() / (len(sizes) * sizes.sum()))
    return Imbalance(float(sizes[-1] / sizes[0]), gini)


def mean_picture(normalised: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What normalised pictures ``(count, size, size)`` have in common: their mean, ``uint8`` ``(size, size)``."""
    return normalised.mean(axis=0).round().astype(np.uint8)
