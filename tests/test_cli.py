import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hanzi_core.cli import build
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.workspace import ENVIRONMENT_VARIABLE, Workspace
from tests.collection import imported
from tests.conftest import PROJECT, Command, run_command
from tests.handwriting import draw, write_collection, write_png


@pytest.mark.parametrize(
    "verb",
    [
        [],
        ["serve"],
        ["dataset"],
        ["dataset", "import"],
        ["dataset", "scan"],
        ["dataset", "split"],
        ["train"],
        ["evaluate"],
        ["predict"],
        ["jobs"],
        ["models"],
    ],
)
def test_every_verb_explains_itself(command: Command, verb: list[str]) -> None:
    done = command(*verb, "--help")
    assert done.returncode == 0
    assert "Usage: python -m hanzi_core" in done.stdout


def test_a_dataset_from_a_folder_to_its_split(command: Command, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "手写", "人木口", 10)
    (folder / "人" / "notes.txt").write_text("not a picture")
    (folder / "木" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n rubbish")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = command("dataset", "import", str(folder), "--name", "three")
    assert done.returncode == 0, done.stderr
    assert "30 pictures of 3 classes, 2 with faults" in done.stdout
    assert command("dataset", "split", "three", "--test", "0.2").stdout.startswith("train 21  validation 3  test 6")
    scanned = command("dataset", "scan", "three").stdout
    assert "not a picture\t人/notes.txt" in scanned and "damaged picture\t木/broken.png" in scanned
    assert "three\t30\t3\t" in command("dataset", "list").stdout
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pictures_are_recognised(trained: Workspace, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    for character in "木口":
        write_png(tmp_path / f"{character}.png", draw(character, random, 200))
    write_png(tmp_path / "blank.png", np.full((50, 50), 255, np.uint8))
    paths = [str(tmp_path / name) for name in ("木.png", "口.png", "blank.png")]
    done = run_command(trained.root, "predict", *paths, "--count", "3")
    assert done.returncode == 0, done.stderr
    wood, mouth, blank = done.stdout.splitlines()
    assert wood.split("\t")[1].startswith("木 ") and mouth.split("\t")[1].startswith("口 ")
    assert blank.endswith("no ink found")


def test_a_picture_that_cannot_be_read_does_not_stop_the_others(trained: Workspace, tmp_path: Path) -> None:
    write_png(tmp_path / "good.png", draw("木", np.random.default_rng(1)))
    (tmp_path / "bad.png").write_text("rubbish")
    done = run_command(trained.root, "predict", str(tmp_path / "bad.png"), str(tmp_path / "good.png"))
    assert done.returncode == 2
    assert "good.png" in done.stdout and "cannot be read as a picture" in done.stderr


def test_a_list_of_characters_counts_alone_and_not_beside_another_choice(trained: Workspace, tmp_path: Path) -> None:
    write_png(tmp_path / "wood.png", draw("木", np.random.default_rng(1)))
    command = ["predict", str(tmp_path / "wood.png"), "--listed", "口日"]
    for named in ([], ["--vocabulary", "list"]):
        done = run_command(trained.root, *command, *named)
        assert done.returncode == 0, done.stderr
        candidates = done.stdout.split("\t")[1]
        assert "口" in candidates and "日" in candidates and "木" not in candidates
    done = run_command(trained.root, "predict", str(tmp_path / "wood.png"), "--listed", "木龘 Ω")
    assert done.returncode == 0 and "2 of them are unknown to the model: 龘Ω" in done.stderr
    done = run_command(trained.root, *command, "--vocabulary", "simplified")
    assert done.returncode == 2 and done.stdout == ""
    assert "Either the characters of --listed count, or those of --vocabulary simplified" in done.stderr


def zip_with(path: Path, name: str, content: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
    return path


class TestMistakesAreOneSentence:
    def check(self, command: Command, *arguments: str, says: str) -> None:
        done = command(*arguments)
        assert done.returncode == 2, done.stdout + done.stderr
        assert says in done.stderr
        assert "Traceback" not in done.stderr

    def test_nothing_there(self, command: Command) -> None:
        self.check(command, "dataset", "import", "/nowhere/at/all", says="Nothing is at /nowhere/at/all")

    def test_a_path_that_was_left_empty(self, workspace: Workspace) -> None:
        """As ``"$UNSET"`` gives it: it was the current folder."""
        for verb, says in (
            (["dataset", "import"], "Give the folder, zip or .gnt file to import."),
            (["dataset", "materialise", "any"], "Give the folder to write to."),
            (["synthesise", "--characters", "人"], "Give a folder to write to"),
            (["predict"], "Say which pictures or folders"),
        ):
            done = CliRunner().invoke(build([verb[0]]), ["--workspace", str(workspace.root), *verb, ""])
            assert says in str(done.exception), done.output
        assert not list_jobs(workspace)

    def test_an_empty_folder(self, command: Command, tmp_path: Path, workspace: Workspace) -> None:
        (tmp_path / "empty").mkdir()
        self.check(command, "dataset", "import", str(tmp_path / "empty"), says="holds no files")
        assert list(workspace.datasets.iterdir()) == []

    def test_a_zip_that_leaves_its_folder(self, command: Command, tmp_path: Path, workspace: Workspace) -> None:
        path = zip_with(tmp_path / "evil.zip", "../x.png")
        self.check(command, "dataset", "import", str(path), says="leaves its folder")
        assert list(workspace.datasets.iterdir()) == []

    def test_a_name_that_is_taken(self, command: Command, tmp_path: Path) -> None:
        folder = str(write_collection(tmp_path / "a", "人木", 3))
        assert command("dataset", "import", folder).returncode == 0
        self.check(command, "dataset", "import", folder, says="already a dataset “a”")

    def test_one_class_only(self, command: Command, tmp_path: Path) -> None:
        command("dataset", "import", str(write_collection(tmp_path / "one", "人", 6)))
        self.check(command, "train", "--dataset", "one", says="needs two or more")

    def test_no_such_dataset(self, command: Command) -> None:
        self.check(command, "train", "--dataset", "none", says="There is no dataset “none”")

    def test_ratios_that_leave_nothing(self, command: Command, tmp_path: Path) -> None:
        folder = str(write_collection(tmp_path / "b", "人木", 3))
        self.check(command, "dataset", "import", folder, "--test", "0.6", "--validation", "0.5", says="less than 1")

    def test_no_model_yet(self, command: Command, tmp_path: Path) -> None:
        if (Path(__file__).parents[1] / "models" / "builtin").exists():
            pytest.skip("the built-in model is always there")
        self.check(command, "predict", str(tmp_path / "a.png"), says="There is no model yet")

    def test_no_such_model(self, trained: Workspace, tmp_path: Path) -> None:
        done = run_command(trained.root, "predict", "a.png", "--model", "none")
        assert done.returncode == 2 and "There is no model “none”" in done.stderr

    def test_no_such_run(self, command: Command) -> None:
        self.check(command, "evaluate", "train-0", says="There is no model “train-0”")

    def test_on_which_dataset(self, command: Command) -> None:
        self.check(command, "evaluate", "builtin", says="Say on which dataset “builtin” is to be evaluated")

    def test_a_port_in_use(self, command: Command) -> None:
        with socket.socket() as taken:
            taken.bind(("localhost", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.check(command, "serve", "--port", str(port), says=f"Port {port} is in use")

    def test_nothing_corrected_yet(self, command: Command) -> None:
        self.check(command, "fine-tune", says="Nothing was corrected yet")

    def test_a_file_where_a_training_of_the_built_in_model_should_be(self, command: Command, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for verb in ("draw", "train"):
            self.check(command, "builtin", verb, str(tmp_path / "file"), says="cannot be written")

    def test_an_address_that_was_left_empty(self, command: Command) -> None:
        """As ``--address "$UNSET"`` gives it: to a socket it means every address, and there is no password."""
        self.check(command, "serve", "--address", "", says="Give the address to listen on")

    def test_stopping_what_has_ended(self, trained: Workspace, finished_run: Job) -> None:
        done = run_command(trained.root, "jobs", "stop", finished_run.id)
        assert done.returncode == 2 and "has already ended" in done.stderr


def test_a_dataset_that_was_moved_away_is_told(command: Command, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "moving", "人木", 6)
    command("dataset", "import", str(folder))
    shutil.move(folder, tmp_path / "elsewhere")
    done = command("train", "--dataset", "moving", "--network", "cnn", "--epochs", "1")
    # Pictures of 64 px were packed when they were read; those of 160 px must be read anew.
    assert done.returncode == 2 and "Nothing is at" in done.stderr


def test_a_workspace_that_was_left_empty_is_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``--workspace "$UNSET"`` gives it: its folders were made amid whatever lies in the current one."""
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(build(["jobs"]), ["--workspace", "", "jobs", "list"]).exit_code == 0
    assert [each.name for each in tmp_path.iterdir()] == ["workspace"]


def test_a_character_that_the_terminal_lacks_stops_no_list(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another encoding than UTF-8, as where Windows writes to a file."""
    imported(workspace, write_collection(tmp_path / "a", "人木", 3), "手")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    done = run_command(workspace.root, "dataset", "list")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("\\u624b\t6\t2\t")


def test_ctrl_c_while_a_verb_is_being_imported_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def press_ctrl_c(_verbs: object) -> None:
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("hanzi_core.cli.build", press_ctrl_c)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("hanzi_core", run_name="__main__")
    signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 130


TERMINATED = """
import os, signal
from hanzi_core.cli import main, recognition
recognition.write_table = lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)
main()
"""
"""A command that is terminated while it writes."""


def test_what_is_half_written_goes_with_a_command_that_is_terminated(workspace: Workspace, tmp_path: Path) -> None:
    write_png(tmp_path / "wood.png", draw("木", np.random.default_rng(1)))
    verb = ["--workspace", str(workspace.root), "predict", "wood.png", "--csv", "table.csv"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", TERMINATED, *verb]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 143, done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"wood.png", "workspace"}
