import csv
import json
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import typer

from bench.doubt import scribble
from hanzi_core.cli.recognition import predict
from hanzi_core.dataset.source import open_source
from hanzi_core.jobs import Job, State, Work
from hanzi_core.language import set_language_source
from hanzi_core.recognition.batch import COLUMNS, TABLE, PredictionConfig, pictures_of, read_faults
from hanzi_core.recognition.prototypes import TaughtCharacters
from hanzi_core.recognition.recogniser import SURE
from hanzi_core.workspace import Workspace
from tests.conftest import run_command
from tests.handwriting import draw, write_png
from tests.written_page import write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(5)
    place = tmp_path / "pictures"
    for number in range(35):
        write_png(place / "木" / f"{number}.png", draw("木", random))
    write_png(place / "blank.png", np.full((40, 40), 255, np.uint8))
    (place / "notes.txt").write_text("no picture")
    return place


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_becomes_a_table(trained: Workspace, folder: Path, tmp_path: Path) -> None:
    done = run_command(trained.root, "predict", str(folder), "--csv", str(tmp_path / "out.csv"))
    assert done.returncode == 0, done.stderr
    assert "37 pictures, 1 that cannot be read" in done.stdout
    table = {Path(row["path"]).name: row for row in rows(tmp_path / "out.csv")}
    assert tuple(table["0.png"]) == COLUMNS
    assert len(table) == 37
    assert sum(row["label_1"] == "木" for row in table.values()) >= 30
    assert 0 < float(table["0.png"]["probability_1"]) <= 1
    assert "cannot be read as a picture" in table["notes.txt"]["error"]
    assert table["blank.png"]["label_1"] == table["blank.png"]["error"] == table["blank.png"]["sure"] == ""
    sure = {row["sure"] for row in table.values() if float(row["probability_1"] or 0) >= 0.99}
    assert "yes" in sure and sure <= {"yes", "no"}


def test_a_scribble_that_the_model_takes_for_something_is_not_sure(workspace: Workspace, tmp_path: Path) -> None:
    place = tmp_path / "scribbles"
    for seed in range(40):
        write_png(place / f"{seed}.png", scribble(np.random.default_rng(seed)))
    done = run_command(workspace.root, "predict", str(place), "--csv", str(tmp_path / "out.csv"))
    assert done.returncode == 0, done.stderr
    written = rows(tmp_path / "out.csv")
    assert any(row["sure"] == "no" and float(row["probability_1"]) >= SURE for row in written)
    unsure = {row["path"] for row in written if row["sure"] == "no"}
    done = run_command(workspace.root, "predict", str(place))
    assert {line.split("\t")[0] for line in done.stdout.splitlines() if line.endswith("\tnot sure")} == unsure


def test_a_folder_cannot_become_the_table(workspace: Workspace, folder: Path) -> None:
    for place in (".", str(folder)):
        done = run_command(workspace.root, "predict", str(folder / "blank.png"), "--csv", place)
        assert done.returncode == 2
        assert f"{place} cannot be written (Is a directory): name another place" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_page_starts_the_same_as_a_job(trained: Workspace, workspace: Workspace, folder: Path) -> None:
    run = next(trained.jobs.glob("train-*"))
    (workspace.models / "m").symlink_to(run / "bundle")
    job = Job.create(workspace, "predict", {}, "two files")
    with zipfile.ZipFile(job.folder / "pictures.zip", "w") as archive:
        archive.write(folder / "木" / "0.png", "0.png")
        archive.write(folder / "notes.txt", "notes.txt")
    config = PredictionConfig(location=Path("pictures.zip"), model="m").model_dump(mode="json")
    stored = json.loads((job.folder / "config.json").read_text("utf-8"))
    (job.folder / "config.json").write_text(json.dumps({**stored, "config": config}))
    done = run_command(workspace.root, "predict", "--job", job.id)
    assert done.returncode == 0, done.stderr
    assert job.status().state is State.FINISHED
    assert job.result() == {"images": 2, "faults": 1}
    assert [row["path"] for row in rows(job.folder / TABLE)] == ["0.png", "notes.txt"]
    set_language_source(lambda: "zh_CN")
    (told,) = read_faults(job.folder).items()
    assert told[0] == "notes.txt" and "无法" in told[1]


def test_nothing_is_left_out_without_a_word(trained: Workspace, tmp_path: Path) -> None:
    random, place = np.random.default_rng(5), tmp_path / "pictures"
    write_png(place / "木" / "0.png", draw("木", random))
    (place / "木" / "0.png").rename(place / "木" / os.fsdecode(b"\xba\xba.png"))  # 汉 in GBK
    write_png(tmp_path / "away.png", draw("木", random))
    (place / "link.png").symlink_to(tmp_path / "away.png")
    (place / "empty").mkdir()
    done = run_command(trained.root, "predict", str(place), "--csv", str(tmp_path / "out.csv"))
    assert done.returncode == 0, done.stderr
    table = {Path(row["path"]).name: row for row in rows(tmp_path / "out.csv")}
    assert set(table) == {r"\xba\xba.png", "link.png"}
    assert table[r"\xba\xba.png"]["label_1"] == "木"
    assert table["link.png"]["error"] == "link or device, not followed"


def test_a_zip_is_read_as_a_folder_is(trained: Workspace, tmp_path: Path) -> None:
    write_png(tmp_path / "wood.png", draw("木", np.random.default_rng(5)))
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.write(tmp_path / "wood.png", "木/1.png")
    (tmp_path / "bad.zip").write_bytes(b"rubbish")
    appended = (tmp_path / "wood.png").read_bytes() + (tmp_path / "some.zip").read_bytes()
    (tmp_path / "polyglot.png").write_bytes(appended)
    names = ["some.zip", "polyglot.png", "bad.zip", "away.zip"]
    done = run_command(trained.root, "predict", *(str(tmp_path / name) for name in names))
    assert done.returncode == 2
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [
        str(tmp_path / "some.zip" / "木" / "1.png"),
        str(tmp_path / "polyglot.png"),
    ]
    bad, away = (line for line in done.stderr.splitlines() if "\t" in line)
    assert bad.endswith("bad.zip is damaged or no zip: pack it again.") and "No such file" in away


@pytest.mark.parametrize("table", [[], ["--csv", "out.csv"]])
def test_where_no_files_are_a_sentence_says_so(workspace: Workspace, tmp_path: Path, table: list[str]) -> None:
    (tmp_path / "empty").mkdir()
    done = run_command(workspace.root, "predict", str(tmp_path / "empty"), *table)
    assert done.returncode == 2 and done.stdout == ""
    assert f"No files are in {tmp_path / 'empty'}: name pictures" in done.stderr


def test_both_of_one_name_in_a_zip_are_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.png", b"one")
        archive.writestr("a.png", b"two")
    assert sorted(read() for _path, read in pictures_of(open_source(tmp_path / "two.zip"))) == [b"one", b"two"]


def test_a_job_that_is_stopped_keeps_what_it_read(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = PredictionConfig(location=folder, model="builtin").model_dump(mode="json")
    job = Job.create(workspace, "predict", config, "many")
    report = Work.report

    def stop_after_five(work: Work, phase: str, done: int, total: int = 0) -> None:
        if done == 5:
            job.request_stop()
        report(work, phase, done, total)

    monkeypatch.setattr(Work, "report", stop_after_five)
    with pytest.raises(typer.Exit):
        predict(SimpleNamespace(obj=workspace), job=job.id)
    assert job.status().state is State.STOPPED
    assert len(rows(job.folder / TABLE)) == 5
    assert set(read_faults(job.folder)) == {"notes.txt"}


def test_a_taught_character_is_known_here_too(trained: Workspace, workspace: Workspace, tmp_path: Path) -> None:
    (workspace.models / "m").symlink_to(next(trained.jobs.glob("train-*")) / "bundle")
    write_png(tmp_path / "sun.png", 255 - write("回", 9, 90)[0])
    command = ["predict", str(tmp_path / "sun.png"), "--model", "m", "--csv", str(tmp_path / "out.csv")]
    assert run_command(workspace.root, *command).returncode == 0
    assert rows(tmp_path / "out.csv")[0]["label_1"] != "☀"
    TaughtCharacters(workspace).add("☀", [255 - write("回", seed, 90)[0] for seed in (1, 2, 3)])
    assert run_command(workspace.root, *command).returncode == 0
    assert rows(tmp_path / "out.csv")[0]["label_1"] == "☀"
