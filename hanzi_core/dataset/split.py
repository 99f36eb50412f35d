"""Divide a dataset into train, validation and test: a column of the manifest, never a copy of the files."""

from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hanzi_core.dataset.manifest import usable
from hanzi_core.language import mark


class Part(StrEnum):
    """A part of a split."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


PART_NAMES = {Part.TRAIN: mark("train"), Part.VALIDATION: mark("validation"), Part.TEST: mark("test")}


class SplitSettings(BaseModel):
    """How to divide. What is not validated or tested on is trained on.

    The same dataset, seed and ratios give the same split, to the row.
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field("default", description="Name of the split.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share of each class to validate on, 0 to 1.")
    test: float = Field(0.1, ge=0, lt=1, description="Share of each class to test on, 0 to 1.")
    seed: int = Field(0, ge=0, description="Seed of the shuffle.")
    keep_given: bool = Field(True, description="Keep the parts that folders called train, val and test give.")

    @model_validator(mode="after")
    def _leave_some_to_train_on(self) -> "SplitSettings":
        if self.validation + self.test >= 1:
            raise ValueError(mark("validation and test together must leave something to train on: less than 1"))
        return self


def assign_parts(manifest: pd.DataFrame, settings: SplitSettings) -> pd.Series:
    """The part of each row, stratified by class; empty for unusable rows.

    Files with equal bytes count as one: they always fall into the same part, even under different labels. A class
    with two pictures or more has one to validate on, one with three or more also one to test on, as far as copies
    allow; see :func:`split_shortfalls`.
    """
    parts = pd.Series("", index=manifest.index)
    rows = manifest[usable(manifest)]
    if settings.keep_given and (rows["given_part"] != "").any():
        return _given_parts(parts, rows, settings)
    random = np.random.default_rng(settings.seed)
    placed: dict[str, Part] = {}
    for _, members in rows.groupby("label", sort=True):
        digests = members["digest"].to_numpy()
        unique = np.unique(digests)
        random.shuffle(unique)
        free = [digest for digest in unique if digest not in placed]
        already = [placed[digest] for digest in unique if digest in placed]
        placed.update(zip(free, _deal(len(free), already, settings), strict=True))
    parts.loc[rows.index] = rows["digest"].map(lambda digest: placed[digest].value)
    return parts


def _deal(count: int, already: list[Part], settings: SplitSettings) -> list[Part]:
    """Parts for ``count`` shuffled pictures of a class of which some have their part ``already``."""
    whole = count + len(already)
    test = _share(whole, settings.test, least=3) - already.count(Part.TEST)
    validation = _share(whole, settings.validation, least=2) - already.count(Part.VALIDATION)
    room = max(0, count - (Part.TRAIN not in already))
    validation = min(max(0, validation), room)
    test = min(max(0, test), room - validation)
    return [Part.TEST] * test + [Part.VALIDATION] * validation + [Part.TRAIN] * (count - test - validation)


def _share(count: int, ratio: float, least: int) -> int:
    if ratio == 0 or count < least:
        return 0
    return max(1, round(count * ratio))


def _given_parts(parts: pd.Series, rows: pd.DataFrame, settings: SplitSettings) -> pd.Series:
    """The parts that the folders give; a source without validation has it taken from what is trained on."""
    parts.loc[rows.index] = rows["given_part"].where(rows["given_part"] != "", Part.TRAIN.value)
    if (parts == Part.VALIDATION).any() or settings.validation == 0:
        return parts
    train = rows[parts.loc[rows.index] == Part.TRAIN]
    only_validation = settings.model_copy(update={"test": 0.0, "keep_given": False})
    parts.loc[train.index] = assign_parts(train, only_validation)
    return parts


def split_shortfalls(manifest: pd.DataFrame, parts: pd.Series) -> pd.DataFrame:
    """Classes that lack a part, with ``label``, ``images`` and the ``missing`` parts; the smallest first."""
    rows = manifest[parts != ""]
    table = pd.crosstab(rows["label"], parts[parts != ""]).reindex(columns=[str(part) for part in Part], fill_value=0)
    lacking = table[(table == 0).any(axis=1)]
    missing = [", ".join(column for column in table.columns if row[column] == 0) for _, row in lacking.iterrows()]
    result = pd.DataFrame({"label": lacking.index, "images": lacking.sum(axis=1).to_numpy(), "missing": missing})
    return result.sort_values(["images", "label"], ignore_index=True)


def part_rows(parts: pd.Series, part: Part) -> NDArray[np.int64]:
    """Positions in the manifest of the rows that are in ``part``."""
    return np.flatnonzero((parts == part.value).to_numpy())
