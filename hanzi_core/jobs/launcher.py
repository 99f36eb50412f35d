"""Start a job's process so that it outlives the page, the browser and the server that asked for it."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil

from hanzi_core.errors import JobError
from hanzi_core.jobs.lock import deciding
from hanzi_core.jobs.notice import notify
from hanzi_core.jobs.store import Job, State
from hanzi_core.language import Sentence, mark

END_LIMIT_S = 5.0
"""The system ends a process within milliseconds, unless that waits for a device."""

_PACKAGE_PARENT = Path(__file__).parents[2]


def launch(job: Job, arguments: Sequence[str]) -> None:
    """Run ``python -m hanzi_core`` with ``arguments`` as a detached process that works on ``job``.

    Raises:
        JobError: the process cannot be started.
    """
    job.forget_process()
    job.write_status(job.stored_status().to(State.STARTING, Sentence(mark("Starting its process.")), process=None))
    try:
        process = start_detached(job.folder.parents[1], arguments, job.log_path)
    except OSError as error:
        sentence = Sentence(mark("Its process could not be started: {reason}."), {"reason": error.strerror})
        job.write_status(job.stored_status().to(State.FAILED, sentence))
        raise JobError(sentence.template, **sentence.values) from error
    job.write_launched(process.pid)


def start_detached(workspace_root: Path, arguments: Sequence[str], log_path: Path) -> subprocess.Popen[bytes]:
    """Run ``python -m hanzi_core`` so that it outlives this process, with its output at the end of ``log_path``.

    Raises:
        OSError: the system refuses.
    """
    command = [sys.executable, "-m", "hanzi_core", "--workspace", str(workspace_root), *arguments]
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(),
            **_detached(),  # type: ignore[call-overload]
        )
    # Whoever starts a child must take note of its end, or it stays in the table of processes as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def stop(job: Job) -> None:
    """Ask a job to save what it has and end.

    Raises:
        JobError: it has already ended.
    """
    if job.request_stop():  # one at work tells of its end itself
        notify(job)


def kill(job: Job) -> bool:
    """End a job's process and its children at once; what it had not saved is lost. Whether there was anything to end.

    Raises:
        JobError: the process is on another machine, or does not end; the job stays as it is, and keeps its devices.
    """
    with deciding(job.folder.parent):  # or it might be started between the look and the end
        if (host := job.other_machine()) and job.status().state.is_active:
            raise JobError(
                mark("“{job}” is at work on {host}: from here it can be asked to stop, but not be ended at once."),
                job=job.title,
                host=host,
            )
        process = job.process()
        if process:
            _end(job, process)
        status = job.stored_status()
        ends = status.state.is_active
        if ends:
            job.write_status(status.to(State.STOPPED, Sentence(mark("Ended at once, as asked; unsaved work is lost."))))
    if ends:
        notify(job)
    return ends or process is not None


def _end(job: Job, process: psutil.Process) -> None:
    end_children(process)
    with contextlib.suppress(psutil.Error):
        process.kill()
    psutil.wait_procs([process], timeout=END_LIMIT_S)
    if job.process():
        raise JobError(
            mark(
                "Process {pid} of “{job}” could not be ended: it belongs to another user, or waits for the system. "
                "Try again in a moment, or as that user."
            ),
            pid=process.pid,
            job=job.title,
        )


def end_children(process: psutil.Process) -> None:
    """End all that ``process`` has started."""
    with contextlib.suppress(psutil.Error):
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(_PACKAGE_PARENT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


def _detached() -> dict[str, object]:
    if os.name == "nt":
        flags = "DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP"
        return {"creationflags": sum(getattr(subprocess, flag) for flag in flags)}
    return {"start_new_session": True}
