import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from hanzi_core.dataset import Fault, find_faults, open_source, scan
from hanzi_core.dataset.faults import pictures_beside, with_exclusions
from hanzi_core.dataset.manifest import usable
from tests.collection import drawn, png, silent, write_files

ONE, OTHER = png(drawn("人", 1)), png(drawn("人", 2))
TREES = [png(drawn("木", seed)) for seed in range(4)]


def manifest_of(folder: Path, files: dict[str, bytes]) -> pd.DataFrame:
    return scan(open_source(write_files(folder, files)), silent)


def found(manifest: pd.DataFrame, fault: Fault) -> list[tuple[str, str]]:
    faults = find_faults(manifest)
    rows = faults[faults["fault"] == fault.value]
    return list(zip(rows["path"], rows["detail"], strict=True))


def test_exact_copies_name_the_first(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, {"人/a.png": ONE, "人/b.png": OTHER, "人/c.png": ONE, "人/d.png": ONE})
    assert found(manifest, Fault.DUPLICATE) == [("人/c.png", "人/a.png"), ("人/d.png", "人/a.png")]
    assert found(manifest, Fault.NEAR_DUPLICATE) == []


def test_near_copies_name_the_first(tmp_path: Path) -> None:
    inverted = png(255 - drawn("人", 1))
    manifest = manifest_of(tmp_path, {"人/a.png": ONE, "人/b.png": inverted, "人/c.png": OTHER})
    assert found(manifest, Fault.NEAR_DUPLICATE) == [("人/b.png", "人/a.png")]


def test_one_picture_under_two_characters_names_both(tmp_path: Path) -> None:
    smaller = png(cv2.resize(drawn("人", 1), None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA))
    files = {"人/a.png": ONE, "入/b.png": ONE, "八/c.png": smaller, "木/d.png": TREES[0]}
    manifest = manifest_of(tmp_path, files)
    assert dict(found(manifest, Fault.TWO_LABELS)) == {
        "人/a.png": "入/b.png",
        "入/b.png": "人/a.png",
        "八/c.png": "人/a.png",
    }


def test_one_picture_under_thousands_of_characters_takes_no_longer(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, {"人/1.png": png(drawn("人", 1))})
    many = manifest.loc[manifest.index.repeat(20_000)].reset_index(drop=True)
    many = many.assign(
        path=[f"{row}.png" for row in range(20_000)], label=[chr(0x4E00 + row // 4) for row in range(20_000)]
    )
    started = time.process_time()
    concerned = dict(found(many, Fault.TWO_LABELS))
    assert time.process_time() - started < 3  # 0.3 s; a search for each would take 8
    assert {concerned[f"{row}.png"] for row in range(4)} == {"4.png"}
    assert {concerned[f"{row}.png"] for row in range(4, 20_000)} == {"0.png"}


def test_extreme_sizes(tmp_path: Path) -> None:
    line = np.full((20, 500), 255, np.uint8)
    line[5:15, 20:480] = 0
    manifest = manifest_of(tmp_path, {"一/line.png": png(line), "人/tiny.png": png(drawn("人", 1, 6)), "人/a.png": ONE})
    assert found(manifest, Fault.EXTREME_SIZE) == [("一/line.png", "500×20"), ("人/tiny.png", "6×6")]


def test_names_that_are_not_one_character(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, {"人/a.png": ONE, "人口/b.png": OTHER, "00017/c.png": TREES[0]})
    assert found(manifest, Fault.NOT_ONE_CHARACTER) == [("00017/c.png", "00017"), ("人口/b.png", "人口")]


def test_names_equal_but_for_case_or_unicode_form(tmp_path: Path) -> None:
    files = {"A/1.png": ONE, "A/2.png": OTHER, "a/3.png": TREES[0], "人/4.png": TREES[1]}
    files |= {"が/5.png": TREES[2], "か\u3099/6.png": TREES[3]}
    manifest = manifest_of(tmp_path, files)
    alike = dict(found(manifest, Fault.NAMES_ALIKE))
    assert alike.pop("a/3.png") == "A"
    assert len(alike) == 1
    assert manifest.loc[manifest["path"].isin(alike), "label"].tolist() == ["が"]


def test_codes_that_mean_one_character_are_no_names_alike(tmp_path: Path) -> None:
    files = {"0x4E00/1.png": ONE, "U+4E00/2.png": OTHER}
    assert found(manifest_of(tmp_path, files), Fault.NAMES_ALIKE) == []


def test_a_clean_collection_has_none(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, {f"木/{number}.png": tree for number, tree in enumerate(TREES)})
    assert find_faults(manifest).empty


def test_excluding_a_kind_leaves_the_first_of_copies(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, {"人/a.png": ONE, "人/b.png": ONE, "人/c.png": OTHER, "人/d.png": b""})
    manifest["excluded_by_hand"] = manifest["path"] == "人/c.png"
    excluded = with_exclusions(manifest, [Fault.DUPLICATE])
    assert excluded.loc[usable(excluded), "path"].tolist() == ["人/a.png"]


def test_beside_a_fault_stands_the_other_picture_and_none_that_only_a_list_names(tmp_path: Path) -> None:
    listed = "file,label\n1.png,人\n2.png,人\n../secret.png,人\n"
    manifest = manifest_of(tmp_path / "a", {"1.png": ONE, "2.png": ONE, "labels.csv": listed.encode()})
    write_files(tmp_path, {"secret.png": OTHER})
    assert found(manifest, Fault.NOT_THERE) == [("../secret.png", "")]
    assert pictures_beside(find_faults(manifest), manifest) == ["2.png", "1.png"]
