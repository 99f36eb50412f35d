import errno
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hanzi_core.dataset.gnt import GntSource
from hanzi_core.dataset.manifest import Fault
from hanzi_core.errors import DatasetError, HanziError
from tests.collection import drawn, record, write_files, write_gnt


def test_reads_pictures_and_labels(tmp_path: Path) -> None:
    source = GntSource(write_gnt(tmp_path / "1001-f.gnt", "一人木"))
    entries = list(source.entries())
    assert [entry.label for entry in entries] == ["一", "人", "木"]
    assert [entry.fault for entry in entries] == ["", "", ""]
    for place, entry in enumerate(entries):
        picture = source.decode(source.read(entry.path), entry.path)
        np.testing.assert_array_equal(picture, drawn("一人木"[place], place))


def test_paths_tell_file_and_offset(tmp_path: Path) -> None:
    write_gnt(tmp_path / "b.gnt", "一")
    write_gnt(tmp_path / "a" / "a.gnt", "人木")
    paths = [entry.path for entry in GntSource(tmp_path).entries()]
    assert paths == ["a/a.gnt#0", f"a/a.gnt#{10 + 72 * 72}", "b.gnt#0"]


def test_what_lies_beside_gnt_files_is_told(tmp_path: Path) -> None:
    write_gnt(tmp_path / "a" / "1.gnt", "一")
    write_files(tmp_path, {"a/2.gnt": b"", "a/人.png": b"x", "readme.txt": b"x", ".hidden": b"x", "._1.gnt": b"x"})
    assert [(entry.path, entry.fault) for entry in GntSource(tmp_path).entries()] == [
        ("a/1.gnt#0", ""),
        ("a/2.gnt", Fault.EMPTY),
        ("a/人.png", Fault.BESIDE_GNT),
        ("readme.txt", Fault.BESIDE_GNT),
    ]


def test_a_file_that_cannot_be_opened_is_told_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_gnt(tmp_path / "1.gnt", "一")
    write_gnt(tmp_path / "2.gnt", "人")
    path_open = Path.open

    def refuse(path: Path, *arguments: object, **options: object) -> object:
        """As permissions refuse everybody but root, whom tests may run as."""
        if path.name == "1.gnt":
            raise PermissionError(errno.EACCES, "closed", path)
        return path_open(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    entries = list(GntSource(tmp_path).entries())
    assert [(entry.path, entry.fault) for entry in entries] == [("1.gnt", Fault.GONE), ("2.gnt#0", "")]
    with pytest.raises(DatasetError, match="cannot be read: check its permissions"):
        list(GntSource(tmp_path / "1.gnt").entries())


def test_official_folders_give_parts(tmp_path: Path) -> None:
    write_gnt(tmp_path / "HWDB1.1trn_gnt" / "1.gnt", "一")
    write_gnt(tmp_path / "HWDB1.1tst_gnt" / "2.gnt", "人")
    assert [entry.part for entry in GntSource(tmp_path).entries()] == ["train", "test"]


def test_folders_above_the_collection_give_no_part(tmp_path: Path) -> None:
    file = write_gnt(tmp_path / "test" / "hwdb" / "train" / "a.gnt", "一")
    parts = [[entry.part for entry in GntSource(place).entries()] for place in (file.parents[1], file.parent, file)]
    assert parts == [["train"]] * 3
    other = write_gnt(tmp_path / "test" / "pages" / "b" / "1.gnt", "一")
    parts = [[entry.part for entry in GntSource(place).entries()] for place in (other.parents[1], other.parent, other)]
    assert parts == [[""]] * 3
    assert [entry.part for entry in GntSource(other.parents[2]).entries()] == ["train", "test"]


def test_equal_pictures_have_equal_bytes_whatever_their_tag(tmp_path: Path) -> None:
    picture = drawn("人", 1)
    path = tmp_path / "a.gnt"
    path.write_bytes(record("人", picture) + record("入", picture))
    source = GntSource(path)
    first, second = (source.read(entry.path) for entry in source.entries())
    assert first == second


def test_ascii_tag_is_followed_by_zero(tmp_path: Path) -> None:
    path = tmp_path / "a.gnt"
    path.write_bytes(record("A", drawn("人", 1)))
    assert [entry.label for entry in GntSource(path).entries()] == ["A"]


def test_a_truncated_record_is_told_with_its_offset(tmp_path: Path) -> None:
    path = write_gnt(tmp_path / "a.gnt", "一人")
    path.write_bytes(path.read_bytes()[:-100])
    entries = list(GntSource(path).entries())
    assert [(entry.label, entry.fault) for entry in entries] == [("一", ""), ("人", Fault.BROKEN_RECORD)]
    assert entries[1].path == f"a.gnt#{10 + 72 * 72}"


def test_reading_goes_on_after_an_inconsistent_record(tmp_path: Path) -> None:
    whole = [record(each, drawn(each, place)) for place, each in enumerate("一人木")]
    broken = whole[1][:6] + b"\xff\xff\xff\xff" + whole[1][10:]
    path = tmp_path / "a.gnt"
    path.write_bytes(whole[0] + broken + whole[2])
    entries = list(GntSource(path).entries())
    assert [(entry.label, entry.fault) for entry in entries] == [("一", ""), ("", Fault.BROKEN_RECORD), ("木", "")]
    assert entries[2].path == f"a.gnt#{2 * len(whole[0])}"


@pytest.mark.parametrize("follow", ["木口", "木"])
def test_a_record_that_lacks_bytes_in_the_middle_of_a_file_takes_no_other_with_it(tmp_path: Path, follow: str) -> None:
    path = write_gnt(tmp_path / "a.gnt", "一人")
    path.write_bytes(path.read_bytes()[:-400] + write_gnt(tmp_path / "b.gnt", follow, 2).read_bytes())
    source = GntSource(path)
    entries = list(source.entries())
    assert [(entry.label, entry.fault) for entry in entries] == [
        ("一", ""),
        ("人", Fault.BROKEN_RECORD),
        *((label, "") for label in follow),
    ]
    assert entries[1].path == f"a.gnt#{10 + 72 * 72}"
    last = entries[-1]
    np.testing.assert_array_equal(source.decode(source.read(last.path), last.path), drawn(follow[-1], 1 + len(follow)))


@pytest.mark.parametrize("gap", [b"\0", b"gap" * 7])
def test_gaps_of_foreign_bytes_are_skipped(tmp_path: Path, gap: bytes) -> None:
    path = tmp_path / "a.gnt"
    path.write_bytes(gap.join(record(each, drawn(each, place)) for place, each in enumerate("一人木")))
    assert [entry.label for entry in GntSource(path).entries() if not entry.fault] == ["一", "人", "木"]


def test_survives_pickling(tmp_path: Path) -> None:
    source = GntSource(write_gnt(tmp_path / "a.gnt", "一"))
    source.read("a.gnt#0")
    assert pickle.loads(pickle.dumps(source)).read("a.gnt#0") == source.read("a.gnt#0")


@pytest.mark.parametrize("path", ["a.gnt#9999999", "a.gnt#x", "b.gnt#0", "a.gnt"])
def test_a_wrong_path_is_a_sentence(tmp_path: Path, path: str) -> None:
    source = GntSource(write_gnt(tmp_path / "a.gnt", "一").parent)
    with pytest.raises(DatasetError, match="has gone or cannot be read"):
        source.read(path)


RECORDS = b"".join(record(each, drawn(each, 0, 16)) for each in "一人木")
mutations = st.lists(st.tuples(st.integers(0, len(RECORDS) - 1), st.integers(0, 255)), max_size=12)
anything = st.one_of(st.binary(max_size=400), st.tuples(mutations, st.integers(0, len(RECORDS))))


def mutated(value: bytes | tuple[list[tuple[int, int]], int]) -> bytes:
    if isinstance(value, bytes):
        return value
    changes, length = value
    data = bytearray(RECORDS)
    for place, byte in changes:
        data[place] = byte
    return bytes(data[:length])


def check_whatever(folder: Path, data: bytes) -> None:
    """Every byte belongs to one entry, entries end, and a whole one can be read."""
    path = folder / "fuzz.gnt"
    path.write_bytes(data)
    source = GntSource(path)
    entries = list(source.entries())
    assert sum(entry.size_bytes for entry in entries) == len(data)
    for entry in entries:
        try:
            picture = source.decode(source.read(entry.path), entry.path)
        except HanziError:
            assert entry.fault
        else:
            assert picture.size == entry.size_bytes - 10 or entry.fault


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(anything)
@example(b"")
@example(RECORDS[: len(RECORDS) - 1])
def test_any_bytes(tmp_path: Path, value: bytes) -> None:
    check_whatever(tmp_path, mutated(value))


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(anything)
def test_ten_thousand_files_of_any_bytes(tmp_path: Path, value: bytes) -> None:
    check_whatever(tmp_path, mutated(value))
