import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hanzi_core.dataset import Fault, open_source
from hanzi_core.dataset.folder import FolderSource
from hanzi_core.errors import DatasetError
from tests.collection import drawn, png, write_files, write_gnt, write_zip

PICTURE = png(drawn("人", 0))


@pytest.mark.parametrize("kind", ["folder", "zip", "gnt"])
def test_the_kind_is_told_by_what_lies_there(tmp_path: Path, kind: str) -> None:
    places = {
        "folder": write_files(tmp_path / "a", {"人/1.png": PICTURE}),
        "zip": write_zip(tmp_path / "a.zip", {"人/1.png": PICTURE}),
        "gnt": write_gnt(tmp_path / "casia" / "trn" / "a.gnt", "人").parents[1],
    }
    source = open_source(places[kind])
    assert source.kind == kind
    assert [entry.label for entry in source.entries()] == ["人"]


def test_one_gnt_file(tmp_path: Path) -> None:
    assert open_source(write_gnt(tmp_path / "a.gnt", "人")).kind == "gnt"


def test_a_zip_of_gnt_files_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.gnt": b"x"})
    with pytest.raises(DatasetError, match="unpack it and give their folder"):
        open_source(path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Nothing is at"):
        open_source(tmp_path / "a")


def test_something_else_there(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"x")
    with pytest.raises(DatasetError, match="neither a folder nor"):
        open_source(tmp_path / "a.tar")


def test_a_damaged_zip_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"x")
    with pytest.raises(DatasetError, match=r"^a\.zip is damaged"):
        open_source(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("path", "label", "part"),
    [
        ("人/1.png", "人", ""),
        ("set/人/1.png", "人", ""),
        ("train/人/1.png", "人", "train"),
        ("set/Val/人/1.png", "人", "validation"),
        ("test/1.png", "", "test"),
        ("1.png", "", ""),
        ("か\u3099/1.png", "が", ""),
    ],
)
def test_folders_tell_label_and_part(tmp_path: Path, path: str, label: str, part: str) -> None:
    (entry,) = FolderSource(write_files(tmp_path, {path: PICTURE})).entries()
    assert (entry.path, entry.label, entry.part) == (path, label, part)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows makes neither links nor pipes for everybody")
def test_links_devices_and_empty_folders_are_told_and_not_followed(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "a", {"人/1.png": PICTURE, "人/.hidden.png": PICTURE, ".git/x": b""})
    secret = write_files(tmp_path / "b", {"secret.png": PICTURE})
    (folder / "木").symlink_to(secret)
    (folder / "人" / "2.png").symlink_to(secret / "secret.png")
    os.mkfifo(folder / "人" / "3.png")
    (folder / "口" / ".nothing").mkdir(parents=True)
    found = {entry.path: (entry.label, entry.fault) for entry in FolderSource(folder).entries()}
    assert found == {
        "人/1.png": ("人", ""),
        "人/2.png": ("人", Fault.LINK),
        "人/3.png": ("人", Fault.LINK),
        "口/": ("口", Fault.EMPTY_FOLDER),
        "木": ("", Fault.LINK),
    }
    for path, (_label, fault) in found.items():
        if fault:
            with pytest.raises(DatasetError, match="cannot be read"):
                FolderSource(folder).read(path)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Closes a folder, as permissions do to everybody but root, whom tests may run as."""
    scandir = os.scandir

    def close(folder: Path) -> None:
        def refuse(place: str) -> object:
            if Path(place) == folder:
                raise PermissionError(errno.EACCES, "closed", place)
            return scandir(place)

        monkeypatch.setattr(os, "scandir", refuse)

    return close


@pytest.mark.parametrize("kind", ["folder", "gnt"])
def test_a_folder_that_cannot_be_opened_is_told_and_the_rest_is_read(
    tmp_path: Path, closed: Callable[[Path], None], kind: str
) -> None:
    if kind == "folder":
        write_files(tmp_path, {"人/1.png": PICTURE, "日/1.png": PICTURE, "木/1.png": PICTURE})
    else:
        for name in "人日木":
            write_gnt(tmp_path / name / "1.gnt", name)
    closed(tmp_path / "日")
    entries = list(open_source(tmp_path).entries())
    assert [(entry.label, entry.fault) for entry in entries] == [("人", ""), ("日", Fault.CLOSED_FOLDER), ("木", "")]
    assert entries[1].path == "日/"
    closed(tmp_path)
    with pytest.raises(DatasetError, match="cannot be read: check its permissions"):
        list(FolderSource(tmp_path).entries())


def test_folders_may_lie_deeper_than_calls(tmp_path: Path) -> None:
    folders = [tmp_path / "1"]
    for _ in range(sys.getrecursionlimit()):
        folders.append(folders[-1] / "1")
    for folder in folders:
        folder.mkdir()
    try:
        (entry,) = FolderSource(tmp_path).entries()
        assert entry.fault == Fault.EMPTY_FOLDER
    finally:  # from below: what clears such places away is recursive itself
        for folder in reversed(folders):
            folder.rmdir()


def test_a_file_that_has_gone_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"人/1\.png has gone"):
        FolderSource(tmp_path).read("人/1.png")


def test_a_folder_that_goes_while_it_is_listed_is_no_part_of_it(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"人/1.png": PICTURE, "木/1.png": PICTURE})
    entries = FolderSource(folder).entries()
    first = next(entries)
    (folder / "木" / "1.png").unlink()
    (folder / "木").rmdir()
    assert [first.path, *(entry.path for entry in entries)] == ["人/1.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a name be any bytes")
def test_a_place_named_in_a_wrong_encoding_is_a_sentence(tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode("人".encode("gbk"))
    write_files(place, {"人/1.png": PICTURE})
    with pytest.raises(DatasetError, match=r"\\xc8\\xcb is in a wrong encoding"):
        open_source(place)
