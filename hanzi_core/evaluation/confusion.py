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
    Classes that are confused with each other stand beside each other. A column may be of a class that no picture is of,
    which a model knows all the same; what was taken for a class without a column is left out.
    """
    present = pd.Index(predictions["label"].unique()).sort_values()
    columns = _most_confused(predictions, present, classes)
    rows = columns[columns.isin(present)]
    chosen = predictions[predictions["label"].isin(rows) & predictions["predicted_1"].isin(columns)]
    table = pd.crosstab(chosen["label"], chosen["predicted_1"])
    return table.reindex(index=list(rows), columns=list(columns), fill_value=0)


def _most_confused(predictions: pd.DataFrame, present: pd.Index, classes: int) -> pd.Index:
    """Classes in the order of the pairs that they are confused in, filled up with the rest of those ``present``."""
    confused = pd.Index(confused_pairs(predictions)[["label", "predicted"]].to_numpy().ravel())
    return confused.append(present).unique()[:classes]
