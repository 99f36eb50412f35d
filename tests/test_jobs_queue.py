import http.server
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from hanzi_core.dataset.importing import ImportConfig
from hanzi_core.errors import JobError, WorkspaceError
from hanzi_core.jobs import Job, State, enqueue, kill, requeue, stop
from hanzi_core.jobs.devices import CPU, slots
from hanzi_core.jobs.lock import is_supervised
from hanzi_core.jobs.notice import notify, set_webhook, webhook
from hanzi_core.jobs.process import ProcessId
from hanzi_core.jobs.queue import ahead, holders, keep_watched, look, supervise, wait_in_line
from hanzi_core.language import Sentence
from hanzi_core.workspace import Workspace
from tests.conftest import PROJECT
from tests.errands import launch_errand, until
from tests.handwriting import write_collection

pytestmark = pytest.mark.skipif(slots(CPU) > 1, reason="these tests expect a CPU that takes one run at a time")


def make(workspace: Workspace, title: str, devices: tuple[str, ...] = (CPU,)) -> Job:
    return Job.create(workspace, "errand", {}, title, devices)


@pytest.fixture
def errands(workspace: Workspace) -> Iterator[list[Job]]:
    """Three jobs that want the same device; their processes end with the test."""
    jobs = [make(workspace, title) for title in ("first", "second", "third")]
    yield jobs
    for job in jobs:
        kill(job)


def state(job: Job) -> State:
    return job.status().state


def test_one_job_a_device_and_the_oldest_first(workspace: Workspace, errands: list[Job]) -> None:
    first, second, third = errands
    assert look(workspace, launch_errand)
    until(lambda: state(first) is State.RUNNING)
    look(workspace, launch_errand)
    assert [state(job) for job in errands] == [State.RUNNING, State.QUEUED, State.QUEUED]
    assert holders(workspace) == {CPU: [first]}
    second.request_stop()
    assert state(second) is State.STOPPED
    (first.folder / "enough").touch()
    until(lambda: state(first) is State.FINISHED)
    look(workspace, launch_errand)
    until(lambda: state(third) is State.RUNNING)
    assert not (second.folder / "begun").exists()
    assert [change.state for change in first.status().changes] == [
        State.QUEUED,
        State.STARTING,
        State.RUNNING,
        State.FINISHED,
    ]


def test_every_device_has_its_queue_and_who_wants_two_keeps_its_place(workspace: Workspace) -> None:
    wanted = (("gpu:0",), ("gpu:0", "gpu:1"), ("gpu:1",), (CPU,))
    jobs = [make(workspace, str(devices), devices) for devices in wanted]
    one, both, other, apart = jobs
    try:
        look(workspace, launch_errand)
        until(lambda: state(one) is state(apart) is State.RUNNING)
        assert state(both) is state(other) is State.QUEUED
        assert ahead(workspace, other) == [both]
        assert holders(workspace) == {"gpu:0": [one], CPU: [apart]}
        (one.folder / "enough").touch()
        until(lambda: one.process() is None)
        assert state(one) is State.FINISHED
        look(workspace, launch_errand)
        until(lambda: state(both) is State.RUNNING)
        look(workspace, launch_errand)
        assert state(other) is State.QUEUED
    finally:
        for job in jobs:
            kill(job)


def test_a_killed_job_is_lost_frees_its_device_and_goes_on_when_asked(workspace: Workspace, errands: list[Job]) -> None:
    first, second, _ = errands
    look(workspace, launch_errand)
    until(lambda: state(first) is State.RUNNING)
    process = first.process()
    assert process
    process.kill()
    until(lambda: state(first) is State.LOST)
    look(workspace, launch_errand)
    until(lambda: state(second) is State.RUNNING)
    assert first.stored_status().state is State.LOST, "written down, so that it is lost at one time, once"
    requeue(workspace, first, launch_errand)
    assert state(first) is State.QUEUED
    (second.folder / "enough").touch()
    until(lambda: state(second) is State.FINISHED)
    look(workspace, launch_errand)
    until(lambda: state(first) is State.RUNNING)


def test_a_job_without_a_device_waits_for_nobody(workspace: Workspace, errands: list[Job]) -> None:
    look(workspace, launch_errand)
    light = make(workspace, "light", ())
    enqueue(workspace, light, launch_errand)
    until(lambda: state(light) is State.RUNNING)
    light.request_stop()
    until(lambda: state(light) is State.STOPPED)
    assert [change.state for change in light.status().changes][-2:] == [State.STOPPING, State.STOPPED]


def test_work_that_does_not_hear_is_ended_within_thirty_seconds(workspace: Workspace) -> None:
    deaf = Job.create(workspace, "errand", {"deaf": True}, "deaf", [CPU])
    look(workspace, launch_errand)
    try:
        until((deaf.folder / "child").exists)
        child = ProcessId.of(int((deaf.folder / "child").read_text()))
        assert child.find()
        deaf.request_stop()
        asked = time.monotonic()
        until(lambda: state(deaf) is not State.RUNNING, 40)
        until(lambda: deaf.process() is None, 10)
        assert time.monotonic() - asked < 30
        assert state(deaf) is State.STOPPED and "amid a long step" in str(deaf.status().changes[-1])
        until(lambda: child.find() is None, 5)
    finally:
        kill(deaf)


def come_to(job: Job, state: State, process: ProcessId | None = None) -> None:
    """Let ``job`` say so, whatever its process does."""
    job.write_status(job.stored_status().to(state, Sentence("As the test wants it."), process=process))


def test_a_job_at_work_is_not_taken_up_a_second_time(workspace: Workspace) -> None:
    launched: list[Job] = []
    job = make(workspace, "light", ())
    come_to(job, State.RUNNING, ProcessId.own())
    with pytest.raises(JobError, match="still at work"):
        requeue(workspace, job, launched.append)
    come_to(job, State.STOPPED, ProcessId.own())  # it writes its model still
    with pytest.raises(JobError, match="still at work"):
        requeue(workspace, job, launched.append)
    come_to(job, State.STOPPED)
    requeue(workspace, job, launched.append)
    with pytest.raises(JobError, match="still at work"):
        requeue(workspace, job, launched.append)
    come_to(job, State.FINISHED)
    with pytest.raises(JobError, match="is finished"):
        requeue(workspace, job, launched.append)
    assert launched == [job]


def test_a_job_stopped_before_its_process_began_stays_so(workspace: Workspace) -> None:
    launched: list[Job] = []
    job = make(workspace, "light", ())
    job.request_stop()
    enqueue(workspace, job, launched.append)
    assert state(job) is State.STOPPED and launched == []


def test_a_job_of_another_machine_is_not_said_to_have_ended(workspace: Workspace) -> None:
    job = make(workspace, "elsewhere")
    come_to(job, State.RUNNING, ProcessId.own().model_copy(update={"host": "another-machine"}))
    job.beat()
    with pytest.raises(JobError, match="at work on another-machine"):
        kill(job)
    assert state(job) is State.RUNNING
    os.utime(job.folder / "heartbeat", (0, 0))  # that machine has gone
    kill(job)
    assert state(job) is State.STOPPED


def test_jobs_of_other_machines_hold_no_device_of_this_one(workspace: Workspace) -> None:
    elsewhere = ProcessId.own().model_copy(update={"host": "another-machine"})
    there, waiting_there = make(workspace, "there"), make(workspace, "waiting there")
    come_to(there, State.RUNNING, elsewhere)
    waiting_there.write_status(waiting_there.stored_status().model_copy(update={"process": elsewhere}))
    here = make(workspace, "here")
    assert (holders(workspace), ahead(workspace, here)) == ({}, [])
    started: list[Job] = []
    assert look(workspace, started.append), "whoever watches notes too that a job there is lost"
    assert started == [here]


def test_ctrl_c_saves_what_there_is(workspace: Workspace, errands: list[Job]) -> None:
    first = errands[0]
    launch_errand(first)
    until((first.folder / "begun").exists)
    process = first.process()
    assert process
    process.send_signal(signal.SIGINT)
    until(lambda: state(first) is State.STOPPED)
    assert State.STOPPING in [change.state for change in first.stored_status().changes], "it was asked, not broken off"


def test_a_job_for_no_device_whose_process_never_came_is_lost(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, waiting = make(workspace, "alone", ()), make(workspace, "waiting")
    assert (state(alone), state(waiting)) == (State.QUEUED, State.QUEUED)
    later = time.time() + 3600
    monkeypatch.setattr("time.time", lambda: later)
    assert (state(alone), state(waiting)) == (State.LOST, State.QUEUED)


def test_a_process_that_does_not_end_is_not_said_to_have_ended(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(process: psutil.Process) -> None:
        raise psutil.AccessDenied(process.pid)

    job = make(workspace, "somebody else's")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as sleeper:
        come_to(job, State.RUNNING, ProcessId.of(sleeper.pid))
        with monkeypatch.context() as patched:  # the tests have one user
            patched.setattr("hanzi_core.jobs.launcher.END_LIMIT_S", 0.1)
            patched.setattr(psutil.Process, "kill", refuse)
            with pytest.raises(JobError, match="could not be ended"):
                kill(job)
        assert state(job) is State.RUNNING
        kill(job)
    assert state(job) is State.STOPPED


def test_a_run_taken_up_again_waits_for_a_younger_one_at_work(workspace: Workspace) -> None:
    resumed, at_work, waits = (make(workspace, title) for title in ("resumed", "at work", "waits"))
    come_to(at_work, State.RUNNING, ProcessId.own())
    assert ahead(workspace, resumed) == [at_work]
    assert ahead(workspace, waits) == [resumed, at_work]


def test_a_supervisor_that_cannot_be_started_is_told_in_a_sentence(workspace: Workspace) -> None:
    (workspace.jobs / ".supervisor.log").mkdir()
    with pytest.raises(JobError, match="could not be started: Is a directory"):
        enqueue(workspace, make(workspace, "waits"), lambda job: come_to(job, State.RUNNING, ProcessId.own()))


@pytest.mark.parametrize("end", [Job.request_stop, lambda job: come_to(job, State.LOST, ProcessId.own())])
def test_a_terminal_that_waits_hears_that_its_job_has_ended(workspace: Workspace, end: Callable[[Job], None]) -> None:
    holder = make(workspace, "holder")
    come_to(holder, State.RUNNING, ProcessId.own())
    waits = Job.create(workspace, "errand", {}, "waits", [CPU], process=ProcessId.own())
    told: list[list[Job]] = []

    def tell(held_by: list[Job]) -> None:
        told.append(held_by)
        end(waits)

    assert not wait_in_line(workspace, waits, tell)
    assert told == [[holder]]


def test_a_job_of_a_terminal_is_started_by_nobody_else(workspace: Workspace) -> None:
    launched: list[Job] = []
    job = Job.create(workspace, "errand", {}, "waits", [CPU], process=ProcessId.own())
    look(workspace, launched.append)
    assert state(job) is State.QUEUED and launched == []
    assert wait_in_line(workspace, job, pytest.fail)
    assert state(job) is State.STARTING


def _look(root: str) -> None:
    look(Workspace.open(root), launch_errand)


def test_two_servers_start_a_job_once(workspace: Workspace, errands: list[Job]) -> None:
    context = multiprocessing.get_context("spawn")
    servers = [context.Process(target=_look, args=(str(workspace.root),)) for _ in range(3)]
    for server in servers:
        server.start()
    for server in servers:
        server.join()
    until((errands[0].folder / "begun").exists)
    assert (errands[0].folder / "begun").read_text() == "begun\n"
    assert not (errands[1].folder / "begun").exists()


def test_a_queue_goes_on_after_a_restart(workspace: Workspace, tmp_path: Path) -> None:
    """The supervisor went with the machine; a server that starts, or an open page, sees to it that there is one."""
    keep_watched(workspace)
    assert not (workspace.jobs / ".supervisor.log").exists(), "there is nothing to watch"
    config = ImportConfig(location=write_collection(tmp_path / "three", "人木口", 3), name="three")
    waiting = Job.create(workspace, "import", config.model_dump(mode="json"), "waiting", [CPU])
    keep_watched(workspace)
    until(lambda: state(waiting) is State.FINISHED, 60)
    until(lambda: not is_supervised(workspace.jobs))


def test_a_job_that_the_disk_spoilt_stands_in_nobodys_way(workspace: Workspace, errands: list[Job]) -> None:
    first, second, _ = errands
    (first.folder / "status.json").write_text('{"changes": [')
    (second.folder / "launched.json").write_text("")
    look(workspace, launch_errand)
    until(lambda: state(second) is State.RUNNING)
    (second.folder / "progress.json").write_text("{")
    assert state(second) is State.RUNNING
    assert state(first) is State.LOST and "was damaged" in str(first.status().changes[-1])
    (second.folder / "enough").touch()
    until(lambda: state(second) is State.FINISHED)
    requeue(workspace, first, launch_errand)
    until(lambda: state(first) is State.RUNNING)


SUPERVISOR = """
import sys
from hanzi_core.jobs.queue import supervise
from hanzi_core.workspace import Workspace
from tests.errands import launch_errand
supervise(Workspace.open(sys.argv[1]), launch_errand)
"""


def test_the_next_job_starts_while_nobody_looks(workspace: Workspace, errands: list[Job]) -> None:
    command = [sys.executable, "-c", SUPERVISOR, str(workspace.root)]
    supervisor = subprocess.Popen(command, cwd=PROJECT)
    for job in errands:
        until(lambda job=job: state(job) is State.RUNNING)
        (job.folder / "enough").touch()
    assert supervisor.wait(timeout=20) == 0, "it ends when there is nothing left to watch"
    assert {state(job) for job in errands} == {State.FINISHED}


def test_a_number_used_again_is_not_taken_for_the_job(workspace: Workspace) -> None:
    job = make(workspace, "old")
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        job.write_launched(sleeper.pid)
        come_to(job, State.RUNNING)
        assert state(job) is State.RUNNING
        launched = json.loads((job.folder / "launched.json").read_text())
        (job.folder / "launched.json").write_text(json.dumps({**launched, "ticks": launched["ticks"] - 5}))
        assert state(job) is State.LOST
    finally:
        sleeper.kill()
    job.write_launched(sleeper.pid)  # a zombie now: nobody has waited for it
    until(lambda: psutil.Process(sleeper.pid).status() == psutil.STATUS_ZOMBIE)
    assert state(job) is State.LOST
    sleeper.wait()


def test_a_clock_that_jumps_back_ends_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock itself is the whole machine's, so only what reads it is turned back here."""
    job = make(workspace, "steady")
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        job.write_launched(sleeper.pid)
        come_to(job, State.RUNNING)
        real = psutil.boot_time()
        monkeypatch.setattr("psutil._pslinux.boot_time", lambda: real - 3600)
        monkeypatch.setattr("time.time", lambda: real)
        assert state(job) is State.RUNNING
    finally:
        sleeper.kill()
        sleeper.wait()


class _Listener(http.server.BaseHTTPRequestHandler):
    heard: list[dict] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.mark.parametrize("end", [State.FINISHED, State.STOPPED])
def test_a_gpu_is_free_when_the_process_has_gone_that_had_its_memory(workspace: Workspace, end: State) -> None:
    """After its end a run evaluates, or writes its model; cores are shared meanwhile."""
    devices = ("gpu:0",), ("gpu:0",), (CPU,), (CPU,)
    ended, waits, ended_on_cpu, follows = (make(workspace, f"{key}", key) for key in devices)
    launched: list[Job] = []

    def start(job: Job) -> None:
        launched.append(job)
        come_to(job, State.RUNNING, ProcessId.own())

    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as sleeper:
        for job in (ended, ended_on_cpu):
            come_to(job, end, ProcessId.of(sleeper.pid))
        look(workspace, start)
        assert launched == [follows]
        assert holders(workspace) == {"gpu:0": [ended], CPU: [follows]}
        assert ahead(workspace, waits) == [ended]
        sleeper.kill()
    look(workspace, start)
    assert launched == [follows, waits]


def test_an_address_hears_of_the_end(workspace: Workspace, errands: list[Job]) -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    set_webhook(workspace, f"http://127.0.0.1:{server.server_port}/done")
    first, second, third = errands
    stop(third)
    look(workspace, launch_errand)
    until(lambda: state(first) is State.RUNNING)
    (first.folder / "enough").touch()
    until(lambda: len(_Listener.heard) == 2)
    look(workspace, launch_errand)
    until(lambda: state(second) is State.RUNNING)
    kill(second)
    server.shutdown()
    heard = [(each["title"], each["state"]) for each in _Listener.heard]
    assert heard == [("third", "stopped"), ("first", "finished"), ("second", "stopped")]


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "http://", "http://[abc", "http://host/a b", "http://host:port/", "http://host/训练"],
)
def test_only_a_web_address_can_be_told(workspace: Workspace, url: str) -> None:
    with pytest.raises(JobError, match="must begin with http"):
        set_webhook(workspace, url)
    assert webhook(workspace) is None


@pytest.mark.parametrize("content", ["", "[1]", '{"webhook": 5}'])
def test_an_address_that_is_damaged_is_told_and_can_be_set_anew(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    """Nobody was told, and nobody heard of that."""
    (workspace.root / "settings.json").write_text(content)
    with pytest.raises(JobError, match=r"settings\.json is damaged"):
        webhook(workspace)
    notify(make(workspace, "ended"))
    assert "settings.json is damaged" in capsys.readouterr().err
    set_webhook(workspace, "http://host/")
    assert webhook(workspace) == "http://host/"


def test_an_address_that_answers_nonsense_changes_nothing(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(2**16)
                connection.sendall(b"what?\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        set_webhook(workspace, f"http://127.0.0.1:{server.getsockname()[1]}/done")
        notify(make(workspace, "ended"))
        thread.join()
    assert "webhook 127.0.0.1: what?" in capsys.readouterr().err


def test_the_supervisor_outlives_a_full_disk(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes: list[Exception | bool] = [WorkspaceError("No space is left."), OSError("no space"), True, False]

    def look_once(_workspace: Workspace, _launch: object) -> bool:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr("hanzi_core.jobs.queue.look", look_once)
    monkeypatch.setattr("hanzi_core.jobs.queue.LOOK_INTERVAL_S", 0.01)
    supervise(workspace, launch_errand)
    assert outcomes == [] and capsys.readouterr().err == "No space is left.\nno space\n"
