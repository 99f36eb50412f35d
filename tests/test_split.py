import hashlib
import time

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from hanzi_core.dataset import Part, SplitSettings, assign_parts, split_shortfalls
from hanzi_core.dataset.leaks import NEAR, SAME, WRITER, find_leaks
from hanzi_core.dataset.split import hangs_together, part_rows, writers_of
from hanzi_core.errors import DatasetError


def manifest_of(counts: dict[str, int], **columns: list) -> pd.DataFrame:
    """A manifest with so many different pictures of each class."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    number = np.arange(len(labels))
    values = {
        "path": [f"{label}/{row}.png" for row, label in enumerate(labels)],
        "label": labels,
        "digest": [f"{row:032x}" for row in number],
        "copy_group": number.astype(np.int32),
        "fault": "",
        "excluded": False,
        "given_part": "",
        "synthetic": False,
    }
    return pd.DataFrame({**values, **columns})


def sizes(manifest: pd.DataFrame, parts: pd.Series) -> dict[str, list[int]]:
    table = pd.crosstab(manifest["label"], parts).reindex(columns=[part.value for part in Part], fill_value=0)
    return {str(label): row.tolist() for label, row in table.iterrows()}


@pytest.mark.parametrize("seed", range(5))
def test_small_classes_reach_every_part_they_can(seed: int) -> None:
    manifest = manifest_of({"一": 1, "二": 2, "三": 3, "十": 10, "百": 100})
    parts = assign_parts(manifest, SplitSettings(seed=seed))
    assert sizes(manifest, parts) == {
        "一": [1, 0, 0],
        "二": [1, 1, 0],
        "三": [1, 1, 1],
        "十": [8, 1, 1],
        "百": [80, 10, 10],
    }
    lacking = split_shortfalls(manifest, parts, SplitSettings())
    assert lacking.to_numpy().tolist() == [["一", 1, "validation, test"], ["二", 2, "test"]]


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.1), (0.6, 0.2), (0.1, 0.5), (0.9, 0.05)])
def test_a_class_of_three_reaches_every_part_whatever_the_shares(validation: float, test: float) -> None:
    manifest = manifest_of({"二": 2, "三": 3, "百": 100})
    settings = SplitSettings(validation=validation, test=test)
    assert sizes(manifest, assign_parts(manifest, settings)) == {
        "二": [1, 1, 0],
        "三": [1, 1, 1],
        "百": [100 - round(100 * validation) - round(100 * test), round(100 * validation), round(100 * test)],
    }


def test_a_part_that_was_not_asked_for_is_lacked_by_none() -> None:
    manifest = manifest_of({"一": 1, "十": 10})
    settings = SplitSettings(test=0)
    lacking = split_shortfalls(manifest, assign_parts(manifest, settings), settings)
    assert lacking.to_numpy().tolist() == [["一", 1, "validation"]]


def test_the_same_seed_gives_the_same_split_and_another_another() -> None:
    manifest = manifest_of({"人": 50, "木": 50})
    first, again, other = (assign_parts(manifest, SplitSettings(seed=seed)) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_renaming_files_changes_nothing() -> None:
    manifest = manifest_of({"人": 50})
    renamed = manifest.assign(path=[f"人/{99 - row}.png" for row in range(50)]).sort_values("path", ignore_index=True)
    renamed["copy_group"] = np.arange(50, dtype=np.int32)
    parts = dict(zip(manifest["digest"], assign_parts(manifest, SplitSettings()), strict=True))
    again = dict(zip(renamed["digest"], assign_parts(renamed, SplitSettings()), strict=True))
    assert parts == again


@pytest.mark.parametrize("seed", range(3))
def test_a_picture_more_moves_few_and_none_from_test_to_training(seed: int) -> None:
    """What was tested on stays unseen while a collection grows."""
    counts, more = {"人": 203, "木": 57, "口": 8}, 40
    grown = manifest_of({label: count + more for label, count in counts.items()})
    grown["digest"] = [hashlib.blake2b(path.encode(), digest_size=16).hexdigest() for path in grown["path"]]
    is_new = grown.groupby("label").cumcount() >= grown["label"].map(counts)
    there = ~is_new
    before = assign_parts(grown[there], SplitSettings(seed=seed)).reindex(grown.index)
    for row in grown.index[is_new]:
        there[row] = True
        parts = assign_parts(grown[there], SplitSettings(seed=seed)).reindex(grown.index)
        moved = there & before.notna() & (parts != before)
        assert set(grown.loc[moved, "label"]) <= {grown.loc[row, "label"]}
        assert moved.sum() <= 3
        assert {*zip(before[moved], parts[moved], strict=True)}.isdisjoint({("test", "train"), ("train", "test")})
        before = parts


def test_copies_stay_together_under_whatever_label() -> None:
    random = np.random.default_rng(0)
    groups = random.integers(0, 120, 400).astype(np.int32)
    manifest = manifest_of({"人": 200, "入": 200}, copy_group=groups)
    parts = assign_parts(manifest, SplitSettings())
    assert pd.Series(parts).groupby(groups).nunique().max() == 1
    assert find_leaks(manifest, parts, SplitSettings()).empty


def test_what_cannot_be_used_has_no_part() -> None:
    manifest = manifest_of({"人": 6}, fault=["", "", "", "", "blank", ""], excluded=[False] * 5 + [True])
    assert assign_parts(manifest, SplitSettings()).tolist()[4:] == ["", ""]


def test_given_parts_are_kept_and_validation_taken_from_training() -> None:
    manifest = manifest_of({"人": 20}, given_part=["train"] * 15 + ["test"] * 5)
    parts = assign_parts(manifest, SplitSettings(validation=0.2))
    assert sizes(manifest, parts) == {"人": [12, 3, 5]}
    assert set(parts.iloc[15:]) == {"test"}
    assert sizes(manifest, assign_parts(manifest, SplitSettings(keep_given=False))) == {"人": [16, 2, 2]}


@pytest.mark.parametrize(("given", "expected"), [("validation", [12, 5, 3]), ("train", [14, 2, 4])])
def test_a_test_part_that_no_folder_gives_is_taken_from_training(given: str, expected: list[int]) -> None:
    manifest = manifest_of({"人": 20}, given_part=["train"] * 15 + [given] * 5)
    parts = assign_parts(manifest, SplitSettings(validation=0.1, test=0.2))
    assert sizes(manifest, parts) == {"人": expected}
    assert given == "train" or set(parts.iloc[15:]) == {"validation"}
    assert sizes(manifest, assign_parts(manifest, SplitSettings(validation=0, test=0)))["人"][2] == 0


WRITTEN = [f"{label}/input_{writer}_{row}.jpg" for label in "一二三" for row, writer in enumerate(range(20))]


def test_a_writer_stays_on_one_side() -> None:
    manifest = manifest_of({"一": 20, "二": 20, "三": 20}, path=WRITTEN)
    settings = SplitSettings(writer_pattern=r"input_(\d+)_")
    parts = assign_parts(manifest, settings)
    writers = writers_of(manifest["path"], settings.writer_pattern)
    assert parts.groupby(writers).nunique().max() == 1
    assert sizes(manifest, parts) == {label: [16, 2, 2] for label in "一二三"}
    assert find_leaks(manifest, parts, settings).empty


def test_writers_who_share_a_copy_stay_together() -> None:
    groups = np.arange(60, dtype=np.int32)
    groups[20:40] = groups[:20][::-1]  # each writer of 二 copied another one's 一
    manifest = manifest_of({"一": 20, "二": 20, "三": 20}, path=WRITTEN, copy_group=groups)
    settings = SplitSettings(writer_pattern=r"input_(\d+)_")
    assert find_leaks(manifest, assign_parts(manifest, settings), settings).empty


def test_writers_who_all_share_copies_are_told_as_what_they_are() -> None:
    groups = np.arange(60, dtype=np.int32)
    groups[20:40] = np.roll(groups[:20], 1)  # each writer of 二 copied the next one's 一
    manifest = manifest_of({"一": 20, "二": 20, "三": 20}, path=WRITTEN, copy_group=groups)
    settings = SplitSettings(writer_pattern=r"input_(\d+)_")
    parts = assign_parts(manifest, settings)
    assert set(parts) == {"train"} and hangs_together(parts, settings)
    manifest.loc[20:39, "excluded"] = True
    assert not hangs_together(assign_parts(manifest, settings), settings)
    assert not hangs_together(parts, settings.model_copy(update={"validation": 0, "test": 0}))


def written_by(**counts: int) -> list[str]:
    return [f"人/{writer}_{number}.png" for writer, count in counts.items() for number in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_a_writer_of_more_than_a_part_is_to_hold_is_trained_on(seed: int) -> None:
    counts = {"most": 600, **{f"few{number}": 20 for number in range(20)}}
    manifest = manifest_of({"人": 1000}, path=written_by(**counts))
    parts = assign_parts(manifest, SplitSettings(seed=seed, writer_pattern=r"/(\w+)_"))
    assert sizes(manifest, parts) == {"人": [800, 100, 100]}


def test_where_no_writer_is_small_enough_the_smallest_is_tested_on() -> None:
    manifest = manifest_of({"人": 100}, path=written_by(a=50, b=20, c=30))
    parts = assign_parts(manifest, SplitSettings(writer_pattern=r"/(\w)_"))
    assert sizes(manifest, parts) == {"人": [50, 30, 20]}


def test_a_pattern_that_hardly_matches_takes_no_longer() -> None:
    classes = np.arange(40_000) % 4000
    manifest = manifest_of({"人": 40_000}, label=[f"{number}" for number in classes])
    manifest.loc[0, "path"] = "人/input_1_.png"
    started = time.process_time()
    parts = assign_parts(manifest, SplitSettings(writer_pattern=r"input_(\d+)_"))
    assert time.process_time() - started < 10  # 1 s; a look at every picture for every class would take minutes
    assert parts.value_counts().to_dict() == {"train": 32_000, "validation": 4000, "test": 4000}
    assert manifest.loc[parts == "test", "label"].nunique() == 4000


def test_a_pattern_that_matches_nothing_is_a_sentence() -> None:
    with pytest.raises(DatasetError, match=r"matches no path, the first being 人/0\.png"):
        assign_parts(manifest_of({"人": 5}), SplitSettings(writer_pattern=r"input_(\d+)_"))


def test_a_pattern_is_checked_where_the_parts_are_given_too() -> None:
    manifest = manifest_of({"人": 6}, given_part=["train"] * 3 + ["validation"] * 2 + ["test"])
    with pytest.raises(DatasetError, match="matches no path"):
        assign_parts(manifest, SplitSettings(writer_pattern=r"input_(\d+)_"))


def test_the_pictures_that_a_pattern_matches_may_be_excluded() -> None:
    manifest = manifest_of({"人": 6}, path=["人/input_1_.png", *(f"人/{row}.png" for row in range(5))])
    manifest.loc[0, "excluded"] = True
    settings = SplitSettings(writer_pattern=r"input_(\d+)_", test=0.2, validation=0.2)
    parts = assign_parts(manifest, settings)
    assert sizes(manifest[1:], parts[1:]) == {"人": [3, 1, 1]}
    assert find_leaks(manifest, parts, settings).empty


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"validation": 0.6, "test": 0.5}, "less than 1"),
        ({"validation": -0.1}, "greater than or equal to 0"),
        ({"writer_pattern": "("}, "no regular expression"),
        ({"writer_pattern": "input"}, "one pair of brackets"),
    ],
)
def test_settings_that_do_not_add_up(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        SplitSettings(**values)


def test_leaks_of_a_collection_that_was_split_before() -> None:
    manifest = manifest_of({"人": 6}, path=[f"人/w{row % 2}_{row}.png" for row in range(6)])
    manifest.loc[1, "digest"] = manifest.loc[0, "digest"]
    manifest["copy_group"] = np.array([0, 0, 2, 2, 4, 5], np.int32)
    parts = pd.Series(["train", "test", "train", "validation", "train", "train"])
    leaks = find_leaks(manifest, parts, SplitSettings(writer_pattern=r"(w\d)"))
    assert leaks.to_numpy().tolist() == [
        [SAME, "人/w0_0.png", 1, 0, 1],
        [NEAR, "人/w0_2.png", 1, 1, 0],
        [WRITER, "w1", 1, 1, 1],
    ]


def test_rows_of_a_part() -> None:
    assert part_rows(pd.Series(["train", "", "test", "train"]), Part.TRAIN).tolist() == [0, 3]
