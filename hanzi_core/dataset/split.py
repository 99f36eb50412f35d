"""Divide a dataset into train, validation and test: a column of the manifest, never a copy of the files."""

import re
from collections.abc import Iterable
from enum import StrEnum
from heapq import heapify, heappop, heappush

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hanzi_core.dataset.entry import legible
from hanzi_core.dataset.likeness import digest_halves, joined_groups
from hanzi_core.dataset.manifest import only_to_train_on, usable
from hanzi_core.errors import DatasetError
from hanzi_core.language import mark


class Part(StrEnum):
    """A part of a split."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


PART_NAMES = {Part.TRAIN: mark("train"), Part.VALIDATION: mark("validation"), Part.TEST: mark("test")}

_DIVIDED_BY = ["label", "digest", "copy_group", "given_part", "fault", "excluded", "synthetic"]
"""Columns; to choose rows of all takes 150 MB of a million pictures."""


class SplitSettings(BaseModel):
    """How to divide. What is not validated or tested on is trained on.

    The same dataset, seed and ratios give the same split, to the row; a picture more moves at most three others of its
    class, and none from those to test on to those to train on, unless writers or copies are kept together.
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field("default", description="Name of the split.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share of each class to validate on, 0 to 1.")
    test: float = Field(0.1, ge=0, lt=1, description="Share of each class to test on, 0 to 1.")
    seed: int = Field(0, ge=0, description="Seed of the shuffle.")
    keep_given: bool = Field(
        True,
        description="Keep the parts that folders called train, val and test give; take others from train.",
    )
    writer_pattern: str = Field(
        "", description="Regular expression whose first group is the writer in a path; keeps a writer in one part."
    )

    @model_validator(mode="after")
    def _leave_some_to_train_on(self) -> "SplitSettings":
        if self.validation + self.test >= 1:
            raise ValueError(mark("validation and test together must leave something to train on: less than 1"))
        return self

    @field_validator("writer_pattern")
    @classmethod
    def _has_one_group(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(mark("the writer pattern is no regular expression")) from error
        if pattern and groups != 1:
            raise ValueError(mark("the writer pattern needs one pair of brackets around what tells the writer"))
        return pattern


def assign_parts(manifest: pd.DataFrame, settings: SplitSettings) -> pd.Series:
    """The part of each row, stratified by class; empty for unusable rows.

    Copies and near copies count as one: they always fall into the same part, even under different labels; with a
    writer pattern, so does all that one writer wrote. A class with two pictures or more has one to validate on, one
    with three or more also one to test on, as far as copies and writers allow; see :func:`split_shortfalls`.
    Synthetic pictures are trained on and nothing else, whatever folder they lie in; see :func:`place_synthetic`.

    Raises:
        DatasetError: the writer pattern matches no path.
    """
    if settings.writer_pattern:
        check_pattern(manifest["path"], settings.writer_pattern)
    parts = pd.Series("", index=manifest.index)
    columns = [*_DIVIDED_BY, "path"] if settings.writer_pattern else _DIVIDED_BY
    rows = manifest.loc[usable(manifest) & ~only_to_train_on(manifest), columns]
    if settings.keep_given and (rows["given_part"] != "").any():
        parts.loc[rows.index] = _given_parts(rows, settings)
    else:
        parts.loc[rows.index] = _divide(rows, settings)
    return place_synthetic(manifest, parts)


def _divide(rows: pd.DataFrame, settings: SplitSettings) -> NDArray[np.object_]:
    return _parts_by_writer(rows, settings) if settings.writer_pattern else _parts_by_class(rows, settings)


def place_synthetic(manifest: pd.DataFrame, parts: pd.Series) -> pd.Series:
    """``parts`` with the synthetic pictures among those to train on, where the dataset has real ones too.

    One that is nearly a copy of a picture to validate or test on gets no part: it would give the answer away.
    """
    rows = manifest[usable(manifest) & only_to_train_on(manifest)]
    judged_by = manifest.loc[parts.isin([Part.VALIDATION, Part.TEST]), "copy_group"]
    placed = parts.copy()
    placed.loc[rows.index] = np.where(rows["copy_group"].isin(judged_by), "", Part.TRAIN.value)
    return placed


def writers_of(paths: pd.Series, pattern: str) -> pd.Series:
    """The writer in each path, by the first group of ``pattern``; empty where it does not match."""
    expression = re.compile(pattern)
    found = [match[1] or "" if (match := expression.search(path)) else "" for path in paths]
    return pd.Series(found, index=paths.index, dtype="str")


def check_pattern(paths: Iterable[str], pattern: str) -> None:
    """Make sure that it tells a writer of some path, also of a picture that is excluded now.

    Raises:
        DatasetError: it does not.
    """
    expression, first = re.compile(pattern), ""
    for path in paths:
        if (match := expression.search(path)) and match[1]:
            return
        first = first or path
    if first:
        raise DatasetError(
            mark("The writer pattern {pattern} matches no path, the first being {path}: mend it, or leave it empty."),
            pattern=pattern,
            path=legible(first),
        )


def _parts_by_class(rows: pd.DataFrame, settings: SplitSettings) -> NDArray[np.object_]:
    """Deal out the copy groups of each class in turn."""
    units = rows["copy_group"].to_numpy()
    lots = _lots(rows, settings.seed)
    order = list(Part)
    placed = np.full(len(lots), -1, np.int8)
    for _, places in sorted(rows.groupby("label", sort=True).indices.items()):
        unique = np.unique(units[places])
        unique = unique[np.argsort(lots[unique])]
        free = unique[placed[unique] < 0]
        already = [order[place] for place in placed[unique] if place >= 0]
        placed[free] = [order.index(part) for part in _deal(len(free), already, settings)]
    return np.array([part.value for part in order], dtype=object)[placed[units]]


def _lots(rows: pd.DataFrame, seed: int) -> NDArray[np.uint64]:
    """A number for each copy group that tells its place among those of its class.

    It depends on what is in the group and on the seed alone: neither other names nor other pictures shuffle anew.
    """
    high, low = digest_halves(rows["digest"], np.arange(len(rows)))
    numbers = _mixed(_mixed(low + np.uint64(seed % 2**64)) + high)
    groups = rows["copy_group"].to_numpy()
    lots = np.full(groups.max(initial=-1) + 1, np.iinfo(np.uint64).max)
    np.minimum.at(lots, groups, numbers)
    return lots


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each number scattered over them all: SplitMix64 (Steele, Lea and Flood 2014, doi 10.1145/2714064.2660195)."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _deal(count: int, already: list[Part], settings: SplitSettings) -> list[Part]:
    """Parts for ``count`` shuffled pictures of a class of which some have their part ``already``."""
    whole = count + len(already)
    test = _share(whole, settings.test, least=3) - already.count(Part.TEST)
    validation = _share(whole, settings.validation, least=2) - already.count(Part.VALIDATION)
    room = max(0, count - (Part.TRAIN not in already))
    test = max(0, test)
    validation = min(max(0, validation), room, max(1, room - min(1, test)))  # where room is short, each has one
    test = min(test, room - validation)
    return [Part.TEST] * test + [Part.VALIDATION] * validation + [Part.TRAIN] * (count - test - validation)


def _share(count: int, ratio: float, least: int) -> int:
    if ratio == 0 or count < least:
        return 0
    return max(1, round(count * ratio))


def _parts_by_writer(rows: pd.DataFrame, settings: SplitSettings) -> NDArray[np.object_]:
    """Give whole writers to test and validation until each has its share of the pictures."""
    units = _writer_units(rows, settings.writer_pattern)
    sizes = np.bincount(units).tolist()
    order = np.random.default_rng(settings.seed).permutation(len(sizes))
    labels = _labels_of_units(units, rows["label"].tolist())
    part_of = np.full(len(sizes), Part.TRAIN.value, dtype=object)
    for part, ratio in ((Part.TEST, settings.test), (Part.VALIDATION, settings.validation)):
        free = order[part_of[order] == Part.TRAIN.value].tolist()
        part_of[_choose_units(free, sizes, labels, round(ratio * len(rows)))] = part.value
    return part_of[units]


def _writer_units(rows: pd.DataFrame, pattern: str) -> NDArray[np.int64]:
    """A number for each row; rows of one writer, and of writers who share a copy, have one."""
    writers = writers_of(rows["path"], pattern).to_numpy(dtype=object)
    codes = pd.factorize(writers, sort=True)[0].astype(np.int64)
    unnamed = writers == ""
    codes[unnamed] = codes.max(initial=-1) + 1 + np.arange(unnamed.sum())
    return np.unique(joined_groups(rows["copy_group"].to_numpy(), codes), return_inverse=True)[1]


def _choose_units(free: list[int], sizes: list[int], labels: list[set[str]], wanted: int) -> list[int]:
    """Units of about ``wanted`` pictures together, first those that bring the most classes; one always stays.

    They are never more than a tenth above it, unless even the smallest unit is.
    """
    chosen: list[int] = []
    count, missing = 0, set().union(*(labels[unit] for unit in free))
    # What a unit brings can only shrink: the first that still brings what the heap says brings the most.
    waiting = [(-len(labels[unit]), place, unit) for place, unit in enumerate(free)]
    heapify(waiting)
    while waiting and count < wanted and len(chosen) < len(free) - 1:
        said, place, unit = heappop(waiting)
        if count + sizes[unit] > 1.1 * wanted:
            continue
        brings = sum(map(missing.__contains__, labels[unit]))
        if brings < -said:
            heappush(waiting, (-brings, place, unit))
            continue
        chosen.append(unit)
        count += sizes[unit]
        missing -= labels[unit]
    if wanted and not chosen and len(free) > 1:
        return [min(free, key=lambda unit: sizes[unit])]
    return chosen


def _labels_of_units(units: NDArray[np.int64], labels: list[str]) -> list[set[str]]:
    """The classes of each unit; ``groupby`` would take a minute of a million units."""
    found: list[set[str]] = [set() for _ in range(units.max(initial=-1) + 1)]
    for unit, label in zip(units.tolist(), labels, strict=True):
        found[unit].add(label)
    return found


def _given_parts(rows: pd.DataFrame, settings: SplitSettings) -> pd.Series:
    """The parts that the folders give; validation or test that none gives is taken from what is trained on."""
    parts = rows["given_part"].where(rows["given_part"] != "", Part.TRAIN.value)
    lacking = settings.model_copy(update=dict.fromkeys(set(parts) - {Part.TRAIN}, 0.0))
    if lacking.validation or lacking.test:
        train = rows[parts == Part.TRAIN]
        parts.loc[train.index] = _divide(train, lacking)
    return parts


def hangs_together(parts: pd.Series, settings: SplitSettings) -> bool:
    """Whether a part stayed empty because too few writers are left when those who share a copy count as one."""
    shares = {Part.VALIDATION: settings.validation, Part.TEST: settings.test}
    asked = {part.value for part, share in shares.items() if share}
    return bool(settings.writer_pattern) and not asked <= set(parts)


HANGS_TOGETHER = mark(
    "Too few writers are left to validate or test on, for those who share a copy stay together: "
    "exclude the copies and split again, or mend the writer pattern."
)
"""What to do about it."""


def split_shortfalls(manifest: pd.DataFrame, parts: pd.Series, settings: SplitSettings) -> pd.DataFrame:
    """Classes that lack a part, with ``label``, ``images`` and the ``missing`` parts; the smallest first.

    A part whose share is 0 is lacked by none.
    """
    rows = manifest[parts != ""]
    shares = {Part.TRAIN: 1.0, Part.VALIDATION: settings.validation, Part.TEST: settings.test}
    asked = [part.value for part, share in shares.items() if share]
    table = pd.crosstab(rows["label"], parts[parts != ""]).reindex(columns=[part.value for part in Part], fill_value=0)
    lacking = table[(table[asked] == 0).any(axis=1)]
    missing = [", ".join(part for part in asked if row[part] == 0) for _, row in lacking.iterrows()]
    result = pd.DataFrame({"label": lacking.index, "images": lacking.sum(axis=1).to_numpy(), "missing": missing})
    return result.sort_values(["images", "label"], ignore_index=True)


def part_rows(parts: pd.Series, part: Part) -> NDArray[np.int64]:
    """Positions in the manifest of the rows that are in ``part``."""
    return np.flatnonzero((parts == part.value).to_numpy())
