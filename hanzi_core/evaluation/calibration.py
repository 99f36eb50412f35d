"""How far to trust a figure, and the probabilities that a model gives with its answers."""

from statistics import NormalDist

import numpy as np
import pandas as pd

BINS = 10
CERTAINTY = 0.95
_THRESHOLDS = np.arange(100) / 100


def likely_range(share: float, count: int) -> tuple[float, float]:
    """Between what the true share lies with a certainty of 95 %, where ``share`` of ``count`` pictures was found.

    The score interval (Wilson 1927), which holds for few pictures and for 100 % too. Pictures of one writer are more
    alike than it supposes: of few writers the range is wider in truth.
    """
    z = NormalDist().inv_cdf((1 + CERTAINTY) / 2)
    middle = share + z * z / (2 * count)
    reach = z * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    whole = 1 + z * z / count
    return max(0.0, float((middle - reach) / whole)), min(1.0, float((middle + reach) / whole))


def reliability(predictions: pd.DataFrame) -> pd.DataFrame:
    """How often a model is right when it is so sure: :data:`BINS` bins of equal width, without those that are empty.

    Returns:
        ``probability``, the mean of the first answers in the bin, ``right``, the share of them that is, both 0 to 1,
        and ``images``.
    """
    sure = predictions["probability_1"]
    bins = (sure * BINS).astype(int).clip(upper=BINS - 1)
    seen = pd.DataFrame({"probability": sure, "right": predictions["rank"] == 1})
    table = seen.groupby(bins).agg(
        probability=("probability", "mean"), right=("right", "mean"), images=("right", "size")
    )
    return table.reset_index(drop=True)


def calibration_error(table: pd.DataFrame) -> float:
    """By how much the probability of the first answer misses how often it is right, in the mean over all pictures.

    The expected calibration error (Naeini et al. 2015) over the bins of :func:`reliability`, 0 to 1.
    """
    return float(np.average((table["probability"] - table["right"]).abs(), weights=table["images"]))


def coverage(predictions: pd.DataFrame) -> pd.DataFrame:
    """What one gains by heeding only answers that the model is sure enough of.

    Returns:
        ``least`` probability in steps of a hundredth, the ``share`` of pictures with such an answer, and the share of
        those that is ``right``, NaN where there is none.
    """
    sure = predictions["probability_1"].to_numpy()
    order = np.argsort(-sure, kind="stable")
    right = np.cumsum((predictions["rank"] == 1).to_numpy()[order])
    heeded = np.searchsorted(-sure[order], -_THRESHOLDS, side="right")
    found = np.where(heeded > 0, right[np.maximum(heeded, 1) - 1] / np.maximum(heeded, 1), np.nan)
    return pd.DataFrame({"least": _THRESHOLDS, "share": heeded / len(sure), "right": found})
