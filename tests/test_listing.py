import json
import os
import sys
from pathlib import Path

import pytest

from hanzi_core.dataset import Fault, open_source, scan
from hanzi_core.dataset.folder import FolderSource
from hanzi_core.dataset.listing import list_rows
from hanzi_core.errors import DatasetError
from tests.collection import drawn, png, silent, write_files, write_gnt

PICTURE = png(drawn("人", 0))


def labels(folder: Path, label_list: tuple[str, bytes] | None = None) -> dict[str, str]:
    rows = list_rows(FolderSource(folder), silent, label_list)
    return dict(zip(rows["path"], rows["label"], strict=True))


def test_folders_named_by_code_need_no_list(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"0x4E00/1.png": PICTURE, "U+4EBA/1.png": PICTURE, "木/1.png": PICTURE})
    assert labels(folder) == {"0x4E00/1.png": "一", "U+4EBA/1.png": "人", "木/1.png": "木"}


def test_files_are_the_key_beside_a_column_that_numbers_the_rows(tmp_path: Path) -> None:
    order = [3, 0, 5, 1, 2, 4]
    truth = {f"{number}.png": "人木水火土日"[number] for number in order}
    folder = write_files(tmp_path, dict.fromkeys(truth, PICTURE))
    indexed = "".join(f"{row},{file},{label}\n" for row, (file, label) in enumerate(truth.items()))
    assert labels(folder, ("l.csv", f",file,label\n{indexed}".encode())) == truth
    absent = indexed.replace("4.png", "40.png").encode()  # all rows' numbers are known, of the files one is not
    expected = {**truth, "4.png": "", "40.png": "土"}
    assert labels(folder, ("l.csv", absent)) == expected


def test_folder_and_file_in_two_columns_name_a_file(tmp_path: Path) -> None:
    truth = {f"w{writer}/{number}.png": "人木水火"[(writer + number) % 4] for writer in range(3) for number in range(4)}
    rows = "".join(f"{path.replace('/', ',')},{label}\n" for path, label in truth.items())
    folder = write_files(tmp_path, dict.fromkeys(truth, PICTURE))
    assert labels(folder, ("l.csv", f"writer,file,label\n{rows}".encode())) == truth


def test_a_folder_beside_an_example_of_it_names_all_its_files(tmp_path: Path) -> None:
    files = dict.fromkeys(["00000/a.png", "00000/b.png", "00001/c.png", "00001/d.png"], PICTURE)
    csv = "example,class,character\na.png,00000,人\nd.png,00001,木\n"
    assert [*labels(write_files(tmp_path, files), ("l.csv", csv.encode())).values()] == ["人", "人", "木", "木"]


@pytest.mark.parametrize("given", [True, False])
def test_a_key_with_two_characters_is_refused(tmp_path: Path, given: bool) -> None:
    csv = "file,label\n1.png,人\n2.png,木\n1.png,木\n".encode()
    files = dict.fromkeys(["data/w1/1.png", "data/w2/1.png", "data/w1/2.png"], PICTURE)
    folder = write_files(tmp_path, files if given else {**files, "l.csv": csv})
    with pytest.raises(DatasetError, match=r"l\.csv names 1\.png twice with different characters"):
        labels(folder, ("l.csv", csv) if given else None)


def test_a_list_at_the_top_names_numbered_folders_and_is_no_picture(tmp_path: Path) -> None:
    files = {"00000/1.png": PICTURE, "00001/1.png": PICTURE, "char_dict.json": json.dumps({"一": 0, "丁": 1}).encode()}
    assert labels(write_files(tmp_path, files)) == {"00000/1.png": "一", "00001/1.png": "丁"}


def numbered(*folders: str) -> dict[str, bytes]:
    """Folders whose files are numbered alike."""
    return {f"{folder}/{number}.png": PICTURE for folder in folders for number in range(3)}


@pytest.mark.parametrize(
    ("name", "content"), [("l.txt", "人\n木\n"), ("l.csv", "class,label\n0,人\n1,木\n"), ("l.json", '["人", "木"]')]
)
@pytest.mark.parametrize("given", [True, False])
def test_numbers_of_folders_name_no_files_of_other_folders(
    tmp_path: Path, name: str, content: str, given: bool
) -> None:
    files = numbered("00000", "00001", "00002", "rest") | {"0.png": PICTURE, "甲/1.png": PICTURE}
    folder = write_files(tmp_path, files if given else {**files, name: content.encode()})
    found = labels(folder, (name, content.encode()) if given else None)
    expected = {"00000": "人", "00001": "木", "00002": "00002", "rest": "rest", "0.png": "", "甲": "甲"}
    assert {(path.split("/")[0], label) for path, label in found.items()} == set(expected.items())


def test_a_list_without_keys_counts_from_one_where_the_folders_do(tmp_path: Path) -> None:
    folder = write_files(tmp_path, numbered("00001", "00002", "00003", "00004"))
    found = labels(folder, ("l.txt", "人\n木\n水\n火\n\n".encode()))
    assert [found[f"0000{number}/0.png"] for number in (1, 2, 3, 4)] == ["人", "木", "水", "火"]


def test_a_list_without_keys_counts_from_one_where_the_files_do(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {f"{number}.png": PICTURE for number in (1, 2, 3)})
    assert [*labels(folder, ("l.txt", "人\n木\n水\n".encode())).values()] == ["人", "木", "水"]


@pytest.mark.parametrize("given", [True, False])
def test_name_and_character_may_stand_apart_by_a_space(tmp_path: Path, given: bool) -> None:
    files = {"1.png": PICTURE, "my 2.png": PICTURE, "3.png": PICTURE}
    content = "1.png 人\nmy 2.png\u3000木\n3.png   水\n4.png 火\n5.png 土\n\n".encode()
    folder = write_files(tmp_path, files if given else {**files, "l.txt": content})
    expected = {"1.png": "人", "my 2.png": "木", "3.png": "水", "4.png": "火", "5.png": "土"}
    assert labels(folder, ("l.txt", content) if given else None) == expected
    coded = write_files(tmp_path / "coded", numbered("00001", "00002"))
    assert labels(coded, ("l.txt", "00001 人\n00002 木\n".encode()))["00002/0.png"] == "木"


@pytest.mark.parametrize(("name", "content"), [("l.txt", "人 rén\n木 mù\n"), ("l.json", '["one", "two"]')])
def test_a_given_list_without_keys_and_characters_is_refused(tmp_path: Path, name: str, content: str) -> None:
    folder = write_files(tmp_path, numbered("00000", "00001"))
    with pytest.raises(DatasetError, match=rf"{name} holds no characters"):
        labels(folder, (name, content.encode()))


@pytest.mark.parametrize("given", [True, False])
def test_a_list_of_the_folders_own_names_changes_nothing(tmp_path: Path, given: bool) -> None:
    names = ["1", "2", "3", "A", "B", "人", "木"]
    content = json.dumps([*names, "?"]).encode()
    files = numbered(*names, "U+003F") | {"labels.json": content}
    found = labels(write_files(tmp_path, files), ("labels.json", content) if given else None)
    expected = {**{name: name for name in names}, "U+003F": "?", "labels.json": ""}
    assert {(path.split("/")[0], label) for path, label in found.items()} == set(expected.items())


def test_a_flat_folder_with_a_csv(tmp_path: Path) -> None:
    csv = "file,label\n1.png,人\n2.png,木\n"
    folder = write_files(tmp_path, {"1.png": PICTURE, "2.png": PICTURE, "3.png": PICTURE, "labels.csv": csv.encode()})
    assert labels(folder) == {"1.png": "人", "2.png": "木", "3.png": ""}


def test_files_that_only_the_list_names_are_told(tmp_path: Path) -> None:
    csv = "file,label\n1.png,人\nold\\2.PNG,木\n甲/3.png,甲\nnotes,日\n"
    files = {"1.png": PICTURE, "甲/3.png": PICTURE, "labels.csv": csv.encode()}
    for given in (None, ("labels.csv", csv.encode())):
        rows = list_rows(FolderSource(write_files(tmp_path, files)), silent, given)
        faults = rows.loc[rows["fault"] == Fault.NOT_THERE, ["path", "label"]]
        assert faults.to_numpy().tolist() == [["old/2.PNG", "木"]]
        assert rows.index[-1] == faults.index[0]


def test_a_label_that_no_file_can_hold_is_none(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"00000/1.png": PICTURE, "00001/1.png": PICTURE})
    assert labels(folder, ("l.json", rb'{"00000": "\ud800", "00001": "\u6728"}'))["00001/1.png"] == "木"
    assert scan(FolderSource(folder), silent)["fault"].tolist() == ["", ""]


def test_a_flat_folder_below_the_top_keeps_its_part(tmp_path: Path) -> None:
    files = {"train/1.png": PICTURE, "test/2.png": PICTURE, "labels.csv": "1.png,人\n2.png,木\n".encode()}
    rows = list_rows(FolderSource(write_files(tmp_path, files)), silent)
    assert rows[["label", "given_part"]].to_numpy().tolist() == [["木", "test"], ["人", "train"]]


def test_a_given_list_goes_before_the_names_of_folders(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"甲/1.png": PICTURE})
    assert labels(folder, ("l.csv", "甲,乙\n".encode())) == {"甲/1.png": "乙"}
    assert labels(folder) == {"甲/1.png": "甲"}


def test_a_given_list_that_fits_nothing_is_refused(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"00000/1.png": PICTURE})
    with pytest.raises(DatasetError, match=r"l\.csv names no file"):
        labels(folder, ("l.csv", "x,一\n".encode()))


def test_a_table_of_something_else_stays_a_file(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"00000/1.png": PICTURE, "readme.txt": b"hello"})
    assert labels(folder) == {"00000/1.png": "00000", "readme.txt": ""}


def test_a_large_file_at_the_top_that_is_no_label_list_hinders_nothing(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"00000/1.png": PICTURE, "labels.csv": "0,人\n".encode()})
    with (folder / "annotations.json").open("wb") as file:
        file.truncate(300 * 2**20)  # a hole: takes no space
    assert labels(folder)["00000/1.png"] == "人"


def test_no_files(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no files"):
        labels(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a name be any bytes")
@pytest.mark.parametrize("kind", ["folder", "gnt"])
def test_names_in_a_wrong_encoding_are_faults_wherever_they_stand(tmp_path: Path, kind: str) -> None:
    gbk = os.fsdecode("人".encode("gbk"))
    if kind == "folder":
        names = [f"train/{gbk}/1.png", f"{gbk}/木/2.png", f"木/{gbk}.png", "木/3.png"]
        folder, sound = write_files(tmp_path, dict.fromkeys(names, PICTURE)), "木/3.png"
    else:
        write_gnt(tmp_path / gbk / "1.gnt", "木木木")
        folder, sound = write_gnt(tmp_path / "2.gnt", "木").parent, "2.gnt#0"
    rows = list_rows(open_source(folder), silent)
    faults = dict(zip(rows["path"], rows["fault"], strict=True))
    assert len(faults) == 4
    assert faults.pop(sound) == ""
    assert set(faults.values()) == {Fault.NAME_ENCODING}
    assert all(r"\xc8\xcb" in path for path in faults)
    manifest = scan(open_source(folder), silent)
    assert manifest.loc[manifest["fault"] == "", "path"].tolist() == [sound]
