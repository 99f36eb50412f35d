import errno
import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from hanzi_core.errors import JobError, WorkspaceError
from hanzi_core.jobs import Follower, History, Job, State, Work, list_jobs, run_work
from hanzi_core.jobs.devices import CPU, environment, find_device, list_devices, slots
from hanzi_core.jobs.lock import deciding
from hanzi_core.jobs.process import ProcessId
from hanzi_core.jobs.queue import wait_in_line
from hanzi_core.jobs.store import STARTING_LIMIT_S, Status, damaged_jobs
from hanzi_core.jobs.trash import damaged, empty, restore, throw_away, thrown_away
from hanzi_core.language import Sentence
from hanzi_core.workspace import Workspace, replace_json


def make(workspace: Workspace) -> Job:
    return Job.create(workspace, "errand", {"much": 1}, "手写", ["cpu"])


def test_a_job_is_what_its_folder_says(workspace: Workspace) -> None:
    job = make(workspace)
    found = Job.find(workspace, job.id)
    assert (found.kind, found.title, found.config, found.devices) == ("errand", "手写", {"much": 1}, ("cpu",))
    found.describe(title="other", tags=["a", "b"], notes="seen")
    assert (job.title, job.tags, job.notes, job.config) == ("other", ("a", "b"), "seen", {"much": 1})
    with pytest.raises(JobError, match="cannot be empty"):
        job.describe(title=" ")
    with pytest.raises(JobError, match="no job"):
        Job.find(workspace, "train-gone")


def test_a_job_that_finds_no_space_leaves_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(WorkspaceError):
        make(workspace)
    assert list(workspace.jobs.iterdir()) == []


def test_a_job_is_listed_when_all_of_it_is_there(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[State] = []
    rename = Path.rename

    def look() -> None:
        assert damaged_jobs(workspace.jobs) == [], "one that is half made is none that is damaged"
        seen.extend(job.stored_status().state for job in list_jobs(workspace))

    def look_after_file(path: Path, value: object) -> None:
        replace_json(path, value)
        look()

    def look_after_name(path: Path, target: Path) -> Path:
        named = rename(path, target)
        look()
        return named

    monkeypatch.setattr("hanzi_core.jobs.store.replace_json", look_after_file)
    monkeypatch.setattr("pathlib.Path.rename", look_after_name)
    make(workspace)
    assert seen == [State.QUEUED]


def test_what_is_no_job_or_goes_amid_the_listing_is_in_nobodys_way(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make(workspace)
    (workspace.jobs / "Thumbs.db").touch()
    read = Job.created.fget

    def read_and_throw_away(each: Job) -> float:
        created = read(each)
        shutil.rmtree(each.folder)
        return created

    monkeypatch.setattr(Job, "created", property(read_and_throw_away))
    assert list_jobs(workspace) == [job]
    assert list_jobs(workspace) == []


def test_the_trash_gives_back_until_it_is_emptied(workspace: Workspace) -> None:
    job = make(workspace)
    with pytest.raises(JobError, match="still at work"):
        throw_away(workspace, job)
    job.request_stop()
    throw_away(workspace, job)
    assert [each.id for each in thrown_away(workspace)] == [job.id] and not job.folder.exists()
    assert restore(workspace, thrown_away(workspace)[0]).title == "手写"
    throw_away(workspace, job)
    assert empty(workspace) == 1 and thrown_away(workspace) == []


def test_work_that_ends_in_every_way(workspace: Workspace) -> None:
    def stop(work: Work) -> dict:
        (work.folder / "stop").touch()
        work.check()
        return {}

    def fail(_work: Work) -> dict:
        raise JobError("The {thing} is missing.", thing="paper")

    ends = {
        State.FINISHED: (lambda _work: {"much": 2}, 0),
        State.STOPPED: (stop, 0),
        State.FAILED: (fail, 2),
    }
    for state, (function, code) in ends.items():
        job = make(workspace)
        assert run_work(job, function) == code
        assert job.status().state is state
        assert (job.result() == {"much": 2}) is (state is State.FINISHED)
    assert str(job.status().changes[-1]) == "The paper is missing."
    assert run_work(make(workspace), lambda _work: {}["nothing"]) == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_work_that_a_signal_stopped_is_no_success_to_a_script(workspace: Workspace, number: int, code: int) -> None:
    """``import … && train …``: what was stopped is not gone on with."""

    def hear(work: Work) -> dict:
        os.kill(os.getpid(), number)
        return {"much": 2} if work.stopping() else {}

    def break_off(work: Work) -> dict:
        os.kill(os.getpid(), number)
        work.check()
        return {}

    for function in (hear, break_off):
        job = make(workspace)
        assert run_work(job, function) == code
        assert job.status().state is State.STOPPED


def test_a_half_written_line_waits_and_a_spoilt_one_is_passed_over(workspace: Workspace) -> None:
    history = make(workspace).history
    history.append({"epoch": 1})
    with history.path.open("ab") as file:
        file.write(b'{"epo\n{"epoch": 3}\n{"epoch": 4')
    rows, place = history.read()
    assert rows == [{"epoch": 1}, {"epoch": 3}]
    with history.path.open("ab") as file:
        file.write(b"}\n")
    assert history.read(place)[0] == [{"epoch": 4}]


def test_a_follower_reads_what_is_new_and_sees_a_history_that_was_cut(workspace: Workspace) -> None:
    history = History(make(workspace).folder / "history.jsonl")
    follower = Follower(history)
    assert follower.rows() == []
    for number in range(3):
        history.append({"epoch": number})
    size = history.size_bytes()
    history.append({"epoch": 3})
    assert len(follower.rows()) == 4
    history.cut(size)
    history.append({"epoch": 30})
    assert [row["epoch"] for row in follower.rows()] == [0, 1, 2, 30]


def test_a_refresh_at_ten_thousand_rows_costs_milliseconds(workspace: Workspace) -> None:
    from hanzi_core.charts.curves import learning_curves

    history = make(workspace).history
    with history.path.open("a") as file:
        for number in range(10_000):
            file.write(f'{{"kind": "step", "epoch": {number / 100}, "loss": 1.5, "accuracy": 0.5, "top_5": 0.9}}\n')
    follower = Follower(history)
    follower.rows()
    learning_curves(follower.rows(), "loss")
    costs = []
    for number in range(5):
        history.append({"kind": "step", "epoch": 100 + number, "loss": 1.0, "accuracy": 0.5})
        begun = time.process_time()
        rows = follower.rows()
        learning_curves(rows, "accuracy")
        learning_curves(rows, "loss")
        costs.append(time.process_time() - begun)
    assert len(rows) == 10_005
    assert min(costs) < 0.06, "the goal is 20 ms on a quiet machine; this only catches reading all anew"


def test_devices_of_this_machine() -> None:
    cpu = find_device(CPU)
    assert cpu in list_devices() or cpu.key == CPU
    assert 0 < cpu.memory_used_bytes < cpu.memory_bytes and cpu.slots == slots(CPU) >= 1
    assert environment([CPU])["CUDA_VISIBLE_DEVICES"] == "-1"
    assert environment(["gpu:1", "gpu:3"])["CUDA_VISIBLE_DEVICES"] == "1,3"


def test_a_stop_that_comes_while_the_outcome_is_written_lets_it_be_written(workspace: Workspace) -> None:
    def write_out(work: Work) -> dict:
        work.write_out()
        work.job.request_stop()
        work.stop_unheard()
        assert work.job.status().state is State.STOPPED
        return {"much": 2}

    job = make(workspace)
    assert run_work(job, write_out) == 0
    assert job.status().state is State.STOPPED and job.result() == {"much": 2}


def test_a_full_disk_does_not_keep_deaf_work_alive(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise WorkspaceError("No space is left.")

    ends: list[int] = []
    work = Work(make(workspace))
    monkeypatch.setattr(Job, "write_status", refuse)
    monkeypatch.setattr("hanzi_core.jobs.work.end_children", lambda _process: None)
    monkeypatch.setattr(os, "_exit", ends.append)
    with pytest.raises(WorkspaceError):  # the end of this process would leave nobody to hear it
        work.stop_unheard()
    assert ends == [0]


def test_a_disk_that_fills_up_before_the_first_progress_lets_the_end_be_told(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress gives up its place; without any the job was told to be lost, killed for lack of memory perhaps."""
    job = make(workspace)
    write_status = Job.write_status

    def write_where_there_is_space(each: Job, status: Status) -> None:
        if status.state is State.FAILED and (each.folder / "progress.json").exists():
            raise WorkspaceError("No space is left.")
        assert status.state is not State.FAILED or freed, "there was nothing to free"
        write_status(each, status)

    freed: list[Job] = []
    forget_progress = Job.forget_progress

    def forget(each: Job) -> None:
        if (each.folder / "progress.json").exists():
            freed.append(each)
        forget_progress(each)

    def fill_the_disk(_work: Work) -> dict:
        raise WorkspaceError("No space is left.")

    monkeypatch.setattr(Job, "write_status", write_where_there_is_space)
    monkeypatch.setattr(Job, "forget_progress", forget)
    assert run_work(job, fill_the_disk) == 2
    assert freed == [job] and job.stored_status().state is State.FAILED


def test_two_who_describe_a_job_at_once_are_both_heard(workspace: Workspace) -> None:
    job = make(workspace)
    with deciding(workspace.jobs):
        before = json.loads((job.folder / "config.json").read_bytes())
        other = threading.Thread(target=job.describe, kwargs={"title": "new"})
        other.start()
        other.join(0.3)
        replace_json(job.folder / "config.json", {**before, "notes": "seen"})
    other.join()
    assert (job.title, job.notes) == ("new", "seen")


def test_no_job_is_lost_to_another_machine_before_its_first_heartbeat(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Job.create(workspace, "errand", {}, "in a terminal", [CPU], process=ProcessId.own())
    launched, running = make(workspace), make(workspace)
    launched.forget_process()
    launched.write_status(launched.stored_status().to(State.STARTING, Sentence("Starting.")))
    launched.write_launched(os.getpid())
    running.forget_process()
    Work(running).change(State.RUNNING, Sentence("Working."))
    monkeypatch.setattr("socket.gethostname", lambda: "another-machine")
    assert [job.status().state for job in (waiting, launched, running)] == [
        State.QUEUED,
        State.STARTING,
        State.RUNNING,
    ]


def test_a_job_that_waits_in_a_terminal_beats(workspace: Workspace) -> None:
    holder = make(workspace)
    holder.write_status(holder.stored_status().to(State.RUNNING, Sentence("Working."), process=ProcessId.own()))
    waiting = Job.create(workspace, "errand", {}, "in a terminal", [CPU], process=ProcessId.own())
    os.utime(waiting.folder / "heartbeat", (0, 0))
    beats: list[float] = []

    def tell(_held_by: list[Job]) -> None:
        beats.append((waiting.folder / "heartbeat").stat().st_mtime)
        waiting.request_stop()

    wait_in_line(workspace, waiting, tell)
    assert beats[0] > 0


def test_a_job_on_another_machine_lives_by_its_heartbeat(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make(workspace)
    elsewhere = ProcessId.own().model_copy(update={"host": "another-machine", "pid": 2**22 - 1})
    job.write_status(job.stored_status().to(State.RUNNING, Sentence("Working."), process=elsewhere))
    assert json.loads((job.folder / "status.json").read_text())["process"]["host"] == "another-machine"
    job.beat()
    assert job.status().state is State.RUNNING
    with monkeypatch.context() as patched:  # the clock of this machine alone
        now = time.time()
        patched.setattr("time.time", lambda: now - 3600)
        assert job.status().state is State.RUNNING
    os.utime(job.folder / "heartbeat", (0, 0))
    assert job.status().state is State.LOST


def test_work_goes_on_if_its_machine_is_heard_again_before_anybody_takes_it_up(workspace: Workspace) -> None:
    job = make(workspace)
    work = Work(job)
    work.change(State.RUNNING, Sentence("Working."))
    job.write_status(job.stored_status().to(State.LOST, Sentence("Lost.")))
    work.mind_the_job()
    assert job.status().state is State.RUNNING


def test_work_ends_where_another_process_has_taken_its_job_up(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that slept for an hour: two would write one history and one checkpoint."""
    ended: list[int] = []
    monkeypatch.setattr("hanzi_core.jobs.work.os._exit", ended.append)
    job = make(workspace)
    work = Work(job)
    work.change(State.RUNNING, Sentence("Working."))
    work.mind_the_job()
    assert not ended
    job.write_status(job.stored_status().to(State.QUEUED, Sentence("Waiting."), process=None))
    work.mind_the_job()
    assert ended == [1]
    assert job.stored_status().state is State.QUEUED, "what the other says of itself stays"
    assert "taken this job up" in job.log_tail()


@pytest.mark.parametrize("spoilt", ["null", "[1]", '{"kind": "errand", "title": "x", "created": null, "config": {}}'])
def test_a_description_that_is_none_is_passed_over_here_and_in_the_trash(workspace: Workspace, spoilt: str) -> None:
    bad, good = make(workspace), make(workspace)
    for job in (bad, good):
        job.request_stop()
    (bad.folder / "config.json").write_text(spoilt)
    assert list_jobs(workspace) == [good]
    throw_away(workspace, good)
    bad.folder.rename(workspace.root / "trash" / bad.id)
    (kept,) = thrown_away(workspace)
    assert kept.id == good.id
    assert restore(workspace, kept).title == "手写"
    assert empty(workspace) == 1, "what is damaged takes space too"
    assert list((workspace.root / "trash").iterdir()) == []


@pytest.mark.parametrize("state", [State.QUEUED, State.STOPPED])
@pytest.mark.parametrize("spoilt", ["", "null", None])
def test_a_job_whose_description_is_damaged_is_told_and_can_be_thrown_away(
    workspace: Workspace, spoilt: str | None, state: State
) -> None:
    """It vanished from every list, and nothing could remove it."""
    bad, good = make(workspace), make(workspace)
    bad.write_status(bad.stored_status().to(state, Sentence("So."), process=None))
    (bad.folder / "config.json").unlink()
    if spoilt is not None:
        (bad.folder / "config.json").write_text(spoilt)
    (workspace.jobs / "somebody-s").mkdir()
    assert damaged_jobs(workspace.jobs) == [bad] and not good.is_damaged
    if state is State.QUEUED:  # a process may be about to come for it
        with pytest.raises(JobError, match=f"{bad.id}” is still at work"):
            throw_away(workspace, Job.find(workspace, bad.id))
        old = time.time() - 2 * STARTING_LIMIT_S
        status = bad.stored_status()
        changes = tuple(change.model_copy(update={"time": old}) for change in status.changes)
        bad.write_status(status.model_copy(update={"changes": changes}))
    throw_away(workspace, Job.find(workspace, bad.id))
    assert damaged_jobs(workspace.jobs) == [] and damaged(workspace) == [Job(workspace.root / "trash" / bad.id)]


def test_a_job_with_nothing_but_a_folder_left_can_be_thrown_away(workspace: Workspace) -> None:
    bad = make(workspace)
    for path in bad.folder.iterdir():
        path.unlink()
    throw_away(workspace, Job.find(workspace, bad.id))
    assert empty(workspace) == 1 and not any(workspace.jobs.glob("errand-*"))


def test_a_status_that_is_missing_or_cannot_be_read_is_that_of_a_lost_job(workspace: Workspace) -> None:
    missing, unreadable = make(workspace), make(workspace)
    (missing.folder / "status.json").unlink()
    (unreadable.folder / "status.json").unlink()
    (unreadable.folder / "status.json").mkdir()  # as a disk that answers with an error, also for root
    assert [job.status().state for job in (missing, unreadable)] == [State.LOST, State.LOST]


def test_what_cannot_be_deleted_from_the_trash_is_said_and_the_rest_goes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = make(workspace), make(workspace)
    for job in (mine, theirs):
        job.request_stop()
        throw_away(workspace, job)

    def refuse(folder: Path) -> None:
        if folder.name == theirs.id:
            raise WorkspaceError("{place} cannot be written: check its permissions.", place=folder)
        shutil.rmtree(folder)

    monkeypatch.setattr("hanzi_core.jobs.trash.let_go", refuse)
    with pytest.raises(WorkspaceError, match="check its permissions"):
        empty(workspace)
    assert [job.id for job in thrown_away(workspace)] == [theirs.id]


def test_jobs_that_cannot_be_locked_are_a_sentence(workspace: Workspace) -> None:
    """As in a workspace that this user may only read; root may write anywhere, but not into a folder."""
    job = make(workspace)
    (workspace.jobs / ".deciding.lock").unlink(missing_ok=True)
    (workspace.jobs / ".deciding.lock").mkdir()
    with pytest.raises(WorkspaceError, match=r"deciding\.lock cannot be written"):
        job.describe(notes="seen")
