import errno
import os
import sys
import time
import zipfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from hanzi_core.dataset import Fault, folder, open_source, parallel, scan
from hanzi_core.dataset.gnt import GntSource
from hanzi_core.dataset.listing import LISTING
from hanzi_core.dataset.parallel import PROCESSES_FROM
from hanzi_core.dataset.scan import SCANNING
from hanzi_core.errors import ArchiveError, DatasetError
from tests.collection import drawn, png, record, silent, write_files, write_gnt, write_zip
from tests.handwriting import write_collection

BLANK = png(np.full((40, 40), 250, np.uint8))
HUGE = BLANK[:16] + 2 * (20_000).to_bytes(4) + BLANK[24:]
"""One whose header says 20,000 × 20,000 px."""


def scanned(folder: Path, **options: object) -> pd.DataFrame:
    return scan(open_source(folder), silent, **options).set_index("path")


class Counter:
    """Notes how many pictures were read."""

    def __init__(self) -> None:
        self.read = 0

    def __call__(self, phase: str, done: int, _total: int) -> None:
        if phase == SCANNING:
            self.read = done


def test_facts_of_a_picture(tmp_path: Path) -> None:
    picture = 255 - drawn("人", 1, side_px=72)[:, :60]
    row = scanned(write_files(tmp_path, {"人/1.png": png(picture)})).loc["人/1.png"]
    assert (row["label"], row["width_px"], row["height_px"], row["fault"]) == ("人", 60, 72, "")
    assert row["ink_is_light"]
    assert 0.02 < row["ink_coverage"] < 0.5
    assert len(row["digest"]) == 32
    assert len(row["likeness"]) == 64


def test_faults_of_files(tmp_path: Path) -> None:
    good = png(drawn("人", 0))
    files = {
        "人/good.png": good,
        "人/empty.png": b"",
        "人/cut.png": good[: len(good) // 2],
        "人/notes.doc": b"hello",
        "人/blank.png": BLANK,
        "人/poster.png": HUGE,
        "top.png": png(drawn("木", 0)),
    }
    faults = scanned(write_files(tmp_path, files))["fault"].to_dict()
    assert faults == {
        "人/good.png": "",
        "人/empty.png": Fault.EMPTY,
        "人/cut.png": Fault.UNREADABLE,
        "人/notes.doc": Fault.NOT_A_PICTURE,
        "人/blank.png": Fault.BLANK,
        "人/poster.png": Fault.TOO_LARGE,
        "top.png": Fault.NO_LABEL,
    }


def test_a_film_among_the_pictures_is_not_read(tmp_path: Path) -> None:
    folder = write_collection(tmp_path, "人", 2)
    with (folder / "人" / "film.mp4").open("wb") as film:
        film.truncate(300 * 2**20)  # a hole: takes no space
    assert scanned(folder).loc["人/film.mp4", "fault"] == Fault.TOO_LARGE


def test_a_broken_record_is_a_row_with_its_offset(tmp_path: Path) -> None:
    (tmp_path / "a.gnt").write_bytes(record("人", drawn("人", 0)) + record("木", drawn("木", 0))[:-5])
    manifest = scanned(tmp_path / "a.gnt")
    assert manifest["fault"].to_dict() == {"a.gnt#0": "", f"a.gnt#{10 + 72 * 72}": Fault.BROKEN_RECORD}


def test_a_name_that_comes_twice_in_a_zip_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        for seed in range(2):
            archive.writestr("人/1.png", png(drawn("人", seed)))
    assert scanned(tmp_path / "a.zip")["fault"].to_dict() == {"人/1.png": "", "人/1.png#1": Fault.NAME_TWICE}


def test_a_file_that_vanishes_while_it_is_scanned(tmp_path: Path) -> None:
    folder = write_collection(tmp_path, "人木", 3)

    def remove_one(phase: str, _done: int, _total: int) -> None:
        (folder / "木" / "2.png").unlink(missing_ok=True)

    manifest = scan(open_source(folder), remove_one).set_index("path")
    assert manifest.loc["木/2.png", "fault"] == Fault.GONE
    assert (manifest["fault"] == "").sum() == 5


def test_a_file_that_changes_while_it_is_scanned_is_read_again_by_the_next(tmp_path: Path) -> None:
    folder = write_collection(tmp_path, "人木", 3)
    other = png(drawn("木", 99))

    def change_one(phase: str, _done: int, _total: int) -> None:
        if phase == LISTING:
            (folder / "木" / "2.png").write_bytes(other)

    first, counter = scan(open_source(folder), change_one), Counter()
    second = scan(open_source(folder), counter, previous=first).set_index("path")
    assert counter.read == 1
    assert second.loc["木/2.png", "size_bytes"] == len(other)
    assert (second["fault"] == "").all()


def test_a_gnt_file_that_is_cut_off_while_it_is_scanned(tmp_path: Path) -> None:
    place = tmp_path / "a.gnt"
    whole = [record("人", drawn("人", seed)) for seed in range(3)]
    place.write_bytes(b"".join(whole))

    def cut_off(phase: str, _done: int, _total: int) -> None:
        if phase == LISTING:
            place.write_bytes(whole[0] + whole[1][:-20])

    manifest = scan(open_source(place), cut_off)
    assert manifest["fault"].tolist() == ["", Fault.UNREADABLE, Fault.GONE]


@pytest.mark.parametrize("kind", ["folder", "zip", "gnt"])
def test_what_a_failing_disk_kept_back_is_read_by_the_next_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    files = {f"人/{seed}.png": png(drawn("人", seed)) for seed in range(3)}
    places = {
        "folder": write_files(tmp_path / "a", files),
        "zip": write_zip(tmp_path / "a.zip", files),
        "gnt": write_gnt(tmp_path / "a.gnt", "人人人"),
    }
    source, calls = open_source(places[kind]), count()

    def failing_once(function: Callable[..., Any]) -> Callable[..., Any]:
        """As a disk that fails does, which cannot be had in a test."""

        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls) == 1:
                raise OSError(errno.EIO, "Input/output error")
            return function(*arguments, **options)

        return call

    with monkeypatch.context() as disk:
        disk.setattr(folder, "FileIO", failing_once(folder.FileIO))
        disk.setattr(zipfile.ZipFile, "open", failing_once(zipfile.ZipFile.open))
        disk.setattr(GntSource, "_file", failing_once(GntSource._file))
        first = scan(source, silent)
    assert first["fault"].tolist() == ["", Fault.GONE, ""]
    assert scan(source, silent, previous=first)["fault"].tolist() == ["", "", ""]


def test_a_zip_that_goes_before_processes_open_it_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "PROCESSES_FROM", 1)
    monkeypatch.setattr(parallel, "core_count", lambda: 2)
    place = write_zip(tmp_path / "a.zip", {f"人/{seed}.png": png(drawn("人", seed)) for seed in range(3)})
    with pytest.raises(ArchiveError, match=r"a\.zip is damaged or no zip"):
        scan(open_source(place), lambda phase, _done, _total: place.unlink() if phase == LISTING else None)


def test_a_second_scan_reads_only_what_changed(tmp_path: Path) -> None:
    folder = write_collection(tmp_path, "人木", 5)
    first = scan(open_source(folder), silent)
    (folder / "人" / "0.png").write_bytes(png(drawn("人", 99)))
    os.utime(folder / "人" / "0.png", ns=(time.time_ns(), time.time_ns()))
    (folder / "人" / "1.png").unlink()
    (folder / "木" / "new.png").write_bytes(png(drawn("木", 98)))
    counter = Counter()
    second = scan(open_source(folder), counter, previous=first)
    assert counter.read == 2
    pd.testing.assert_frame_equal(second, scan(open_source(folder), silent))


def test_a_second_scan_of_nothing_new_reads_nothing(tmp_path: Path) -> None:
    folder = write_collection(tmp_path, "人", 5)
    (folder / "人" / "empty.png").touch()
    first, counter = scan(open_source(folder), silent), Counter()
    pd.testing.assert_frame_equal(scan(open_source(folder), counter, previous=first), first)
    assert counter.read == 0


def test_pictures_are_read_once_no_gnt_file_lies_beside_them(tmp_path: Path) -> None:
    write_collection(tmp_path, "人木", 2)
    stray = write_gnt(tmp_path / "stray.gnt", "口")
    beside = scan(open_source(tmp_path), silent)
    assert beside["fault"].tolist() == ["", *[Fault.BESIDE_GNT] * 4]
    stray.unlink()
    alone = scan(open_source(tmp_path), silent, previous=beside)
    pd.testing.assert_frame_equal(alone, scan(open_source(tmp_path), silent))


def test_what_was_excluded_by_hand_stays_so(tmp_path: Path) -> None:
    folder = write_collection(tmp_path, "人", 3)
    first = scan(open_source(folder), silent)
    first["excluded_by_hand"] = first["path"] == "人/1.png"
    second = scan(open_source(folder), silent, previous=first)
    assert second.loc[second["excluded"], "path"].tolist() == ["人/1.png"]


def test_processes_see_what_threads_see(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    pictures = [png(drawn("人", seed, 24)) for seed in range(40)]
    write_files(folder, {f"人/{number}.png": pictures[number % 40] for number in range(PROCESSES_FROM)})
    many = scanned(folder)
    few = scanned(write_files(tmp_path / "few", {f"人/{number}.png": pictures[number] for number in range(40)}))
    columns = ["digest", "likeness", "ink_coverage", "fault"]
    pd.testing.assert_frame_equal(many.loc[few.index, columns], few[columns])
    assert many["copy_group"].nunique() == few["copy_group"].nunique()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everybody make links")
def test_nothing_but_links_is_a_sentence(tmp_path: Path) -> None:
    picture = write_collection(tmp_path / "a", "人", 1) / "人" / "0.png"
    (tmp_path / "b" / "人").mkdir(parents=True)
    (tmp_path / "b" / "人" / "0.png").symlink_to(picture)
    with pytest.raises(DatasetError, match="nothing but links"):
        scanned(tmp_path / "b")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"人/1.png": b"x"}, "no picture that can be read"),
        ({"1.png": png(drawn("人", 0))}, "lie in no folders"),
    ],
)
def test_nothing_usable_is_a_sentence(tmp_path: Path, files: dict[str, bytes], says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        scanned(write_files(tmp_path, files))


def test_rows_come_in_the_order_of_paths(tmp_path: Path) -> None:
    manifest = scanned(write_collection(tmp_path, "木人", 3))
    assert list(manifest.index) == sorted(manifest.index)


def test_gray_levels_do_not_matter_to_the_hash(tmp_path: Path) -> None:
    picture = drawn("日", 4)
    files = {"日/1.png": png(picture), "日/2.png": png(cv2.convertScaleAbs(picture, alpha=0.6, beta=60))}
    manifest = scanned(write_files(tmp_path, files))
    assert manifest["copy_group"].nunique() == 1
