import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hanzi_core.dataset.entry import Source
from hanzi_core.dataset.folder import FolderSource
from hanzi_core.dataset.parallel import PROCESSES_FROM, core_count, run_batches
from hanzi_core.errors import DatasetError


def double(source: Source, number: int) -> int:
    assert source.location.name == "here"
    return 2 * number


def own_process(_source: Source, _number: int) -> int:
    return os.getpid()


def kill_itself(_source: Source, _number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hears_ctrl_c(_source: Source, _number: int) -> bool:
    return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def fail(_source: Source, _number: int) -> None:
    raise DatasetError("a sentence about {what}", what="it")


HERE = FolderSource(Path("here"))


@pytest.mark.parametrize("pictures", [10, PROCESSES_FROM])
def test_results_in_order(pictures: int) -> None:
    assert list(run_batches(double, HERE, range(50), pictures)) == list(range(0, 100, 2))


@pytest.mark.skipif(core_count() == 1, reason="one core needs no processes")
def test_many_pictures_take_processes_and_few_do_not() -> None:
    assert set(run_batches(own_process, HERE, range(3), 10)) == {os.getpid()}
    assert os.getpid() not in set(run_batches(own_process, HERE, range(3), PROCESSES_FROM))


def test_batches_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []

    def batches() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = run_batches(double, HERE, batches(), 10)
    next(results)
    assert len(taken) <= 3 * core_count()
    results.close()


@pytest.mark.skipif(os.name == "nt" or core_count() == 1, reason="kills a process as Linux does for lack of memory")
def test_a_killed_process_is_a_sentence() -> None:
    with pytest.raises(DatasetError, match="was killed"):
        list(run_batches(kill_itself, HERE, range(3), PROCESSES_FROM))


@pytest.mark.skipif(os.name == "nt" or core_count() == 1, reason="Windows starts no process deaf")
def test_ctrl_c_ends_no_process_that_is_only_just_starting() -> None:
    """It had a second until it could say that it does not hear, and the import was told to lack memory."""
    assert not any(run_batches(hears_ctrl_c, HERE, range(3), PROCESSES_FROM))
    assert hears_ctrl_c(HERE, 0)


def test_an_error_crosses_the_border_whole() -> None:
    with pytest.raises(DatasetError, match="a sentence about it"):
        list(run_batches(fail, HERE, range(3), PROCESSES_FROM))


def test_no_process_is_left_behind() -> None:
    results = run_batches(own_process, HERE, range(1000), PROCESSES_FROM)
    pid = next(results)
    results.close()
    deadline = time.monotonic() + 10
    while pid != os.getpid() and psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pid == os.getpid() or not psutil.pid_exists(pid)
