"""Do a job in this process, or start one in a process of its own: the two doors to the same work."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hanzi_core.errors import JobError, of_settings
from hanzi_core.jobs import Job, Progress, Work, enqueue, launch, list_jobs, requeue, run_work
from hanzi_core.language import duration
from hanzi_core.language import gettext as _
from hanzi_core.workspace import Workspace

Config = TypeVar("Config", bound=BaseModel)

VERBS: dict[str, tuple[str, ...]] = {
    "import": ("dataset", "import"),
    "scan": ("dataset", "scan"),
    "materialise": ("dataset", "materialise"),
    "train": ("train",),
    "estimate": ("estimate",),
    "evaluate": ("evaluate",),
    "predict": ("predict",),
    "synthesise": ("synthesise",),
}
"""The command that works on a job of each kind."""

_CLICK_S = 3.0
"""A second click on a button whose work has not shown yet comes within this time."""


def start(workspace: Workspace, kind: str, config: BaseModel, title: str, devices: Sequence[str] = ()) -> Job:
    """Make a job and start its process, at once or when its devices are free; what a page's button does.

    Whoever clicks twice gets the job of the first click.

    Raises:
        JobError: the process cannot be started.
    """
    if twin := begun(workspace, kind, config, title, _CLICK_S):
        return twin
    job = Job.create(workspace, kind, config.model_dump(mode="json"), title, devices)
    enqueue(workspace, job, launch_job)
    return job


def begun(workspace: Workspace, kind: str, config: BaseModel, title: str, within_s: float = math.inf) -> Job | None:
    """The job that works on the very same, made at most ``within_s`` ago; ``None`` where there is none."""
    values, now = config.model_dump(mode="json"), time.time()
    for job in list_jobs(workspace, kind):
        if now - job.created > within_s:
            return None
        if (job.config, job.title) == (values, title) and job.status().state.is_active:
            return job
    return None


def resume(workspace: Workspace, job: Job) -> None:
    """Let a job that was stopped, lost or failed go on where its folder says it was.

    Raises:
        JobError: it is finished, or still at work; or the process cannot be started.
    """
    requeue(workspace, job, launch_job)


def launch_job(job: Job) -> None:
    """Start the process of a job that is prepared, or has stopped.

    Raises:
        JobError: the process cannot be started.
    """
    launch(job, [*VERBS[job.kind], "--job", job.id])


def perform(job: Job, function: Callable[[Work], dict[str, Any]]) -> int:
    """Do ``job`` here and show its progress to whoever watches this terminal; the exit code."""
    code = run_work(job, function, _show if sys.stderr.isatty() else None)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return code


def read_config(kind: type[Config], values: dict[str, Any]) -> Config:
    """A checked configuration.

    Raises:
        JobError: a value is missing or out of its range; says which.
    """
    try:
        return kind(**values)
    except ValidationError as error:
        raise of_settings(JobError, error) from error


def _show(progress: Progress) -> None:
    share = f"{progress.done / progress.total:4.0%}" if progress.total else ""
    left = duration(progress.remaining_s) if progress.remaining_s is not None else ""
    line = f"{_(progress.phase)}  {progress.done}/{progress.total or '?'}  {share}  {left}"
    print(f"\r{line:<78}", end="", file=sys.stderr)
