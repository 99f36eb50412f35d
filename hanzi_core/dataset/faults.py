"""What is wrong with which picture of a manifest, beyond what made it unusable."""

import unicodedata
from collections.abc import Iterable

import pandas as pd

from hanzi_core.dataset.labels import is_character
from hanzi_core.dataset.manifest import Fault

LEAST_SIDE_PX = 8
"""A character of ten strokes cannot be told in fewer pixels."""
LONGEST_SIDE_PX = 4096
GREATEST_ASPECT = 20.0
"""Longer than any 一 that was cut out tightly; a line of text is."""

EXCLUDABLE = (
    Fault.TWO_LABELS,
    Fault.DUPLICATE,
    Fault.NEAR_DUPLICATE,
    Fault.EXTREME_SIZE,
    Fault.NOT_ONE_CHARACTER,
    Fault.NAMES_ALIKE,
)
"""Faults of pictures that could be used all the same."""


def find_faults(manifest: pd.DataFrame) -> pd.DataFrame:
    """Every fault of every picture: ``row`` in the manifest, ``path``, ``label``, ``fault``, ``detail``, ``excluded``.

    Of copies the first is no fault, the further ones are; of one picture under two characters all are, for which is
    right only a person can say. ``detail`` names the other file or class, or the size.
    """
    sound = manifest[manifest["fault"] == ""]
    unusable = manifest.loc[manifest["fault"] != "", "fault"]
    found = [_table(unusable.index, unusable, "")]
    found += [_copies(sound), _two_labels(sound), _extreme_sizes(sound), _not_one_character(sound), _alike(sound)]
    table = pd.concat(found, ignore_index=True)
    rows = manifest.loc[table["row"], ["path", "label", "excluded"]].reset_index(drop=True)
    table = pd.concat([table, rows], axis=1)
    order = {fault.value: place for place, fault in enumerate(Fault)}
    table["place"] = table["fault"].map(order)
    table = table.sort_values(["place", "row"], ignore_index=True)
    return table[["row", "path", "label", "fault", "detail", "excluded"]]


def pictures_beside(faults: pd.DataFrame, manifest: pd.DataFrame) -> list[str]:
    """Paths of the pictures that some ``faults`` are of, and after each that of the other one that it concerns.

    What only a label list names is left out: its path may lead anywhere.
    """
    there = set(manifest.loc[manifest["fault"] != Fault.NOT_THERE.value, "path"])
    return [path for pair in zip(faults["path"], faults["detail"], strict=True) for path in pair if path in there]


def with_exclusions(manifest: pd.DataFrame, kinds: Iterable[Fault]) -> pd.DataFrame:
    """``manifest`` with ``excluded`` set for what was excluded by hand and for the ``kinds`` of faults."""
    faults = find_faults(manifest)
    by_kind = faults.loc[faults["fault"].isin([kind.value for kind in kinds]), "row"]
    excluded = manifest["excluded_by_hand"].copy()
    excluded.loc[by_kind] = True
    return manifest.assign(excluded=excluded)


def _table(rows: pd.Index, fault: "pd.Series | Fault", detail: "pd.Series | str") -> pd.DataFrame:
    kind = fault.to_numpy() if isinstance(fault, pd.Series) else fault.value
    other = detail.to_numpy() if isinstance(detail, pd.Series) else detail
    return pd.DataFrame({"row": rows.to_numpy(), "fault": kind, "detail": other}, index=range(len(rows)))


def _copies(sound: pd.DataFrame) -> pd.DataFrame:
    """Exact copies of an earlier file, and near ones."""
    exact = sound[sound.duplicated("digest")]
    originals = sound.drop_duplicates("digest").set_index("digest")["path"]
    unique = sound.drop(index=exact.index)
    near = unique[unique.duplicated("copy_group")]
    firsts = unique.drop_duplicates("copy_group").set_index("copy_group")["path"]
    return pd.concat(
        [
            _table(exact.index, Fault.DUPLICATE, exact["digest"].map(originals)),
            _table(near.index, Fault.NEAR_DUPLICATE, near["copy_group"].map(firsts)),
        ]
    )


def _two_labels(sound: pd.DataFrame) -> pd.DataFrame:
    copied = sound[sound["copy_group"].duplicated(keep=False)]
    labels = copied.groupby("copy_group")["label"].transform("nunique")
    rows = copied[labels > 1]
    first = rows.groupby("copy_group")[["label", "path"]].transform("first")
    differs = rows["label"] != first["label"]
    # For all that bear the label of the first, the other one is the first that does not; not a search for each: the
    # picture of a sign that a font lacks may stand under thousands of labels.
    other = rows[differs].drop_duplicates("copy_group").set_index("copy_group")["path"]
    return _table(rows.index, Fault.TWO_LABELS, first["path"].where(differs, rows["copy_group"].map(other)))


def _extreme_sizes(sound: pd.DataFrame) -> pd.DataFrame:
    shorter = sound[["width_px", "height_px"]].min(axis=1)
    longer = sound[["width_px", "height_px"]].max(axis=1)
    rows = sound[(shorter < LEAST_SIDE_PX) | (longer > LONGEST_SIDE_PX) | (longer > GREATEST_ASPECT * shorter)]
    sizes = rows["width_px"].astype(str) + "×" + rows["height_px"].astype(str)
    return _table(rows.index, Fault.EXTREME_SIZE, sizes)


def _not_one_character(sound: pd.DataFrame) -> pd.DataFrame:
    odd = [label for label in sound["label"].unique() if not is_character(label)]
    rows = sound[sound["label"].isin(odd)]
    return _table(rows.index, Fault.NOT_ONE_CHARACTER, rows["label"])


def _alike(sound: pd.DataFrame) -> pd.DataFrame:
    """Classes whose names differ only in Unicode form (the largest one is right) or in case."""
    counts = sound.groupby(["given_name", "label"], sort=True).size().reset_index(name="count")
    counts["key"] = [unicodedata.normalize("NFKC", label).casefold() for label in counts["label"]]
    # Numbers and codes that a label list turned into one label are no accident: only names of labels count.
    named = [unicodedata.normalize("NFC", name) == label for name, label in counts[["given_name", "label"]].to_numpy()]
    counts = counts[named].sort_values("count", ascending=False, kind="stable")
    main = counts.drop_duplicates("key").set_index("key")["given_name"]
    others = counts[counts["given_name"] != counts["key"].map(main)]
    rows = sound[sound["given_name"].isin(others["given_name"])]
    name_of = dict(zip(others["given_name"], others["key"].map(main), strict=True))
    return _table(rows.index, Fault.NAMES_ALIKE, rows["given_name"].map(name_of))
