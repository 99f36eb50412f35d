import json
import time

import pytest

from hanzi_core.dataset.labels import from_code, from_codes, is_character, is_settled, read_table, short_label
from hanzi_core.errors import DatasetError

FOLDERS = ["00000", "00001", "00002"]


@pytest.mark.parametrize("code", ["0x4E00", "U+4E00", "u+4e00", "0x04e00", "uni4E00", "\\u4e00"])
def test_codes(code: str) -> None:
    assert from_code(code) == "一"


def test_codes_that_are_joined() -> None:
    assert from_codes("U+0063_U+006F_U+006E") == "con"
    assert from_codes("U+0065_U+0301") == "é"
    assert from_codes("U+4E00") == "一"
    assert from_codes("U+4E00_") is from_codes("U+4E00_x") is from_codes("一") is None


@pytest.mark.parametrize("name", ["4E00", "00000", "一", "U+D800", "U+FFFFFF", "U+4E0", ""])
def test_what_is_no_code(name: str) -> None:
    assert from_code(name) is None


@pytest.mark.parametrize(
    ("label", "expected"), [("一", True), ("葛\U000e0100", True), ("é", True), ("一二", False), ("", False)]
)
def test_what_is_one_character(label: str, expected: bool) -> None:
    assert is_character(label) is expected


@pytest.mark.parametrize(
    ("label", "shown"), [("一", "一"), ("一二三四五六七八", "一二三四五六七八"), ("x" * 80, "xxxxxxx…")]
)
def test_a_long_label_shows_its_beginning(label: str, shown: str) -> None:
    assert short_label(label) == shown


def test_a_digit_may_be_a_number() -> None:
    assert not is_settled("7")
    assert is_settled("七")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.csv", "00000,一\n00001,二\n00002,三\n"),
        ("l.csv", "label,character\n0,一\n1,二\n2,三\n"),
        ("l.csv", "character,code\n一,0\n二,1\n三,2\n"),
        ("l.csv", "\ufeffid;char\n0;一\n1;二\n2;三\n"),
        ("l.tsv", "0\t一\n1\t二\n2\t三\n"),
        ("l.txt", "一\n二\n三\n"),
        ("l.txt", "一\n二\n三\n,\n;\n"),
        ("l.txt", "0,一\n1,二\n2,三\n"),
        ("l.json", json.dumps({"00000": "一", "1": "二", "2": "三"})),
        ("l.json", json.dumps({"一": 0, "二": 1, "三": 2})),
        ("l.json", json.dumps(["一", "二", "三"])),
        ("l.json", json.dumps([{"id": 0, "char": "一"}, {"id": 1, "char": "二"}, {"id": 2, "char": "三"}])),
        ("l.json", json.dumps([["0", "U+4E00"], ["1", "0x4E8C"], ["2", "三"]])),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_every_form_of_list(name: str, text: str, encoding: str) -> None:
    table = read_table(name, text.encode(encoding), FOLDERS, [])
    assert [table.for_folder(folder) for folder in FOLDERS] == ["一", "二", "三"]


def test_a_list_written_on_traditional_windows() -> None:
    table = read_table("l.csv", "folder,label\n0,龍\n1,學\n2,許\n".encode("cp950"), FOLDERS, [])
    assert [table.for_folder(folder) for folder in FOLDERS] == ["龍", "學", "許"]


def test_files_by_path_name_or_stem() -> None:
    data = "file,label\na/1.png,人\n2.png,木\n3,大\n".encode()
    table = read_table("l.csv", data, [], ["a/1.png", "b/2.png", "c/3.png"])
    assert [table.for_path(path) for path in ("a/1.png", "b/1.png", "2.png")] == ["人", None, "木"]
    assert [table.for_file(path) for path in ("b/2.png", "c/3.png", "4.png")] == ["木", "大", None]


def test_the_column_that_names_files_is_the_key_among_many() -> None:
    data = "suite,sample,file,value,character\n1,1,x_1.jpg,9,九\n1,2,x_2.jpg,10,十\n".encode()
    table = read_table("l.csv", data, [], ["input/x_1.jpg", "input/x_2.jpg"])
    assert table.for_file("input/x_2.jpg") == "十"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.csv", 40 * (",".join(map(str, range(100, 884))) + "\n")),
        ("l.txt", ",".join(map(chr, range(0x4E00, 0x4E00 + 7328)))),
    ],
)
def test_a_wide_table_of_something_else_is_refused_at_once(name: str, text: str) -> None:
    started = time.process_time()
    with pytest.raises(DatasetError, match="names no file or folder"):
        read_table(name, text.encode(), FOLDERS, [])
    assert time.process_time() - started < 5  # 0.1 s; by pairs of columns it would be minutes


def test_key_and_label_are_found_among_many_columns() -> None:
    pixels = ",".join(["7"] * 783)
    rows = [f"{pixels},{label},x_{number}.jpg" for number, label in enumerate("一二三")]
    table = read_table("l.csv", "\n".join(rows).encode(), ["7"], ["x_0.jpg", "x_1.jpg", "x_2.jpg"])
    assert [table.for_file(f"x_{number}.jpg") for number in range(3)] == ["一", "二", "三"]


@pytest.mark.parametrize(
    ("name", "data"),
    [("l.json", b"{"), ("l.json", b"3"), ("l.json", b"[" * 100_000), ("l.csv", b"\xff\xfe\xff"), ("l.csv", b"")],
)
def test_an_unreadable_list_is_a_sentence(name: str, data: bytes) -> None:
    with pytest.raises(DatasetError, match=r"l\."):
        read_table(name, data, FOLDERS, [])


def test_a_list_of_something_else_is_a_sentence() -> None:
    with pytest.raises(DatasetError, match="names no file or folder"):
        read_table("l.csv", "x,一\ny,二\n".encode(), FOLDERS, [])
