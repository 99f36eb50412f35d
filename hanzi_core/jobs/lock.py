"""Decide about jobs one at a time, whoever asks: two servers, a supervisor, the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hanzi_core.errors import JobError
from hanzi_core.language import mark
from hanzi_core.workspace import writing

DECISION_LIMIT_S = 20.0
"""Deciding takes milliseconds; only a process that was halted in the middle of it holds the lock for longer."""


@contextmanager
def deciding(jobs_folder: Path) -> Iterator[None]:
    """Hold the lock under which queued jobs are started, stopped and thrown away; free again when a holder dies.

    Raises:
        JobError: somebody has held it for too long.
        WorkspaceError: this user may not write there.
    """
    lock = FileLock(jobs_folder / ".deciding.lock", timeout=DECISION_LIMIT_S, is_singleton=True)
    if not _acquire(lock):
        raise JobError(
            mark(
                "Another process has been busy with the jobs in {folder} for {seconds:.0f} s: end it, then try again."
            ),
            folder=jobs_folder,
            seconds=DECISION_LIMIT_S,
        )
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock) -> bool:
    """Whether the lock was to be had in its time."""
    with writing(Path(lock.lock_file)):
        try:
            lock.acquire()
        except Timeout:
            return False
    return True


def is_supervised(jobs_folder: Path) -> bool:
    """Whether a supervisor lives; one that is just starting may not be seen."""
    with supervising(jobs_folder, 0) as free:
        return not free


@contextmanager
def supervising(jobs_folder: Path, wait_s: float) -> Iterator[bool]:
    """Be the one supervisor of a workspace; yields whether that came true within ``wait_s``."""
    lock = FileLock(jobs_folder / ".supervisor.lock", timeout=wait_s)
    if not _acquire(lock):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
