"""Throw a job away, get it back, or let go of it for good."""

import shutil
from pathlib import Path

from hanzi_core.jobs.lock import deciding
from hanzi_core.jobs.store import Job
from hanzi_core.workspace import Workspace, writing


def throw_away(workspace: Workspace, job: Job) -> None:
    """Move an ended job to the trash.

    Raises:
        JobError: it is still at work or waiting.
    """
    with deciding(workspace.jobs):
        job.check_is_over()
        with writing(workspace.root):
            _trash(workspace).mkdir(exist_ok=True)
            job.folder.rename(_trash(workspace) / job.id)


def thrown_away(workspace: Workspace) -> list[Job]:
    """What lies in the trash, the newest first."""
    folders = _trash(workspace).glob("*/config.json")
    return sorted((Job(path.parent) for path in folders), key=lambda job: job.created, reverse=True)


def restore(workspace: Workspace, job: Job) -> Job:
    """Bring a job back from the trash."""
    with writing(workspace.jobs):
        return Job(job.folder.rename(workspace.jobs / job.id))


def empty(workspace: Workspace) -> int:
    """Delete everything in the trash for good; how many jobs went."""
    jobs = thrown_away(workspace)
    with writing(workspace.root):
        shutil.rmtree(_trash(workspace), ignore_errors=True)
    return len(jobs)


def _trash(workspace: Workspace) -> Path:
    return workspace.root / "trash"
