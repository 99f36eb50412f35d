"""Who works on which device, and who is next.

A job that names devices waits until all of them are free; the oldest goes first, and keeps its place even while a
younger one would fit. Decisions are made under one lock, by whoever comes by: the page that adds a job, the supervisor
(a small process that lives while there is anything to watch), the command line.

Devices are those of the machine that looks: jobs at work on another one, which shares the workspace, hold none of them.
A GPU is free when the process that had its memory has gone, which may be minutes after its job's end.
"""

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from hanzi_core.errors import HanziError, JobError
from hanzi_core.jobs.devices import CPU, slots
from hanzi_core.jobs.launcher import start_detached
from hanzi_core.jobs.lock import deciding, is_supervised, supervising
from hanzi_core.jobs.notice import notify
from hanzi_core.jobs.store import Job, State, Status, list_jobs
from hanzi_core.language import Sentence, mark
from hanzi_core.workspace import Workspace

LOOK_INTERVAL_S = 1.0
HANDOVER_S = 5.0
"""How long a new supervisor waits for an old one that is just ending."""

Launch = Callable[[Job], None]
"""Starts the process of a job; knows the verb of each kind."""


def enqueue(workspace: Workspace, job: Job, launch: Launch) -> None:
    """Start ``job`` if its devices are free, else leave it waiting, watched over by the supervisor.

    Raises:
        JobError: its process, or the supervisor's, cannot be started.
    """
    if not job.devices:
        with deciding(workspace.jobs):
            if job.stored_status().state is State.QUEUED:  # it may have been stopped since, or started
                launch(job)
        return
    look(workspace, launch)
    _start_supervisor(workspace)


def keep_watched(workspace: Workspace) -> None:
    """Start the supervisor if there is something to watch and nobody does: it may have gone with the machine.

    Raises:
        JobError: it cannot be started.
    """
    if not is_supervised(workspace.jobs) and any(stored.state.is_active for _job, stored in _with_devices(workspace)):
        _start_supervisor(workspace)


def _start_supervisor(workspace: Workspace) -> None:
    try:
        start_detached(workspace.root, ["jobs", "supervise"], workspace.jobs / ".supervisor.log")
    except OSError as error:
        raise JobError(
            mark("The process that starts waiting jobs could not be started: {reason}."), reason=error.strerror
        ) from error


def requeue(workspace: Workspace, job: Job, launch: Launch) -> None:
    """Take up a job again that has ended before it was finished.

    Raises:
        JobError: it is finished, or still at work: a second process in its folder would spoil what the first writes;
            or its process cannot be started.
    """
    with deciding(workspace.jobs):
        status = job.status()
        if status.state is State.FINISHED:
            raise JobError(mark("“{job}” is finished: clone it to do more."), job=job.title)
        job.check_is_over()
        job.forget_process()
        job.write_status(status.to(State.QUEUED, Sentence(mark("Waiting to go on.")), process=None))
    enqueue(workspace, job, launch)


def supervise(workspace: Workspace, launch: Launch) -> None:
    """Start waiting jobs as devices become free and note which were lost; return when no job is left to watch.

    Only one process a workspace does this; any other returns at once. A look that fails, on a full disk say, is told
    and followed by the next one: who waits is to start once there is space.
    """
    with supervising(workspace.jobs, HANDOVER_S) as alone:
        while alone:
            try:
                if not look(workspace, launch):
                    return
            except (HanziError, OSError) as error:
                with contextlib.suppress(OSError):  # the log may be on the same disk
                    print(error, file=sys.stderr)
            time.sleep(LOOK_INTERVAL_S)


def look(workspace: Workspace, launch: Launch) -> bool:
    """One look at the queue; whether there is still something to watch."""
    with deciding(workspace.jobs):
        found = list(_with_devices(workspace))
        lost = _settle(found)
        watched = _watched(found)
        _launch_ready(watched, launch)
    for job in lost:
        notify(job)
    return bool(watched)


def wait_in_line(workspace: Workspace, job: Job, tell: Callable[[list[Job]], None]) -> bool:
    """Wait in the process that made ``job`` for itself until the devices are its own; ``tell`` hears who holds them.

    Returns:
        Whether they are; not so where somebody has ended the job while it waited.
    """
    while True:
        with deciding(workspace.jobs):
            status = job.stored_status()
            if status.state is not State.QUEUED:
                return False
            job.beat()
            watched = _watched(_with_devices(workspace))
            if job in _ready(watched):
                job.write_status(status.to(State.STARTING, Sentence(mark("Starting."))))
                return True
            held_by = [
                other for other, at in _here(watched) if at.state is not State.QUEUED and _share_device(job, other)
            ]
        tell(held_by)
        time.sleep(LOOK_INTERVAL_S)


def holders(workspace: Workspace) -> dict[str, list[Job]]:
    """The jobs that have each device."""
    held: dict[str, list[Job]] = {}
    for job, status in _here(_watched(_with_devices(workspace))):
        if status.state is not State.QUEUED:
            for key in job.devices:
                held.setdefault(key, []).append(job)
    return held


def ahead(workspace: Workspace, job: Job) -> list[Job]:
    """The jobs that have, or will have sooner, a device that the queued ``job`` waits for, the oldest first."""
    return [
        other
        for other, status in _here(_watched(_with_devices(workspace)))
        if (status.state is not State.QUEUED or other.created < job.created) and _share_device(job, other)
    ]


def _share_device(first: Job, second: Job) -> bool:
    return bool(set(first.devices) & set(second.devices))


def _settle(found: Iterable[tuple[Job, Status]]) -> list[Job]:
    """Write down, once, which jobs were lost."""
    lost = []
    for job, stored in found:
        if stored.state.is_active and (status := job.status()).state is State.LOST:
            job.write_status(status)
            lost.append(job)
    return lost


def _with_devices(workspace: Workspace) -> Iterator[tuple[Job, Status]]:
    """Jobs that hold or want a device, the newest first, and what they last said; a folder may go at any moment."""
    for job in list_jobs(workspace):
        with contextlib.suppress(JobError):
            if job.devices:
                yield job, job.stored_status()


def _watched(found: Iterable[tuple[Job, Status]]) -> list[tuple[Job, Status]]:
    """Of jobs with devices, the newest first, those that hold or want them, the oldest first."""
    watched = []
    for job, stored in found:
        with contextlib.suppress(JobError):
            status = job.status() if stored.state.is_active else stored
            if status.state.is_active or _holds_gpu_memory(job, status):
                watched.append((job, status))
    return watched[::-1]


def _here(watched: list[tuple[Job, Status]]) -> list[tuple[Job, Status]]:
    """Those that have, or may have, a device of this machine: other machines in the workspace have their own."""
    return [(job, status) for job, status in watched if job.other_machine(status) is None]


def _holds_gpu_memory(job: Job, ended: Status) -> bool:
    """Whether a process that evaluates or writes its model after the end has a GPU still.

    TensorFlow gives the memory back with the process alone. Cores need not be waited for.
    """
    return job.devices != (CPU,) and job.process(ended) is not None


def _ready(watched: list[tuple[Job, Status]]) -> list[Job]:
    """Waiting jobs whose devices are free now."""
    watched = _here(watched)
    taken = Counter(key for job, status in watched if status.state is not State.QUEUED for key in job.devices)
    ready = []
    for job, status in watched:
        if status.state is not State.QUEUED:
            continue
        if all(taken[key] < slots(key) for key in job.devices):
            ready.append(job)
        taken.update(job.devices)  # a job that waits keeps its place
    return ready


def _launch_ready(watched: list[tuple[Job, Status]], launch: Launch) -> None:
    waits_here = {job for job, status in watched if status.process is not None}
    for job in _ready(watched):
        if job in waits_here:  # it runs in somebody's terminal, and will see for itself
            continue
        try:
            launch(job)
        except HanziError:  # the job says so itself; the next one may still start
            continue
