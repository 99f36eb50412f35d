"""A job's folder: configuration, status, history, log and result."""

import contextlib
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import psutil
from pydantic import AfterValidator, BaseModel, ConfigDict, RootModel

from hanzi_core.errors import JobError
from hanzi_core.jobs.history import History
from hanzi_core.jobs.lock import deciding
from hanzi_core.jobs.process import ProcessId
from hanzi_core.language import Sentence, mark
from hanzi_core.workspace import Workspace, cannot_be_read, check_name, new_folder, replace_json, writing

STARTING_LIMIT_S = 60.0
"""A job that is said to be starting, but has no process after this long, will never have one."""

_DESCRIPTION = "config.json"
_BUILDING = ".new"

_KEPT_FILES = 16_384
"""Descriptions and states that are kept in memory, a kilobyte or two each."""

HEARTBEAT_LIMIT_S = 60.0
"""A job on another machine that has not touched its heartbeat for this long is lost."""


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


DAMAGED = mark("config.json of job “{job}” is missing or damaged: put it back from a backup, or delete the job.")
"""What to tell of each of :func:`damaged_jobs`."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True)


def _one_line(text: str) -> str:
    """``text`` with a space for whatever would break the columns and lines of a list."""
    return " ".join(text.replace("\t", " ").splitlines())


class _Description(_Stored):
    """What a job is, as its ``config.json`` says."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    title: Annotated[str, AfterValidator(_one_line)]
    created: float
    config: dict[str, Any]
    devices: tuple[str, ...] = ()
    notes: str = ""
    tags: tuple[str, ...] = ()


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


class _Result(RootModel[dict[str, Any]]):
    """What a job left."""


_Kind = TypeVar("_Kind", bound=BaseModel)


class _DamagedError(JobError):
    """A file of a job's folder is no longer what was written."""


@dataclass(frozen=True)
class Job:
    """A job by its folder; everything else is read from there at each call."""

    folder: Path

    @classmethod
    def create(
        cls,
        workspace: Workspace,
        kind: str,
        config: dict[str, Any],
        title: str,
        devices: Sequence[str] = (),
        *,
        process: ProcessId | None = None,
    ) -> "Job":
        """Make the folder of a new job, in state ``queued``.

        Args:
            workspace: Where it will live.
            kind: The command-line verb that does the work.
            config: What to do, as the kind defines.
            title: What a person calls it.
            devices: Keys of the devices that it will hold; a job without any waits for nobody.
            process: Who will wait for the devices and do the work; else the queue starts a process for it.

        Raises:
            WorkspaceError: no space is left, or the place is not writable; nothing half-made stays.
        """
        name = f"{kind}-{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        target = workspace.jobs / check_name(name)
        description = {"kind": kind, "title": title, "created": time.time(), "devices": list(devices), "config": config}
        waiting = Status(changes=(), process=process).to(State.QUEUED, Sentence(mark("Waiting to be started.")))
        with writing(target), new_folder(workspace.jobs, _BUILDING) as building:
            cls(building).write_status(waiting)
            replace_json(building / _DESCRIPTION, description)
            building.rename(target)  # with which it is a job to everybody who looks
        return cls(target)

    @classmethod
    def find(cls, workspace: Workspace, job_id: str) -> "Job":
        """The job called ``job_id``.

        Raises:
            JobError: there is none, or its folder has been deleted.
        """
        job = cls(workspace.jobs / check_name(job_id))
        if not (job.folder / _DESCRIPTION).is_file() and job not in damaged_jobs(workspace.jobs):
            raise JobError(mark("There is no job “{job}” in this workspace: it may have been deleted."), job=job_id)
        return job

    @property
    def id(self) -> str:
        """The name of the folder, unique in its workspace."""
        return self.folder.name

    @property
    def is_damaged(self) -> bool:
        """Whether its description is missing or cannot be read: all that can be done is to throw it away.

        Raises:
            JobError: the folder has gone.
        """
        try:
            self._description()
        except _DamagedError:
            return True
        return False

    @property
    def kind(self) -> str:
        """The command-line verb that does the work."""
        return self._description().kind

    @property
    def title(self) -> str:
        """What a person calls this job."""
        return self._description().title

    @property
    def created(self) -> float:
        """When it was made, Unix seconds."""
        return self._description().created

    @property
    def config(self) -> dict[str, Any]:
        """What it was asked to do, as its kind defines."""
        return deepcopy(self._description().config)

    @property
    def devices(self) -> tuple[str, ...]:
        """Keys of the devices that it holds while it works, and waits for before."""
        return self._description().devices

    @property
    def notes(self) -> str:
        """What a person wrote about it."""
        return self._description().notes

    @property
    def tags(self) -> tuple[str, ...]:
        """Words that a person sorts jobs by."""
        return self._description().tags

    def describe(self, **fields: Any) -> None:
        """Change what a person may change of it at any time: ``title``, ``notes``, ``tags``.

        Raises:
            JobError: the title is empty.
        """
        if not str(fields.get("title", "-")).strip():
            raise JobError(mark("A name cannot be empty: type one."))
        with deciding(self.folder.parent):  # two who change different fields at once
            replace_json(self.folder / _DESCRIPTION, {**self._description().model_dump(), **fields})

    def _description(self) -> _Description:
        return self._read(_DESCRIPTION, _Description)

    def _gone(self) -> JobError:
        return JobError(mark("Job “{job}” is no longer there: its folder was deleted."), job=self.id)

    def _damaged(self, name: str) -> _DamagedError:
        return _DamagedError(mark("{file} of job “{job}” is damaged."), file=name, job=self.id)

    @property
    def history(self) -> History:
        """What it told while working."""
        return History(self.folder / "history.jsonl")

    @property
    def log_path(self) -> Path:
        """Everything that its process printed or noted."""
        return self.folder / "log.txt"

    def log_tail(self, lines: int = 200) -> str:
        """The last ``lines`` lines of the log.

        Raises:
            WorkspaceError: it is there, and the disk does not let us read it.
        """
        try:
            with self.log_path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - 400 * lines))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise cannot_be_read(self.log_path) from error
        return "\n".join(text.splitlines()[-lines:])

    def result(self) -> dict[str, Any] | None:
        """What the finished work left, as its kind defines; ``None`` before."""
        path = self.folder / "result.json"
        return deepcopy(self._read("result.json", _Result).root) if path.exists() else None

    def write_result(self, result: dict[str, Any]) -> None:
        """Leave the result, all of it or nothing."""
        replace_json(self.folder / "result.json", result)

    def status(self) -> Status:
        """The status as it is now: a job whose process has gone without a word is ``lost``.

        Raises:
            JobError: the folder has gone.
        """
        stored = self.stored_status()
        if self._is_as_stored(stored):
            return self._with_progress(stored)
        again = self.stored_status()  # it may have ended properly between the two looks
        if not again.state.is_active:
            return again
        sentence = Sentence(
            mark(
                "Its process ended without a word: it was killed, by the system perhaps when memory ran out, "
                "or the machine was restarted. It can be resumed."
            )
        )
        return again.to(State.LOST, sentence)

    def _is_as_stored(self, stored: Status) -> bool:
        # Without devices it waits for nobody: its process comes within a moment, or never.
        waits = stored.state is State.QUEUED and stored.process is None and not self.is_damaged and bool(self.devices)
        return not stored.state.is_active or waits or self._process_lives(stored)

    def _with_progress(self, stored: Status) -> Status:
        path = self.folder / "progress.json"
        if not stored.state.is_active or not path.exists():
            return stored
        with contextlib.suppress(JobError):  # it has just come to its end, or the disk spoilt it
            return stored.model_copy(update={"progress": self._read("progress.json", Progress)})
        return stored

    def stored_status(self) -> Status:
        """The status as it was last written, without progress and whatever became of the process.

        One that the disk has spoilt is that of a lost job: it can be resumed, and stands in nobody's way.

        Raises:
            JobError: the folder has gone.
        """
        try:
            return self._read("status.json", Status)
        except _DamagedError:
            written = self._last_touched()
            sentence = Sentence(mark("What it said of itself was damaged, by a full or failing disk perhaps."))
            return Status(changes=(Change(state=State.LOST, time=written, sentence=sentence.to_json()),))

    def _last_touched(self) -> float:
        """Unix seconds."""
        try:
            return self.folder.stat().st_mtime
        except OSError as error:
            raise self._gone() from error

    def write_status(self, status: Status) -> None:
        """Replace the status, in one step; other machines take nobody for lost who has just said something."""
        self.beat()
        replace_json(self.folder / "status.json", status.model_dump(mode="json", exclude={"progress"}))

    def write_progress(self, progress: Progress) -> None:
        """Replace the progress: a file apart, since states are changed by others than who works."""
        replace_json(self.folder / "progress.json", progress.model_dump())

    def forget_progress(self) -> None:
        """Clear the progress: nothing is under way any more."""
        (self.folder / "progress.json").unlink(missing_ok=True)

    def forget_process(self) -> None:
        """Clear what an earlier process left, before another takes the job up."""
        for name in ("stop", "launched.json", "progress.json", "heartbeat"):
            (self.folder / name).unlink(missing_ok=True)

    def process(self, status: Status | None = None) -> psutil.Process | None:
        """The living process that does this job on this machine."""
        identity = self._identity(status or self.stored_status())
        return identity.find() if identity and not identity.is_elsewhere else None

    def other_machine(self, status: Status | None = None) -> str | None:
        """The name of another machine that does this job, or waits with it for a device of its own."""
        identity = self._identity(status or self.stored_status())
        return identity.host if identity and identity.is_elsewhere else None

    def check_is_over(self) -> None:
        """Make sure that nobody works on this job, nor will before it is taken up again.

        Raises:
            JobError: it is at work or waits, or has been stopped and is still writing its model.
        """
        if self.status().state.is_active or self.process() is not None:
            name = self.id if self.is_damaged else self.title
            raise JobError(mark("“{job}” is still at work: stop it, or wait until it has ended."), job=name)

    def _identity(self, status: Status) -> ProcessId | None:
        path = self.folder / "launched.json"
        if status.process or not path.exists():
            return status.process
        with contextlib.suppress(JobError):
            return self._read("launched.json", ProcessId)
        return None

    def write_launched(self, pid: int) -> None:
        """Note the process from outside, until it speaks for itself; in a file apart, so that neither overwrites."""
        with contextlib.suppress(psutil.Error):  # it may be over already
            replace_json(self.folder / "launched.json", ProcessId.of(pid).model_dump())

    def beat(self) -> None:
        """Say that the job is alive to machines that cannot see its process."""
        with contextlib.suppress(OSError):  # a full disk, or a folder that was deleted: others will say so
            (self.folder / "heartbeat").touch()

    def _process_lives(self, status: Status) -> bool:
        identity = self._identity(status)
        if identity is None:
            return abs(time.time() - status.changes[-1].time) < STARTING_LIMIT_S
        return self._beats() if identity.is_elsewhere else identity.find() is not None

    def _beats(self) -> bool:
        try:
            return abs(self._now_on_disk() - (self.folder / "heartbeat").stat().st_mtime) < HEARTBEAT_LIMIT_S
        except OSError:
            return False

    def _now_on_disk(self) -> float:
        """By the clock that dates the heartbeat: those of two machines may be set differently, or jump."""
        now = self.folder.parent / ".now"
        try:
            now.touch()
            return now.stat().st_mtime
        except OSError:  # somebody who may only look
            return time.time()

    def request_stop(self) -> bool:
        """Ask the job to save what it has and end; whether it has ended by that, for it only waited.

        Raises:
            JobError: it has already ended.
        """
        with deciding(self.folder.parent):  # whoever starts queued jobs looks at this one before or after, not between
            status = self.status()
            if not status.state.is_active:
                raise JobError(mark("Job “{job}” has already ended."), job=self.id)
            with writing(self.folder):
                (self.folder / "stop").touch()
            waited = status.state is State.QUEUED
            if waited:
                self.write_status(status.to(State.STOPPED, Sentence(mark("Stopped before it began."))))
            return waited

    def stop_requested(self) -> bool:
        """Whether somebody asked it to stop."""
        return (self.folder / "stop").exists()

    def _read(self, name: str, kind: type[_Kind]) -> _Kind:
        path = self.folder / name
        try:
            found = path.stat()
            return cast("_Kind", _parsed(kind, path, (found.st_mtime_ns, found.st_size, found.st_ino)))
        except FileNotFoundError as error:
            raise (self._damaged(name) if self.folder.exists() else self._gone()) from error
        except (OSError, ValueError) as error:
            raise self._damaged(name) from error


@lru_cache(_KEPT_FILES)
def _parsed(kind: type[BaseModel], path: Path, _stamp: tuple[int, ...]) -> BaseModel:
    """What a file says, read once as long as it stays: each is replaced as a whole, and nobody may change the answer.

    Whoever looks at the queue looks at all jobs that ever were, each second.
    """
    return kind.model_validate_json(path.read_bytes())


def is_job_id(name: str) -> bool:
    """Whether a job is, or was, or could be called so."""
    return re.fullmatch(r"[a-z]+-\d{8}-\d{6}-(?:[0-9a-f]{2}){2,4}", name) is not None


def list_jobs(workspace: Workspace, kind: str | None = None) -> list[Job]:
    """Jobs of one kind, or all, the newest first; files and folders that are no jobs are passed over."""
    return jobs_below(workspace.jobs, kind)


def jobs_below(folder: Path, kind: str | None = None) -> list[Job]:
    """As :func:`list_jobs`, of any folder of jobs; none where there is no such folder."""
    created = dict(_jobs(folder, kind)) if folder.is_dir() else {}
    return sorted(created, key=created.__getitem__, reverse=True)


def damaged_jobs(folder: Path) -> list[Job]:
    """Those of a folder of jobs whose description cannot be read (:attr:`Job.is_damaged`), by their ids."""
    found = []
    for place in sorted(folder.glob("*-*")):
        if is_job_id(place.name) and place.is_dir():
            with contextlib.suppress(JobError):  # it may be thrown away at any moment
                if Job(place).is_damaged:
                    found.append(Job(place))
    return found


def kind_of(job_id: str) -> str:
    """The kind of a job by its id, which also a damaged one has."""
    return job_id.partition("-")[0]


def _jobs(folder: Path, kind: str | None) -> Iterator[tuple[Job, float]]:
    """Each with its time, read once: it may be thrown away at any moment."""
    for place in folder.iterdir():
        if place.name.startswith("."):
            continue
        job = Job(place)
        with contextlib.suppress(JobError):
            if kind is None or job.kind == kind:
                yield job, job.created
