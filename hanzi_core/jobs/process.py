"""Which process does a job, told apart from a later one with the same number."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

_PROC = Path("/proc")


@contextmanager
def ctrl_c_withheld() -> Iterator[None]:
    """Processes that are started within do not hear Ctrl+C, from their first moment on: it is their parent's to answer.

    The parent hears of one that comes meanwhile afterwards. Windows has no such thing.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ProcessId(BaseModel):
    """A process by its number and its birth.

    The birth is in ticks since the machine started, where the system tells them (Linux): a date of birth would change
    with every correction of the clock, and a living process would look like another one.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    created: float
    """Unix seconds."""
    ticks: int | None = None
    boot: str = ""
    host: str = ""

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """The process that has number ``pid`` now.

        Raises:
            psutil.NoSuchProcess: there is none.
        """
        created = psutil.Process(pid).create_time()
        return cls(pid=pid, created=created, ticks=_ticks(pid), boot=_boot(), host=socket.gethostname())

    @classmethod
    def own(cls) -> "ProcessId":
        """This process."""
        return cls.of(os.getpid())

    @property
    def is_elsewhere(self) -> bool:
        """Whether it runs on another machine that shares the workspace, where its number means nothing here."""
        return bool(self.host) and self.host != socket.gethostname()

    def find(self) -> psutil.Process | None:
        """The process if it lives here; a zombie is dead, and so is one that came to the same number later."""
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE or not self._is(process):
                return None
        except psutil.Error:
            return None
        return process

    def _is(self, process: psutil.Process) -> bool:
        if self.ticks is not None:
            return self.boot == _boot() and self.ticks == _ticks(self.pid)
        return abs(process.create_time() - self.created) <= 1.0


def _ticks(pid: int) -> int | None:
    """Field 22 of ``/proc/PID/stat`` (proc(5)); the name in field 2 may hold spaces and brackets."""
    try:
        return int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
