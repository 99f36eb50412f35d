"""Which character is taken for which."""

import pandas as pd


def confused_pairs(predictions: pd.DataFrame) -> pd.DataFrame:
    """Every pair that was confused, the most often first.

    Returns:
        ``label``, ``predicted``, ``count`` and ``share`` of the label's pictures that were taken so, 0 to 1.
    """
    wrong = predictions[predictions["rank"] != 1]
    pairs = wrong[["label", "predicted_1"]].value_counts().rename("count").reset_index()
    pairs["share"] = pairs["count"] / pairs["label"].map(predictions["label"].value_counts()).astype(float)
    pairs = pairs.rename(columns={"predicted_1": "predicted"})
    return pairs.sort_values(["count", "share", "label"], ascending=[False, False, True], ignore_index=True)


def confusion_matrix(predictions: pd.DataFrame, classes: int = 50) -> pd.DataFrame:
    """Counts by true class (rows) and predicted class (columns), for the classes that are most often confused.

    A heatmap of all of 7,328 classes would show nothing; those that take part in mistakes are what one looks for.
    Classes that are confused with each other stand beside each other. Columns are the rows' classes, so what was taken
    for any other class is left out.
    """
    names = _most_confused(predictions, classes)
    chosen = predictions[predictions["label"].isin(names) & predictions["predicted_1"].isin(names)]
    table = pd.crosstab(chosen["label"], chosen["predicted_1"])
    return table.reindex(index=names, columns=names, fill_value=0)


def _most_confused(predictions: pd.DataFrame, classes: int) -> list[str]:
    """Classes in the order of the pairs that they are confused in, filled up with the rest."""
    confused = pd.Index(confused_pairs(predictions)[["label", "predicted"]].to_numpy().ravel())
    present = pd.Index(predictions["label"].unique()).sort_values()
    in_order = confused[confused.isin(present)].append(present).unique()
    return list(in_order[:classes])
