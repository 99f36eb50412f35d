"""One run on several processes, of this machine or of several, by JAX and ``keras.distribution``.

The job's own process trains nothing: it starts the ranks, watches all of them, and ends the group when one dies, since
the others would wait for it for minutes. Rank 0 alone writes history, checkpoints and the model bundle, into the job's
folder, which every machine must see at the same path.

Keras's ``MultiWorkerMirroredStrategy`` does not work with the ``fit`` of Keras 3 (keras issue 20585).
"""

import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from hanzi_core.errors import TrainingError
from hanzi_core.jobs import Job, Work
from hanzi_core.language import mark
from hanzi_core.training.config import TrainingConfig

RANK, RANKS, COORDINATOR = "HANZI_RANK", "HANZI_RANKS", "HANZI_COORDINATOR"
WATCH_INTERVAL_S = 0.5
LAST_WORDS_S = 10.0
"""When one rank has died the others get this long to end by themselves."""
_STEPS_BETWEEN_TALKS = 4


@dataclass(frozen=True)
class Rank:
    """Which of how many processes this is."""

    number: int
    count: int

    @classmethod
    def of_this_process(cls) -> "Rank | None":
        """As the variables say that the group's watcher, or Slurm through it, has set; ``None`` outside a group."""
        if RANK not in os.environ:
            return None
        return cls(int(os.environ[RANK]), int(os.environ[RANKS]))

    def device(self, devices: Sequence[str], hosts: Sequence[str]) -> tuple[str, ...]:
        """The one device of this rank: those of its machine are dealt out in turn."""
        return (devices[self.number // max(1, len(hosts)) % len(devices)],)


def join_group(rank: Rank) -> None:
    """Meet the other ranks; every batch is divided among all devices from now on."""
    import jax
    import keras

    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    jax.distributed.initialize(os.environ[COORDINATOR], rank.count, rank.number)
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))


def _end_with_parent(parent: int) -> None:
    """A group whose watcher was killed must not train on unseen."""
    while os.getppid() == parent:
        time.sleep(WATCH_INTERVAL_S)
    os._exit(1)


class RankWork(Work):
    """The work of one rank: rank 0 tells the folder, and all stop at the same step."""

    def __init__(self, job: Job, rank: Rank) -> None:
        super().__init__(job)
        self._rank = rank
        self._asked = 0
        self._agreed = False

    def record(self, row: dict[str, Any]) -> None:
        """Rank 0 alone writes history."""
        if self._rank.number == 0:
            super().record(row)

    def progress(self, phase: str, done: int, total: int = 0) -> None:
        """Rank 0 alone tells progress."""
        if self._rank.number == 0:
            super().progress(phase, done, total)

    def show(self, progress) -> None:  # type: ignore[no-untyped-def]
        """Rank 0 alone tells progress."""
        if self._rank.number == 0:
            super().show(progress)

    def stopping(self) -> bool:
        """Whether rank 0 has been asked to stop; a rank that stopped alone would leave the others waiting for it."""
        self._asked += 1
        if not self._agreed and self._asked % _STEPS_BETWEEN_TALKS == 0:
            self._agreed = bool(_from_rank_0(self.job.stop_requested() or self._terminated))
        return self._agreed


def _from_rank_0(value: bool) -> bool:
    import numpy as np
    from jax.experimental import multihost_utils

    return bool(multihost_utils.broadcast_one_to_all(np.array(value)))


def run_group(work: Work, workspace_root: Path, config: TrainingConfig) -> None:
    """Start every rank, and wait until all have ended well.

    Raises:
        TrainingError: a rank has died; the others were ended.
    """
    with _ranks(work.job, workspace_root, config) as ranks:
        while any(rank.poll() is None for rank in ranks):
            time.sleep(WATCH_INTERVAL_S)
            work.stopping()  # shows that the request was heard; the ranks look for it themselves
            failed = [number for number, rank in enumerate(ranks) if rank.poll() not in (None, 0)]
            if failed:
                _give_last_words(ranks)
                raise TrainingError(
                    mark("Process {rank} of {count} died, so the others were ended too: the run can be resumed."),
                    rank=failed[0],
                    count=len(ranks),
                )
        if any(rank.returncode for rank in ranks):
            raise TrainingError(mark("A process of the group ended badly; the log says more."))


def _give_last_words(ranks: list[subprocess.Popen]) -> None:
    """A rank that fails with a sentence takes the others along a moment later; let each say its own."""
    end = time.monotonic() + LAST_WORDS_S / 5
    while time.monotonic() < end and any(rank.poll() is None for rank in ranks):
        time.sleep(WATCH_INTERVAL_S / 5)


@contextmanager
def _ranks(job: Job, root: Path, config: TrainingConfig) -> Iterator[list[subprocess.Popen]]:
    """The processes of the group; none outlives the block."""
    coordinator = f"{config.hosts[0] if config.hosts else '127.0.0.1'}:{_free_port()}"
    with job.log_path.open("ab") as log:
        ranks = [
            subprocess.Popen(
                _command(job, root, config, number, coordinator),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | _variables(config, number, coordinator),
            )
            for number in range(config.processes)
        ]
    try:
        yield ranks
    finally:
        for rank in ranks:
            _end(rank)


def _command(job: Job, root: Path, config: TrainingConfig, number: int, coordinator: str) -> list[str]:
    """The rank's command line, by ssh where hosts are named; they are taken in turn."""
    command = [sys.executable, "-m", "hanzi_core", "--workspace", str(root), "train", "--job", job.id]
    if not config.hosts:
        return command
    host = config.hosts[number % len(config.hosts)]
    variables = [f"{name}={value}" for name, value in _variables(config, number, coordinator).items()]
    line = shlex.join(["env", *variables, *command])
    return ["ssh", "-tt", "-o", "BatchMode=yes", host, f"cd {shlex.quote(str(Path.cwd()))} && {line}"]


def _variables(config: TrainingConfig, number: int, coordinator: str) -> dict[str, str]:
    return {
        RANK: str(number),
        RANKS: str(config.processes),
        COORDINATOR: coordinator,
        "KERAS_BACKEND": "jax",
        "PYTHONUTF8": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def _end(rank: subprocess.Popen) -> None:
    """End a rank and its children; over ssh, the far side ends with its terminal (``-tt``)."""
    if rank.poll() is not None:
        return
    for child in psutil.Process(rank.pid).children(recursive=True):
        child.kill()
    rank.kill()
    rank.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
