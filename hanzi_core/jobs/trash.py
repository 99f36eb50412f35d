"""Throw a job away, get it back, or let go of it for good."""

from pathlib import Path

from hanzi_core.errors import WorkspaceError
from hanzi_core.jobs.lock import deciding
from hanzi_core.jobs.store import Job, damaged_jobs, jobs_below
from hanzi_core.workspace import Workspace, let_go, sweep, writing


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
    return jobs_below(_trash(workspace))


def damaged(workspace: Workspace) -> list[Job]:
    """What lies in the trash and cannot be read any more."""
    return damaged_jobs(_trash(workspace))


def restore(workspace: Workspace, job: Job) -> Job:
    """Bring a job back from the trash."""
    with writing(workspace.jobs):
        return Job(job.folder.rename(workspace.jobs / job.id))


def empty(workspace: Workspace) -> int:
    """Delete everything in the trash for good; how many jobs went.

    Raises:
        WorkspaceError: the disk does not let us have some of it, another user's perhaps; the rest is gone.
    """
    folders = [folder for folder in _trash(workspace).glob("*") if folder.is_dir() and folder.name[0] != "."]
    refused = None
    for folder in folders:
        try:
            let_go(folder)
        except WorkspaceError as error:
            refused = error
    sweep(_trash(workspace))
    if refused is not None:
        raise refused
    return len(folders)


def _trash(workspace: Workspace) -> Path:
    return workspace.root / "trash"
