"""A job's folder: configuration, status, history, log and result."""

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from hanzi_core.errors import JobError
from hanzi_core.jobs.history import History
from hanzi_core.language import Sentence, mark
from hanzi_core.workspace import Workspace, check_name, replace_json, writing

STARTING_LIMIT_S = 60.0
"""A job that is said to be starting, but has no process after this long, will never have one."""


class State(StrEnum):
    """Where a job stands; see :data:`STATE_NAMES` for how each is shown."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"
    LOST = "lost"

    @property
    def is_active(self) -> bool:
        """Whether the job holds, or will hold, a process."""
        return self in (State.QUEUED, State.STARTING, State.RUNNING, State.STOPPING)


STATE_NAMES = {
    State.QUEUED: mark("queued"),
    State.STARTING: mark("starting"),
    State.RUNNING: mark("running"),
    State.STOPPING: mark("stopping"),
    State.STOPPED: mark("stopped"),
    State.FINISHED: mark("finished"),
    State.FAILED: mark("failed"),
    State.LOST: mark("lost"),
}


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True)


class Change(_Stored):
    """One step in a job's life: the state it came to, when (Unix seconds), and why in one sentence."""

    state: State
    time: float
    sentence: dict[str, Any]

    def __str__(self) -> str:
        return str(Sentence.from_json(self.sentence))


class Progress(_Stored):
    """How far the present phase is: ``done`` of ``total`` (0 where unknown), in units a second, and the time left."""

    phase: str
    done: int
    total: int
    rate_per_s: float | None = None
    remaining_s: float | None = None


class ProcessId(_Stored):
    """A process told apart from a later one with the same number by the time of its creation (Unix seconds)."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """The process that has number ``pid`` now."""
        return cls(pid=pid, created=psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The process if it lives; a zombie is dead, and so is one that came to the same number later."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.created) > 1.0 or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except psutil.Error:
            return None
        return process


class Status(_Stored):
    """The state of a job with its whole life so far."""

    changes: tuple[Change, ...]
    process: ProcessId | None = None
    progress: Progress | None = None

    @property
    def state(self) -> State:
        """The state of the last change."""
        return self.changes[-1].state

    def to(self, state: State, sentence: Sentence, **more: Any) -> "Status":
        """This status after one change more."""
        change = Change(state=state, time=time.time(), sentence=sentence.to_json())
        return self.model_copy(update={"changes": (*self.changes, change), **more})


@dataclass(frozen=True)
class Job:
    """A job by its folder; everything else is read from there at each call."""

    folder: Path

    @classmethod
    def create(cls, workspace: Workspace, kind: str, config: dict[str, Any], title: str) -> "Job":
        """Make the folder of a new job, in state ``queued``. ``kind`` is the command-line verb that does the work."""
        name = f"{kind}-{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        job = cls(workspace.jobs / check_name(name))
        with writing(job.folder):
            job.folder.mkdir(parents=True)
        replace_json(
            job.folder / "config.json", {"kind": kind, "title": title, "created": time.time(), "config": config}
        )
        job.write_status(Status(changes=()).to(State.QUEUED, Sentence(mark("Waiting to be started."))))
        return job

    @classmethod
    def find(cls, workspace: Workspace, job_id: str) -> "Job":
        """The job called ``job_id``.

        Raises:
            JobError: there is none, or its folder has been deleted.
        """
        job = cls(workspace.jobs / check_name(job_id))
        if not (job.folder / "config.json").is_file():
            raise JobError(mark("There is no job “{job}” in this workspace: it may have been deleted."), job=job_id)
        return job

    @property
    def id(self) -> str:
        """The name of the folder, unique in its workspace."""
        return self.folder.name

    @property
    def kind(self) -> str:
        """The command-line verb that does the work."""
        return str(self._description()["kind"])

    @property
    def title(self) -> str:
        """What a person calls this job."""
        return str(self._description()["title"])

    @property
    def created(self) -> float:
        """When it was made, Unix seconds."""
        return float(self._description()["created"])

    @property
    def config(self) -> dict[str, Any]:
        """What it was asked to do, as its kind defines."""
        return dict(self._description()["config"])

    def _description(self) -> dict[str, Any]:
        return self._read("config.json")

    @property
    def history(self) -> History:
        """What it told while working."""
        return History(self.folder / "history.jsonl")

    @property
    def log_path(self) -> Path:
        """Everything that its process printed."""
        return self.folder / "log.txt"

    def log_tail(self, lines: int = 200) -> str:
        """The last ``lines`` lines of the log."""
        try:
            with self.log_path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - 400 * lines))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def result(self) -> dict[str, Any] | None:
        """What the finished work left, as its kind defines; ``None`` before."""
        path = self.folder / "result.json"
        return self._read("result.json") if path.exists() else None

    def write_result(self, result: dict[str, Any]) -> None:
        """Leave the result, all of it or nothing."""
        replace_json(self.folder / "result.json", result)

    def status(self) -> Status:
        """The status as it is now: a job whose process has gone without a word is ``lost``.

        Raises:
            JobError: the folder has gone, or its status cannot be read.
        """
        stored = self.stored_status()
        if not stored.state.is_active or stored.state is State.QUEUED or self._process_lives(stored):
            return stored
        again = self.stored_status()  # it may have ended properly between the two looks
        if not again.state.is_active:
            return again
        sentence = Sentence(mark("Its process ended without a word; it was killed, or the machine was restarted."))
        return again.to(State.LOST, sentence)

    def stored_status(self) -> Status:
        """The status as it was last written, whatever became of the process."""
        try:
            return Status.model_validate(self._read("status.json"))
        except ValidationError as error:
            raise JobError(mark("The status of job “{job}” cannot be read."), job=self.id) from error

    def write_status(self, status: Status) -> None:
        """Replace the status, in one step."""
        replace_json(self.folder / "status.json", status.model_dump(mode="json"))

    def process(self, status: Status | None = None) -> psutil.Process | None:
        """The living process that does this job."""
        identity = (status or self.stored_status()).process or self._launched()
        return identity.find() if identity else None

    def write_launched(self, pid: int) -> None:
        """Note the process from outside, until it speaks for itself; in a file apart, so that neither overwrites."""
        with contextlib.suppress(psutil.Error):  # it may be over already
            replace_json(self.folder / "launched.json", ProcessId.of(pid).model_dump())

    def _launched(self) -> ProcessId | None:
        path = self.folder / "launched.json"
        return ProcessId.model_validate(self._read("launched.json")) if path.exists() else None

    def _process_lives(self, status: Status) -> bool:
        if self.process(status):
            return True
        unborn = status.process is None and not (self.folder / "launched.json").exists()
        return unborn and time.time() - status.changes[-1].time < STARTING_LIMIT_S

    def request_stop(self) -> None:
        """Ask the job to save what it has and end; a job that has not begun ends at once.

        Raises:
            JobError: it has already ended.
        """
        status = self.status()
        if not status.state.is_active:
            raise JobError(mark("Job “{job}” has already ended."), job=self.id)
        with writing(self.folder):
            (self.folder / "stop").touch()
        if status.state is State.QUEUED:
            self.write_status(status.to(State.STOPPED, Sentence(mark("Stopped before it began."))))

    def stop_requested(self) -> bool:
        """Whether somebody asked it to stop."""
        return (self.folder / "stop").exists()

    def clear_stop(self) -> None:
        """Forget an old request, before the job is started again."""
        (self.folder / "stop").unlink(missing_ok=True)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / name).read_bytes()))
        except FileNotFoundError as error:
            raise JobError(mark("Job “{job}” is no longer there: its folder was deleted."), job=self.id) from error
        except ValueError as error:
            raise JobError(mark("{file} of job “{job}” is damaged."), file=name, job=self.id) from error


def list_jobs(workspace: Workspace, kind: str | None = None) -> list[Job]:
    """Jobs of one kind, or all, the newest first; folders that are no jobs are passed over."""
    return sorted(_jobs(workspace, kind), key=lambda job: job.created, reverse=True)


def _jobs(workspace: Workspace, kind: str | None) -> Iterator[Job]:
    for folder in workspace.jobs.iterdir():
        job = Job(folder)
        try:
            if (kind is None or job.kind == kind) and job.created:
                yield job
        except (JobError, KeyError, ValueError):
            continue
