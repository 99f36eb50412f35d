import errno
import json
import os
from pathlib import Path

import pytest

from hanzi_core.errors import WorkspaceError
from hanzi_core.workspace import Workspace, check_name, named_path, new_folder, replace_file, replace_json


def test_opening_makes_the_folders(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "deep" / "er")
    assert workspace.datasets.is_dir() and workspace.jobs.is_dir() and workspace.models.is_dir()


@pytest.mark.parametrize("name", ["calligraphy100", "手写 2", "a.b-c", " trimmed "])
def test_good_names(name: str) -> None:
    assert check_name(name) == name.strip()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "../x", "con", "NUL.txt", "x" * 300, "a\0b", "-x", "tail."]
)
def test_names_that_some_system_refuses(name: str) -> None:
    with pytest.raises(WorkspaceError):
        check_name(name)


def test_two_ways_of_writing_a_name_are_one() -> None:
    assert check_name("e\u0301") == "\u00e9"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "card.json"
    replace_json(path, {"a": 1})

    def full(_handle: int) -> None:  # a real full disk is caused where root may mount one; here its errno stands in
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkspaceError, match="No space is left"):
        replace_file(path, b"new")
    assert json.loads(path.read_bytes()) == {"a": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["card.json"]


def test_what_utf8_cannot_hold_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    replace_json(path, {"a": 1})
    with pytest.raises(WorkspaceError, match=r"“\\udcff\.png” is in a wrong encoding"):
        replace_json(path, {"name": "x", "folder": "/tmp/\udcff.png"})
    assert json.loads(path.read_bytes()) == {"a": 1}


def test_others_may_read_what_is_written(tmp_path: Path) -> None:
    replace_file(tmp_path / "card.json", b"{}")
    assert (tmp_path / "card.json").stat().st_mode & 0o044 == 0o044


@pytest.mark.parametrize("name", ["taken", "taken/deeper"])
def test_a_file_in_the_way_of_a_workspace_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(WorkspaceError, match=r"taken.* cannot be written .*: name another place"):
        Workspace.open(tmp_path / name)


def test_a_place_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"card.json cannot be written \(No such file or directory\)"):
        replace_file(tmp_path / "gone" / "card.json", b"{}")


def test_others_may_enter_what_was_made_in_a_new_folder(tmp_path: Path) -> None:
    with new_folder(tmp_path, ".making") as folder:
        folder.rename(tmp_path / "made")
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o755


def test_a_new_folder_of_another_machine_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a cluster, whose machines differ at the end of a long name; the process has a number that is free here."""
    monkeypatch.setattr("socket.gethostname", lambda: "hanzi-workbench-gpu-node-01")
    monkeypatch.setattr("os.getpid", lambda: 2**22 - 1)
    with new_folder(tmp_path, ".making") as folder:
        for name, is_swept in (("hanzi-workbench-gpu-node-02", False), ("hanzi-workbench-gpu-node-01", True)):
            monkeypatch.setattr("socket.gethostname", lambda name=name: name)
            with new_folder(tmp_path, ".making"):
                assert folder.exists() is not is_swept


def test_a_new_folder_goes_if_what_is_made_in_it_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="half"), new_folder(tmp_path, ".making") as folder:
        (folder / "file").touch()
        raise ValueError("half")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [("~nobody-of-this-name/x", "~nobody-of-this-name/x"), ("~数据", "~数据"), ("a\0b", "a"), ("~\udcff", r"~\\udcff")],
)
def test_a_path_that_cannot_be_is_a_sentence(text: str, shown: str) -> None:
    with pytest.raises(WorkspaceError, match=f"Nothing is at {shown}"):
        named_path(text)


def test_home_is_written_short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert named_path("~/数据") == tmp_path / "数据"
    monkeypatch.chdir(tmp_path)
    assert named_path(Path("a")) == tmp_path / "a"
