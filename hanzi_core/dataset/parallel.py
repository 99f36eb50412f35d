"""One task over many batches of a source: in threads where there are few, in processes where there are many."""

import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

import cv2

from hanzi_core.dataset.entry import Source
from hanzi_core.errors import DatasetError
from hanzi_core.jobs.process import ctrl_c_withheld
from hanzi_core.language import mark

Batch = TypeVar("Batch")
Result = TypeVar("Result")

PROCESSES_FROM = 4000
"""Pictures from which processes pay: they take about half a second to start, threads share one interpreter lock."""

_packed_source = b""


def run_batches(
    task: Callable[[Source, Batch], Result], source: Source, batches: Iterable[Batch], pictures: int
) -> Iterator[Result]:
    """The results of ``task(source, batch)`` in the order of ``batches``; few are held at a time.

    Args:
        task: A function of a module, so that it can be sent to a process.
        source: Handed to each process once.
        batches: Taken as they are needed.
        pictures: How many there are in all, about.

    Raises:
        DatasetError: a process was killed from outside.
    """
    executor, call = _executor(task, source, pictures)
    waiting: deque[Any] = deque()
    try:
        for batch in batches:
            with ctrl_c_withheld():  # the first one starts the processes
                waiting.append(executor.submit(call, batch))
            if len(waiting) >= 3 * core_count():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DatasetError(
            mark("A process that reads pictures was killed, perhaps for lack of memory: close other programs.")
        ) from error
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def core_count() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _executor(task: Callable[..., Any], source: Source, pictures: int) -> tuple[Executor, Callable[..., Any]]:
    cv2.setNumThreads(1)  # a picture is too small to share; pictures are shared instead
    if pictures < PROCESSES_FROM or core_count() == 1:
        return ThreadPoolExecutor(core_count()), partial(task, source)
    # Spawned, not forked: a fork of a process with threads (TensorFlow, Streamlit) may stop at a lock for ever.
    executor = ProcessPoolExecutor(core_count(), get_context("spawn"), _begin, (pickle.dumps(source),))
    return executor, partial(_on_own_source, task)


def _begin(packed_source: bytes) -> None:
    global _packed_source  # noqa: PLW0603  what a process has instead of a closure
    _packed_source = packed_source
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Windows; elsewhere it was started deaf to it
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """A parent that is killed says nothing; without this its processes would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@cache
def _own_source() -> Source:
    """Opened with the first batch: a zip that has gone since is then an error with a sentence, not a dead process.

    The bytes are our own: the process that started this one has just pickled its source, as it would any argument.
    """
    source: Source = pickle.loads(_packed_source)
    return source


def _on_own_source(task: Callable[[Source, Batch], Result], batch: Batch) -> Result:
    return task(_own_source(), batch)
