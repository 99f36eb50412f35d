"""Two models on the same pictures."""

from dataclasses import dataclass
from math import exp, lgamma, log

import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """How many pictures each of two models, or one alone, has read right."""

    both: int
    first_alone: int
    second_alone: int
    neither: int

    @property
    def images(self) -> int:
        """All that both were asked about."""
        return self.both + self.first_alone + self.second_alone + self.neither

    @property
    def difference(self) -> float:
        """By how much the first has a higher top-1 accuracy, -1 to 1."""
        return (self.first_alone - self.second_alone) / self.images

    @property
    def chance(self) -> float:
        """How likely a difference so large is where neither is better, 0 to 1 (McNemar's exact test, two-sided)."""
        apart, fewer = self.first_alone + self.second_alone, min(self.first_alone, self.second_alone)
        term = tail = 1.0  # as shares of the last and largest: the coefficients themselves have thousands of digits
        for count in range(fewer, 0, -1):
            term *= count / (apart - count + 1)
            tail += term
        ways = lgamma(apart + 1) - lgamma(fewer + 1) - lgamma(apart - fewer + 1)
        return min(1.0, 2 * tail * exp(ways - apart * log(2)))


def side_by_side(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The predictions of ``first`` for the pictures that both were asked about, with what ``second`` said of them.

    Returns:
        The columns of predictions, and of the other model ``other_rank`` and ``other_predicted``.
    """
    renamed = {"rank": "other_rank", "predicted_1": "other_predicted"}
    others = second[["path", "label", *renamed]].rename(columns=renamed)
    return first.merge(others, on=["path", "label"])


def compare(pairs: pd.DataFrame) -> Comparison:
    """Count what :func:`side_by_side` has put together."""
    first, second = pairs["rank"] == 1, pairs["other_rank"] == 1
    return Comparison(
        both=int((first & second).sum()),
        first_alone=int((first & ~second).sum()),
        second_alone=int((~first & second).sum()),
        neither=int((~first & ~second).sum()),
    )
