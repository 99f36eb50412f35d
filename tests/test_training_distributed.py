"""Two real processes on this machine, that divide each batch and are watched."""

import time
from pathlib import Path

import psutil
import pytest

from hanzi_core.cli.perform import launch_job
from hanzi_core.jobs import Job, State, kill
from hanzi_core.training.distributed import RANK, Rank
from hanzi_core.training.input import batch_count
from hanzi_core.workspace import Workspace
from tests.errands import until
from tests.runs import make_dataset, make_run

pytest.importorskip("jax", reason="training on several processes needs JAX")


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


@pytest.mark.long
def test_a_group_has_equal_losses_ends_when_a_rank_dies_and_goes_on(workspace: Workspace, tmp_path: Path) -> None:
    make_dataset(workspace, tmp_path / "three")
    job = make_run(workspace, processes=2, epochs=400)
    launch_job(job)
    try:
        until(lambda: sum(row["kind"] == "epoch" for row in job.history.rows()) >= 3, 240)
        until(lambda: any((job.folder / "checkpoints").glob("*.npz")), 60)
        rank_processes(job)[1].kill()
        died = time.monotonic()
        until(lambda: not job.status().state.is_active, 30)
        assert time.monotonic() - died < 15
        assert job.status().state is State.FAILED
        assert "Process 1 of 2 died" in str(job.status().changes[-1])
        assert not rank_processes(job)
        first, second = scalars(job.folder / "events"), scalars(job.folder / "events" / "rank-1")
        common = first.keys() & second.keys()
        assert len(common) >= 2 and all(first[step] == second[step] for step in common)
        from hanzi_core.training.checkpoint import Checkpoints

        found = Checkpoints(job.folder / "checkpoints").load()
        assert found and found[0].step > 0
    finally:
        kill(job)


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
