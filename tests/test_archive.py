import io
import pickle
import stat
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanzi_core.dataset.archive import ZipLimits, ZipSource
from hanzi_core.dataset.manifest import Fault
from hanzi_core.errors import ArchiveError, HanziError, ImageError
from tests.collection import drawn, png, write_zip

PICTURE = png(drawn("人", 0))


def labels(path: Path) -> list[str]:
    return [entry.label for entry in ZipSource(path).entries()]


def test_reads_in_place(tmp_path: Path) -> None:
    source = ZipSource(write_zip(tmp_path / "a.zip", {"set/人/1.png": PICTURE}))
    (entry,) = source.entries()
    assert (entry.path, entry.label, entry.size_bytes) == ("set/人/1.png", "人", len(PICTURE))
    assert source.read(entry.path) == PICTURE
    assert source.decode(PICTURE, "").shape == (72, 72)


@pytest.mark.parametrize("characters", ["永龍學書寫國愛道", "一七許功蓋", "不中之", "陛"])
def test_names_packed_on_traditional_windows(tmp_path: Path, characters: str) -> None:
    path = write_zip(tmp_path / "a.zip", {f"手寫/{label}/字.png": PICTURE for label in characters}, "cp950")
    assert sorted(labels(path)) == sorted(characters)


@pytest.mark.parametrize("characters", ["永龙学书写国爱道", "啊阿埃挨", "鼗鼙鼢", "龍學書"])
def test_names_packed_on_simplified_windows(tmp_path: Path, characters: str) -> None:
    path = write_zip(tmp_path / "a.zip", {f"{label}/1.png": PICTURE for label in characters}, "gbk")
    assert sorted(labels(path)) == sorted(characters)


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("character", ["人", "联", "龘"])
def test_names_in_either_encoding(tmp_path: Path, encoding: str, character: str) -> None:
    files = {f"汉字/{character}/一.png": PICTURE, "汉字/的/二.png": PICTURE}
    path = write_zip(tmp_path / "a.zip", files, encoding)
    assert sorted(labels(path)) == sorted([character, "的"])


def test_backslashes_are_folders(tmp_path: Path) -> None:
    assert labels(write_zip(tmp_path / "a.zip", {"set\\人\\1.png": PICTURE})) == ["人"]


def test_the_systems_own_files_are_none_of_the_collection(tmp_path: Path) -> None:
    files = {"人/1.png": PICTURE, "__MACOSX/人/1.png": b"", "人/.DS_Store": b"", "人/Thumbs.db": b""}
    assert labels(write_zip(tmp_path / "a.zip", files)) == ["人"]


@pytest.mark.parametrize("name", ["../人/1.png", "/人/1.png", "人/../../1.png", "C:/人/1.png", "..\\人\\1.png"])
def test_paths_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="leaves its folder"):
        ZipSource(write_zip(tmp_path / "a.zip", {name: PICTURE}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("人/1.png")
    info.external_attr = (kind | 0o644) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ArchiveError, match="link or device"):
        ZipSource(tmp_path / "a.zip")


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"人/1.png": bytes(17 * 2**20)})
    with pytest.raises(ArchiveError, match="would unpack to 17 MiB"):
        ZipSource(path)
    assert len(list(ZipSource(path, ZipLimits(ratio=1e6)).entries())) == 1


def test_a_clean_bitmap_is_none_though_it_packs_to_a_thousandth(tmp_path: Path) -> None:
    ink = np.zeros((2000, 2000), np.uint8)
    ink[900:1100, 200:1800] = 255
    encoded = cv2.imencode(".bmp", ink)[1].tobytes()
    path = write_zip(tmp_path / "a.zip", {"一/1.bmp": encoded})
    assert path.stat().st_size * 200 < len(encoded)
    source = ZipSource(path)
    assert np.array_equal(source.decode(source.read("一/1.bmp"), "1.bmp"), ink)


def test_limits_of_size_and_number(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"人/1.png": PICTURE, "人/2.png": PICTURE})
    with pytest.raises(ArchiveError, match="more than 1 files"):
        ZipSource(path, ZipLimits(members=1))
    with pytest.raises(ArchiveError, match="would unpack to more than"):
        ZipSource(path, ZipLimits(total_gib=1e-9))
    with pytest.raises(ArchiveError, match="no picture is like that"):
        ZipSource(path, ZipLimits(member_mib=1e-6))


def test_long_and_reserved_names_are_only_names(tmp_path: Path) -> None:
    files = {"人/" + "长" * 300 + ".png": PICTURE, "con/aux.png": PICTURE, "人/a<b>:.png": PICTURE}
    source = ZipSource(write_zip(tmp_path / "a.zip", files))
    assert sorted(source.read(entry.path) == PICTURE for entry in source.entries()) == [True] * 3


def test_a_damaged_member_is_a_sentence(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"人/1.png": PICTURE})
    data = bytearray(path.read_bytes())
    data[60:90] = bytes(30)
    path.write_bytes(data)
    with pytest.raises(ImageError, match="is damaged"):
        ZipSource(path).read("人/1.png")


def test_a_damaged_member_packed_by_bzip2_is_told_from_a_disk_that_fails(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("人/1.png", PICTURE * 9)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[60:90] = bytes(30)
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(ImageError, match="is damaged"):
        ZipSource(tmp_path / "a.zip").read("人/1.png")


def test_two_files_of_one_name_are_both_there(tmp_path: Path) -> None:
    contents = [png(drawn("人", seed)) for seed in range(4)]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        for name, content in zip(["人/1.png", "人/1.png", "人\\1.png", "人/2.png"], contents, strict=True):
            archive.writestr(name, content)
    source = ZipSource(tmp_path / "a.zip")
    entries = {entry.path: entry for entry in source.entries()}
    assert [source.read(path) for path in entries] == [contents[2], contents[0], contents[1], contents[3]]
    assert {entry.label for entry in entries.values()} == {"人"}
    assert [entry.fault for entry in entries.values()] == ["", Fault.NAME_TWICE, Fault.NAME_TWICE, ""]


def test_no_zip_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x05\x06" + bytes(10))
    with pytest.raises(ArchiveError, match="damaged or no zip"):
        ZipSource(tmp_path / "a.zip")


def test_survives_pickling(tmp_path: Path) -> None:
    source = ZipSource(write_zip(tmp_path / "a.zip", {"人/1.png": PICTURE}))
    assert pickle.loads(pickle.dumps(source)).read("人/1.png") == PICTURE


def small_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("人/1.png", b"picture" * 9)
        archive.writestr("b/2.png", b"other", zipfile.ZIP_DEFLATED)
    return file.getvalue()


ZIP = small_zip()
mutations = st.lists(st.tuples(st.integers(0, len(ZIP) - 1), st.integers(0, 255)), min_size=1, max_size=8)


def check_whatever(folder: Path, changes: list[tuple[int, int]]) -> None:
    """A changed zip is read, or refused with a sentence; nothing else comes out of it."""
    data = bytearray(ZIP)
    for place, byte in changes:
        data[place] = byte
    path = folder / "fuzz.zip"
    path.write_bytes(data)
    try:
        source = ZipSource(path)
        for entry in source.entries():
            assert ".." not in entry.path.split("/")
            entry.path.encode()
            assert len(source.read(entry.path)) <= entry.size_bytes
    except HanziError as error:
        assert str(error)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutations)
def test_any_change(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    check_whatever(tmp_path, changes)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutations)
def test_ten_thousand_changes(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    check_whatever(tmp_path, changes)
