"""The worker's side of a job: what runs in the job's own process."""

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from hanzi_core.errors import HanziError, WorkspaceError
from hanzi_core.jobs.history import Row
from hanzi_core.jobs.launcher import end_children
from hanzi_core.jobs.lock import deciding
from hanzi_core.jobs.notice import notify
from hanzi_core.jobs.process import ProcessId
from hanzi_core.jobs.store import Job, Progress, State
from hanzi_core.language import Sentence, mark
from hanzi_core.language import gettext as _
from hanzi_core.workspace import writing

WRITE_INTERVAL_S = 0.5
"""Progress reaches the disk this often: pages are at most 2 s behind, and the disk is left alone."""

_WORKING = mark("Working.")

HEARTBEAT_INTERVAL_S = 5.0
UNHEARD_LIMIT_S = 20.0
"""Work that has not come to ask for so long whether to stop is ended all the same: the first step of a large network
compiles for half a minute on a busy machine, and what was saved before stands."""

Tell = Callable[[Progress], None]
"""Hears of progress as it is written: the command line shows it."""


class Stopped(Exception):  # noqa: N818  it is no error
    """Raised by the work itself where it ends because it was asked to."""


class Work:
    """What a worker function is given: a place to report to, and the question whether to go on."""

    def __init__(self, job: Job, tell: Tell | None = None) -> None:
        self.job = job
        self._own = ProcessId.own()
        self._tell = tell
        self._stopping = self._has_let_go = self._writes_out = False
        self._signal = 0
        self._hearing = threading.Lock()
        self._written = 0.0
        self._phase = ""
        self._phase_started = time.monotonic()
        self._phase_first = 0

    @property
    def folder(self) -> Path:
        """The job's folder, where results belong."""
        return self.job.folder

    def stopping(self) -> bool:
        """Whether to save what there is and end; cheap enough to ask for every batch."""
        if self._stopping:
            return True
        with self._hearing:
            if not self._stopping and (self._signal or self.job.stop_requested()):
                self._stopping = True
                self.change(State.STOPPING, Sentence(mark("Saving what there is, then ending.")))
        return self._stopping

    def write_out(self) -> None:
        """From now on only what was reached is written: a request to stop finds nothing left to stop."""
        self._writes_out = True

    def stop_unheard(self) -> None:
        """Stop from outside of the work, which does not come to ask."""
        with self._hearing:
            if self._stopping:
                return
            self._stopping = True
            if self._writes_out:
                self.let_go()
                return
            sentence = mark("Stopped as asked, amid a long step: what it had saved before is kept.")
            try:
                self.change(State.STOPPED, Sentence(sentence))
                notify(self.job)
            finally:  # also where a full disk lets it say nothing
                end_children(psutil.Process())
                os._exit(self.stopped_code)

    def mind_the_job(self) -> None:
        """End this process if another machine has taken the job up: two would spoil each other's files.

        That machine did not hear of this one for a minute, which slept perhaps. Where it has noted that, but nobody
        has taken the job up, this work goes on.
        """
        with contextlib.suppress(HanziError, OSError):  # a disk that is away for a moment
            if self._is_taken_up():
                with contextlib.suppress(HanziError):
                    self.note("Another process has taken this job up: this one ends.")
                end_children(psutil.Process())
                os._exit(1)

    def _is_taken_up(self) -> bool:
        stored = self.job.stored_status()
        if self._has_let_go or (stored.process == self._own and stored.state is not State.LOST):
            return False
        with deciding(self.job.folder.parent):  # or it may be taken up between the look and the change
            stored = self.job.stored_status()
            if stored.process == self._own and stored.state is State.LOST:
                self.change(State.RUNNING, Sentence(mark("Its machine is heard again.")))
        return stored.process != self._own

    def check(self) -> None:
        """Raise :class:`Stopped` if the job should end here."""
        if self.stopping():
            raise Stopped

    def report(self, phase: str, done: int, total: int = 0) -> None:
        """:meth:`check`, then :meth:`progress`: what long work that knows no jobs is given to tell how far it is."""
        self.check()
        self.progress(phase, done, total)

    def agree(self, number: int, is_out_of_time: bool) -> bool:
        """Whether time is up, asked at step ``number``; the ranks of a group come to one answer (see ``RankWork``)."""
        return is_out_of_time

    def let_go(self) -> None:
        """Count as stopped from now on, though something slow is still to be written.

        The CPU is free for others; a GPU, whose memory this process has, when it ends.
        """
        if not self._has_let_go:
            self._has_let_go = True
            self.change(
                State.STOPPED, Sentence(mark("Stopped as asked; what it had is saved, and is being written out."))
            )

    def end(self, state: State, sentence: Sentence) -> None:
        """Come to the last state, unless this work had let go and somebody has taken the job up since."""
        with self._hearing:
            self._stopping = True  # whoever asks now comes too late
            if not self._has_let_go or not self.job.stored_status().state.is_active:
                self.change(state, sentence)

    def record(self, row: Row) -> None:
        """Add a row to the job's history."""
        self.job.history.append({"time": time.time(), **row})

    def note(self, text: str) -> None:
        """Add a line to the job's log, which is then the same whether a page started it or somebody's terminal."""
        path = self.job.log_path
        with writing(path), path.open("ab", buffering=0) as log:
            log.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {text}\n".encode())

    def progress(self, phase: str, done: int, total: int = 0) -> None:
        """Say how far ``phase`` is; written at most every :data:`WRITE_INTERVAL_S`, and at a phase's ends."""
        now = time.monotonic()
        if phase != self._phase:
            self._phase, self._phase_started, self._phase_first, self._written = phase, now, done, 0.0
        if now - self._written < WRITE_INTERVAL_S and done != total:
            return
        self._written = now
        elapsed_s = now - self._phase_started
        rate = (done - self._phase_first) / elapsed_s if elapsed_s > 0.2 and done > self._phase_first else None
        remaining_s = (total - done) / rate if rate and total else None
        self.show(Progress(phase=phase, done=done, total=total, rate_per_s=rate, remaining_s=remaining_s))

    def show(self, progress: Progress) -> None:
        """Write a progress that the worker has worked out itself."""
        self.job.write_progress(progress)
        if self._tell:
            self._tell(progress)

    @property
    def stopped_code(self) -> int:
        """The exit code of work that was stopped: 0 if a page or a command asked for it, as of shells if a signal did.

        What follows in a script is then not begun: “import … && train …” after Ctrl+C.
        """
        return 128 + self._signal if self._signal else 0

    def terminate(self, number: int, _frame: FrameType | None = None) -> None:
        """Take a polite signal from the system for a request to stop."""
        self._signal = number

    def interrupt(self, number: int, _frame: FrameType | None = None) -> None:
        """Take Ctrl+C for a request to stop, too; the next one ends the work where it is."""
        self._signal = number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\n" + _("Saving what there is, then ending. Press Ctrl+C again to end at once."), file=sys.stderr)

    def change(self, state: State, sentence: Sentence) -> None:
        """Come to ``state``; on a full disk the progress gives up its place, so that the end can be told."""
        status = self.job.stored_status().to(state, sentence, process=self._own)
        try:
            self.job.write_status(status)
        except WorkspaceError:
            self.job.forget_progress()
            self.job.write_status(status)


def run_work(job: Job, function: Callable[[Work], dict[str, Any]], tell: Tell | None = None) -> int:
    """Do a job in this process, and see to it that its folder tells how it ended.

    Returns:
        The exit code: 0 finished or stopped as asked, 130 or 143 stopped by Ctrl+C or SIGTERM, 2 a sentence for the
        user, 1 a fault of ours.
    """
    work = Work(job, tell)
    work.change(State.RUNNING, Sentence(_WORKING))
    with _listening(work), _beating(work):
        code, state, sentence = _outcome(work, function)
        work.end(state, sentence)
    notify(job)
    return code


@contextmanager
def _listening(work: Work) -> Iterator[None]:
    """Hear what the system and a terminal ask for."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, work.terminate)
    signal.signal(signal.SIGINT, work.interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _outcome(work: Work, function: Callable[[Work], dict[str, Any]]) -> tuple[int, State, Sentence]:
    try:
        # Nothing is known yet; but it takes the place in which the end can be told on a disk that is full by then.
        work.job.write_progress(Progress(phase=_WORKING, done=0, total=0))
        result = function(work)
        work.job.write_result(result)
    except (Stopped, KeyboardInterrupt):
        return work.stopped_code, State.STOPPED, Sentence(mark("Stopped as asked."))
    except HanziError as error:
        print(error, file=sys.stderr)
        return 2, State.FAILED, error.sentence
    except Exception as error:
        traceback.print_exc()
        return 1, State.FAILED, _fault(error)
    if work.stopping():
        return work.stopped_code, State.STOPPED, Sentence(mark("Stopped as asked; what it had is kept."))
    return 0, State.FINISHED, Sentence(mark("Finished."))


@contextmanager
def _beating(work: Work) -> Iterator[None]:
    """Touch the job's heartbeat and hear of requests to stop, also when the work itself is silent for a minute."""
    over = threading.Event()

    def beat() -> None:
        asked = None
        while not over.wait(HEARTBEAT_INTERVAL_S):
            work.mind_the_job()
            work.job.beat()
            if asked is None and work.job.stop_requested():
                asked = time.monotonic()
            if asked is not None and time.monotonic() - asked >= UNHEARD_LIMIT_S:
                work.stop_unheard()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _fault(error: Exception) -> Sentence:
    if isinstance(error, MemoryError):
        return Sentence(
            mark("The memory of this machine was not enough. Close other programs, or ask for less at once.")
        )
    return Sentence(mark("An unexpected fault ended it ({kind}). The log says more."), {"kind": type(error).__name__})
