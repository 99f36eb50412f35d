"""How good a model is, in figures."""

from typing import Any

import pandas as pd


def summarise(predictions: pd.DataFrame) -> dict[str, Any]:
    """Figures of predictions: ``images``, ``classes``, ``known``, ``top_1``, ``top_5`` and ``class_mean_top_1``.

    ``known`` is the share of pictures, 0 to 1, whose class the model has: no other can be recognised. The mean over
    classes weighs a class of three pictures like one of three thousand (macro-averaged recall).
    """
    right = predictions["rank"] == 1
    return {
        "images": len(predictions),
        "classes": int(predictions["label"].nunique()),
        "known": float((predictions["rank"] > 0).mean()),
        "top_1": float(right.mean()),
        "top_5": float(predictions["rank"].between(1, 5).mean()),
        "class_mean_top_1": float(right.groupby(predictions["label"]).mean().mean()),
    }


def by_class(predictions: pd.DataFrame) -> pd.DataFrame:
    """``label``, ``images``, ``recall`` and ``precision`` of each true class, the worst recall first.

    Precision is missing (NaN) for a class that was never predicted.
    """
    right = predictions["rank"] == 1
    images = predictions["label"].value_counts()
    recall = right.groupby(predictions["label"]).mean()
    precision = right.groupby(predictions["predicted_1"]).mean()
    table = pd.DataFrame({"images": images, "recall": recall}).join(precision.rename("precision"))
    return table.rename_axis("label").reset_index().sort_values(["recall", "label"], ignore_index=True)
