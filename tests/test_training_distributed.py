"""Two real processes on this machine, that divide each batch and are watched."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from hanzi_core.bundle import CARD, Bundle, bundle_folder
from hanzi_core.cli.perform import launch_job, resume
from hanzi_core.errors import TrainingError
from hanzi_core.jobs import Job, State, kill
from hanzi_core.jobs.process import ProcessId
from hanzi_core.training.config import TrainingConfig
from hanzi_core.training.distributed import RANK, WATCHER, Rank, _address, _command, _ranks
from hanzi_core.training.input import batch_count
from hanzi_core.workspace import Workspace
from tests.conftest import PROJECT
from tests.errands import until
from tests.runs import make_dataset, make_run

pytest.importorskip("jax", reason="training on several processes needs JAX")

START_LIMIT_S = 240
"""Three processes import two frameworks and compile, on a machine that may be busy."""


def scalars(folder: Path) -> dict[int, float]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {int(event.step): float(event.tensor_proto.float_val[0]) for event in events.Tensors("loss")}


def rank_processes(job: Job) -> dict[int, psutil.Process]:
    """The living ranks, by their numbers."""
    watcher = job.process()
    children = watcher.children() if watcher else []
    return {int(child.environ()[RANK]): child for child in children if RANK in child.environ()}


@pytest.fixture
def group(workspace: Workspace, tmp_path: Path) -> Iterator[Job]:
    """A run of two processes that would go on for long, by its third epoch; a checkpoint is there."""
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", processes=2, epochs=10_000)
    launch_job(job)
    try:
        until(lambda: epochs(job) >= 3 or not job.status().state.is_active, START_LIMIT_S)
        assert job.status().state is State.RUNNING, job.log_tail()
        until(lambda: any((job.folder / "checkpoints").glob("*.npz")), 60)
        yield job
    finally:
        kill(job)


def epochs(job: Job, since: float = 0.0) -> int:
    return sum(row["kind"] == "epoch" and row["time"] > since for row in job.history.rows())


def test_a_group_has_equal_losses_ends_when_a_rank_dies_and_goes_on(group: Job, workspace: Workspace) -> None:
    log = group.log_path.read_text()
    assert log.count("epoch 1 of 10000: ") == 1, "rank 0 alone notes what holds for all"
    rank_processes(group)[1].kill()
    died = time.monotonic()
    until(lambda: not group.status().state.is_active, 30)
    assert time.monotonic() - died < 15
    assert group.status().state is State.FAILED
    assert "Process 1 of 2 died" in str(group.status().changes[-1])
    assert not rank_processes(group)
    first, second = scalars(group.folder / "events"), scalars(group.folder / "events" / "rank-1")
    common = first.keys() & second.keys()
    assert len(common) >= 2 and all(first[step] == second[step] for step in common)
    from hanzi_core.training.checkpoint import Checkpoints

    found = Checkpoints(group.folder / "checkpoints").load()
    assert found and found[0].step > 0

    until(lambda: group.process() is None)
    resumed = time.time()  # the history of before stands until the ranks have taken the run up
    resume(workspace, group)
    until(lambda: epochs(group, since=resumed) >= 2 or not group.status().state.is_active, START_LIMIT_S)
    assert group.status().state is State.RUNNING, group.log_tail()
    group.request_stop()
    asked = time.monotonic()
    until(lambda: not group.status().state.is_active, 60)
    assert time.monotonic() - asked < 30
    assert group.status().state is State.STOPPED, group.log_tail()
    bundle = bundle_folder(group) / CARD  # written after the run has stopped
    until(lambda: bundle.exists() or group.process() is None, START_LIMIT_S)
    assert bundle.exists(), group.log_tail()
    rows = [row["epoch"] for row in group.history.rows() if row["kind"] == "epoch"]
    assert rows == [float(number) for number in range(1, len(rows) + 1)], "no hole and no double row"
    recogniser = Bundle.open(bundle_folder(group)).load()
    assert recogniser.predict(np.zeros((1, 32, 32), np.uint8)).probabilities.shape == (1, 3)


SSH = """#!/bin/sh
# ssh -tt -o BatchMode=yes HOST COMMAND, on this machine
echo "$4" >> "{hosts}"
exec sh -c "$5"
"""


@pytest.mark.long
def test_ranks_are_started_on_other_machines(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated: no second machine was at hand, so a stand-in for ssh runs what it is told on this one."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ssh").write_text(SSH.format(hosts=tmp_path / "hosts"))
    (tmp_path / "bin" / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, network="cnn", processes=2, hosts=("127.0.0.1", "localhost"), epochs=2)
    launch_job(job)
    try:
        until(lambda: not job.status().state.is_active, START_LIMIT_S)
    finally:
        kill(job)
    assert job.status().state is State.FINISHED, job.log_tail()
    assert sorted((tmp_path / "hosts").read_text().split()) == ["127.0.0.1", "localhost"]
    assert epochs(job) == 2


def test_a_rank_elsewhere_is_told_all_that_one_here_is() -> None:
    config = TrainingConfig(dataset="手写 1", processes=3, batch_size=9, hosts=("one", "two"))
    job = Job(Path("/shared/my workspace/jobs/train-1"))
    command = _command(job, Path("/shared/my workspace"), config, 2, "one:7000")
    assert command[:5] == ["ssh", "-tt", "-o", "BatchMode=yes", "one"], "hosts are taken in turn"
    words = shlex.split(command[5])
    assert words[:4] == ["cd", str(Path.cwd()), "&&", "env"]
    assert {"HANZI_RANK=2", "HANZI_RANKS=3", "HANZI_COORDINATOR=one:7000", "KERAS_BACKEND=jax"} <= set(words)
    assert words[-6:] == ["hanzi_core", "--workspace", "/shared/my workspace", "train", "--job", "train-1"]


def test_a_machine_without_ssh_is_told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    job = make_run(workspace)
    config = TrainingConfig(dataset="three", processes=2, hosts=("one", "two"))
    with pytest.raises(TrainingError, match="ssh could not be started"), _ranks(job, workspace.root, config):
        pass


LATE = """
import sys, time
from pathlib import Path
from hanzi_core.jobs import Job
from hanzi_core.training.distributed import Rank, run_rank
def work_on(work):
    time.sleep(30)
    print("unseen")
run_rank(Job(Path(sys.argv[1])), Rank(0, 2), work_on)
"""
"""A rank that would take half a minute to load its frameworks."""


def test_a_rank_whose_watcher_was_killed_before_it_had_begun_ends_at_once(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as watcher:
        watched = ProcessId.of(watcher.pid).model_dump_json()
        watcher.kill()
    environment = {**os.environ, WATCHER: watched}
    command = [sys.executable, "-c", LATE, str(tmp_path)]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, timeout=120, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr


def test_the_ranks_meet_at_the_first_machine_whoever_logs_in_there() -> None:
    assert [_address(hosts) for hosts in ((), ("node1", "node2"), ("me@10.0.0.7",))] == [
        "127.0.0.1",
        "node1",
        "10.0.0.7",
    ]


def test_the_devices_of_a_machine_are_dealt_out() -> None:
    gpus = ["gpu:0", "gpu:1"]
    assert [Rank(number, 4).device(gpus, ["a", "b"]) for number in range(4)] == [
        ("gpu:0",),
        ("gpu:0",),
        ("gpu:1",),
        ("gpu:1",),
    ]
    assert [Rank(number, 2).device(gpus, []) for number in range(2)] == [("gpu:0",), ("gpu:1",)]


def test_a_group_sees_whole_batches_only() -> None:
    assert (batch_count(30, 8), batch_count(30, 8, 2)) == (4, 3)
