"""What a person does with jobs in a terminal, each verb as a page does it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hanzi_core.cli import build
from hanzi_core.cli.perform import _show
from hanzi_core.cli.training import estimated, settings
from hanzi_core.errors import JobError
from hanzi_core.jobs import Job, Progress, State, list_jobs
from hanzi_core.jobs.devices import CPU, slots
from hanzi_core.jobs.process import ProcessId
from hanzi_core.jobs.queue import look, wait_in_line
from hanzi_core.language import Sentence
from hanzi_core.training.config import Network
from hanzi_core.workspace import Workspace
from tests.runs import make_dataset, make_run


def jobs(workspace: Workspace, *arguments: str) -> str:
    done = CliRunner().invoke(build(["jobs"]), ["--workspace", str(workspace.root), "jobs", *arguments])
    if isinstance(done.exception, JobError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def ended(workspace: Workspace) -> Job:
    job = make_run(workspace, network="cnn", epochs=7)
    job.write_status(job.stored_status().to(State.FINISHED, Sentence("Finished.")))
    return job


def test_name_tags_and_notes(workspace: Workspace, ended: Job) -> None:
    assert jobs(workspace, "describe", ended.id) == "small\n"
    told = jobs(workspace, "describe", ended.id, "--title", "mine", "--tag", "good", "--tag", "slow", "--notes", "seen")
    assert told == "mine\t#good\t#slow\tseen\n"
    assert (ended.title, ended.tags, ended.notes) == ("mine", ("good", "slow"), "seen")


def test_times_in_a_terminal_are_written_as_people_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    _show(Progress(phase="Training", done=30, total=40, remaining_s=3725))
    assert "30/40   75%  1 h 2 min" in capsys.readouterr().err
    found = {"epoch_s": 0.3, "total_s": 12.4, "memory_bytes": 2**30, "images_per_s": 1234.0}
    assert estimated(found).startswith("less than 1 s an epoch, 12 s in all"), "and not 0 s"


def test_to_the_trash_and_back(workspace: Workspace, ended: Job) -> None:
    jobs(workspace, "delete", ended.id)
    assert ended.id not in jobs(workspace, "list")
    assert jobs(workspace, "trash") == f"{ended.id}\tsmall\n"
    jobs(workspace, "restore", ended.id)
    assert ended.id in jobs(workspace, "list") and jobs(workspace, "trash") == ""
    with pytest.raises(JobError, match="in the trash"):
        jobs(workspace, "restore", ended.id)


def test_a_damaged_job_is_listed_with_the_way_to_remove_it(workspace: Workspace, ended: Job) -> None:
    (ended.folder / "config.json").write_text('{"kind": "tra')
    (row,) = jobs(workspace, "list").splitlines()
    assert row.startswith(f"{ended.id}\t–\tdamaged\t") and "delete the job" in row
    jobs(workspace, "delete", ended.id)
    assert jobs(workspace, "list") == "" and jobs(workspace, "trash") == f"{ended.id}\tdamaged\n"


def test_a_title_breaks_neither_columns_nor_lines(workspace: Workspace, ended: Job) -> None:
    jobs(workspace, "describe", ended.id, "--title", "my\trun\nof  today")
    (row,) = jobs(workspace, "list").splitlines()
    assert row.split("\t")[2:] == ["finished", "my run of  today"]


def test_to_end_what_has_ended_is_told(workspace: Workspace, ended: Job) -> None:
    with pytest.raises(JobError, match="already ended"):
        jobs(workspace, "kill", ended.id)
    waiting = make_run(workspace)
    assert jobs(workspace, "kill", waiting.id) == "" and waiting.stored_status().state is State.STOPPED


def test_a_run_in_a_terminal_ends_when_it_is_stopped_while_it_waits(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[Job] = []

    def look_and_stop_first(workspace: Workspace, job: Job, tell: Callable[[list[Job]], None]) -> bool:
        look(workspace, launched.append)  # the supervisor's, at the first moment that it can
        job.request_stop()
        return wait_in_line(workspace, job, tell)

    make_dataset(workspace, tmp_path / "three")
    monkeypatch.setattr("hanzi_core.cli.training.wait_in_line", look_and_stop_first)
    command = ["--workspace", str(workspace.root), "train", "--dataset", "three", "--device", CPU]
    done = CliRunner().invoke(build(["train"]), command)
    assert done.exit_code == 0 and "Stopped before it began." in done.stdout, done.output
    assert launched == []


@pytest.mark.skipif(slots(CPU) > 1, reason="this test expects a CPU that takes one run at a time")
@pytest.mark.parametrize(("signalled", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_a_run_left_while_it_waits_in_a_terminal_is_stopped_and_not_lost(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signalled: BaseException, code: int
) -> None:
    def leave(_held_by: list[Job]) -> None:
        raise signalled

    make_dataset(workspace, tmp_path / "three")
    holder = make_run(workspace)
    holder.write_status(holder.stored_status().to(State.RUNNING, Sentence("Working."), process=ProcessId.own()))
    monkeypatch.setattr("hanzi_core.cli.training._tell_holders", leave)
    command = ["--workspace", str(workspace.root), "train", "--dataset", "three", "--device", CPU]
    done = CliRunner().invoke(build(["train"]), command)
    assert done.exit_code == code and "Stopped before it began." in done.stdout, done.output
    assert [job.stored_status().state for job in list_jobs(workspace, "train")] == [State.STOPPED, State.RUNNING]


def test_a_clone_begins_with_the_settings_of_its_run(workspace: Workspace, ended: Job, tmp_path: Path) -> None:
    make_dataset(workspace, tmp_path / "three")
    values = settings(workspace, {"seed": 4}, ended.id)
    assert (values["network"], values["epochs"], values["dataset"], values["seed"]) == (Network.CNN, 7, "three", 4)
    with pytest.raises(JobError, match="no job"):
        settings(workspace, {}, "train-gone")
    evaluation = Job.create(workspace, "evaluate", {"split": {}}, "three")
    with pytest.raises(JobError, match="is no run"):
        settings(workspace, {}, evaluation.id)
