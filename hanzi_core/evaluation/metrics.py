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
    """Figures of each true class, the worst F1 first; of equals the one of more pictures.

    Returns:
        ``label``, ``images``, ``recall``, ``precision``, which is missing (NaN) for a class that was never predicted,
        and ``f1``, the harmonic mean of the two (0 where nothing was right).
    """
    right = predictions["rank"] == 1
    labels, predicted = predictions["label"], predictions["predicted_1"]
    images, named = labels.value_counts(), predicted.value_counts()
    table = pd.DataFrame({"images": images, "recall": right.groupby(labels).mean()})
    table["precision"] = right.groupby(predicted).mean()
    hits = right.groupby(labels).sum()
    table["f1"] = 2 * hits / (images + named.reindex(table.index, fill_value=0))
    in_order = table.rename_axis("label").reset_index()
    return in_order.sort_values(["f1", "images", "label"], ascending=[True, False, True], ignore_index=True)
