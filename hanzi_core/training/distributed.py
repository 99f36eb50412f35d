"""One run on several processes, of this machine or of several, by JAX and ``keras.distribution``.

The job's own process trains nothing: it starts the ranks, watches all of them, and ends the group when one dies, since
the others would wait for it for minutes. Rank 0 alone writes history, checkpoints and the model bundle, into the job's
folder, which every machine must see at the same path.

Keras's ``MultiWorkerMirroredStrategy`` does not work with the ``fit`` of Keras 3 (keras issue 20585).
"""

import contextlib
import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import psutil

from hanzi_core.dataset import Dataset, open_pack
from hanzi_core.errors import HanziError, TrainingError
from hanzi_core.jobs import Job, Work
from hanzi_core.jobs.launcher import end_children
from hanzi_core.jobs.process import ProcessId, ctrl_c_withheld
from hanzi_core.language import Sentence, mark
from hanzi_core.training.config import TrainingConfig
from hanzi_core.training.start import image_size_px
from hanzi_core.workspace import Workspace, replace_json

RANK, RANKS, COORDINATOR = "HANZI_RANK", "HANZI_RANKS", "HANZI_COORDINATOR"
WATCHER = "HANZI_WATCHER"
"""Of the ranks on its own machine: which process watches them."""
WATCH_INTERVAL_S = 0.5
LAST_WORDS_S = 2.0
"""When one rank has ended badly the others get this long to say their own."""
STOP_LIMIT_S = 20.0
"""Asked to stop, the ranks get this long to save; then they are ended, and their last checkpoint stands."""
STEPS_BETWEEN_TALKS = 4


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

    jax.distributed.initialize(os.environ[COORDINATOR], rank.count, rank.number)
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))


def _end_with_watcher() -> None:
    """A group whose watcher was killed must not train on unseen; elsewhere ssh's own end tells of it."""
    told = os.environ.get(WATCHER)
    watcher = ProcessId.model_validate_json(told) if told else ProcessId.of(os.getppid())
    while watcher.find():
        time.sleep(WATCH_INTERVAL_S)
    os._exit(1)


class RankWork(Work):
    """The work of one rank: rank 0 tells the folder, and all stop at the same step.

    Whatever the ranks say to each other, each must say at the same place: a rank that talks about stopping while
    another sums gradients takes the one for the other, and dies of it (“collective mismatch”). So they talk at step
    numbers, which they share, and nowhere else.
    """

    def __init__(self, job: Job, rank: Rank) -> None:
        super().__init__(job)
        self._rank = rank
        self._agreed = False

    def record(self, row: dict[str, Any]) -> None:
        """Rank 0 alone writes history."""
        if self._rank.number == 0:
            super().record(row)

    def note(self, text: str) -> None:
        """Rank 0 alone writes into the log what holds for all."""
        if self._rank.number == 0:
            super().note(text)

    def progress(self, phase: str, done: int, total: int = 0) -> None:
        """Rank 0 alone tells progress."""
        if self._rank.number == 0:
            super().progress(phase, done, total)

    def show(self, progress) -> None:  # type: ignore[no-untyped-def]
        """Rank 0 alone tells progress."""
        if self._rank.number == 0:
            super().show(progress)

    def stopping(self) -> bool:
        """Whether all have agreed to stop; a rank that stopped alone would leave the others waiting for it."""
        return self._agreed

    def agree(self, number: int, is_out_of_time: bool) -> bool:
        """Hear from rank 0, at every fourth step, whether to stop and whether time is up."""
        if self._agreed or number % STEPS_BETWEEN_TALKS:
            return False
        asked = self._rank.number == 0 and self.job.stop_requested()
        self._agreed, time_is_up = _from_rank_0(asked, is_out_of_time)
        return time_is_up


def _from_rank_0(*values: bool) -> list[bool]:
    import numpy as np
    from jax.experimental import multihost_utils

    return [bool(value) for value in multihost_utils.broadcast_one_to_all(np.array(values, np.int32))]


def run_rank(job: Job, rank: Rank, function: Callable[[RankWork], None]) -> int:
    """Do the part of one rank; the exit code.

    A rank that fails ends at once: a polite end waits for the others, and they wait for this one's gradients.
    """
    threading.Thread(target=_end_with_watcher, daemon=True).start()
    try:
        function(RankWork(job, rank))
    except HanziError as error:
        print(error, file=sys.stderr)
        replace_json(_words(job, rank.number), error.sentence.to_json())
        _end_now(2)
    except BaseException:
        traceback.print_exc()
        _end_now(1)
    return 0


def _words(job: Job, number: int) -> Path:
    """Where a rank leaves the sentence by which it ended."""
    return job.folder / f"rank-{number}.json"


def _end_now(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run_group(work: Work, workspace: Workspace, config: TrainingConfig) -> TrainingError | None:
    """Start every rank, and wait until all have ended.

    Returns:
        What the ranks said in the end if it was an error of the training; what they had until then is kept.

    Raises:
        TrainingError: a rank has died without a word; the others were ended.
        HanziError: the dataset cannot be trained on.
    """
    # The ranks find the pictures packed: one of them would keep the others waiting, and could not be stopped.
    open_pack(Dataset.find(workspace, config.dataset), work.report, image_size_px(workspace, config))
    for number in range(config.processes):
        _words(work.job, number).unlink(missing_ok=True)
    with _ranks(work.job, workspace.root, config) as ranks:
        _watch(work, ranks)
        failed = [number for number, rank in enumerate(ranks) if rank.poll() not in (None, 0)]
        # Whoever was killed comes before those that then missed it.
        failed.sort(key=lambda number: (ranks[number].returncode or 0) > 0)
        if not failed:
            return None
        _give_last_words(ranks)
    said = [Sentence.from_json(json.loads(path.read_bytes())) for path in sorted(work.folder.glob("rank-*.json"))]
    if said:
        return TrainingError(said[0].template, **said[0].values)
    raise TrainingError(
        mark("Process {rank} of {count} died, so the others were ended too: the run can be resumed."),
        rank=failed[0],
        count=len(ranks),
    )


def _watch(work: Work, ranks: list[subprocess.Popen]) -> None:
    """Wait until every rank has ended, one has ended badly, or they take too long to stop."""
    asked = None
    while any(rank.poll() is None for rank in ranks):
        time.sleep(WATCH_INTERVAL_S)
        if any(rank.poll() not in (None, 0) for rank in ranks):
            return
        if asked is None and work.stopping():
            asked = time.monotonic()
            (work.folder / "stop").touch()  # it may have been a signal of the system, which the ranks do not hear
        if asked is not None and time.monotonic() - asked > STOP_LIMIT_S:
            return


def _give_last_words(ranks: list[subprocess.Popen]) -> None:
    """A rank that fails with a sentence takes the others along a moment later; let each say its own."""
    end = time.monotonic() + LAST_WORDS_S
    while time.monotonic() < end and any(rank.poll() is None for rank in ranks):
        time.sleep(WATCH_INTERVAL_S / 5)


@contextmanager
def _ranks(job: Job, root: Path, config: TrainingConfig) -> Iterator[list[subprocess.Popen]]:
    """The processes of the group; none outlives the block."""
    coordinator = f"{_address(config.hosts)}:{_free_port()}"
    watcher = {} if config.hosts else {WATCHER: ProcessId.own().model_dump_json()}
    ranks: list[subprocess.Popen] = []
    try:
        with job.log_path.open("ab") as log:
            for number in range(config.processes):
                command = _command(job, root, config, number, coordinator)
                variables = os.environ | _variables(config, number, coordinator) | watcher
                with ctrl_c_withheld():
                    ranks.append(_started(command, log, variables))
        yield ranks
    finally:
        for rank in ranks:
            _end(rank)


def _started(command: Sequence[str], log: BinaryIO, variables: dict[str, str]) -> subprocess.Popen:
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=variables)
    except OSError as error:
        raise TrainingError(
            mark("{program} could not be started: {reason}."), program=command[0], reason=error.strerror
        ) from error


def _address(hosts: Sequence[str]) -> str:
    """Where rank 0 listens: its machine, without the name that ssh logs in by."""
    return hosts[0].rpartition("@")[2] if hosts else "127.0.0.1"


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
    with contextlib.suppress(psutil.NoSuchProcess):
        end_children(psutil.Process(rank.pid))
    rank.kill()
    rank.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
