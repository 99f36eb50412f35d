"""A run that is killed again and again, by SIGKILL at any moment, and comes to the end that it would have come to."""

import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hanzi_core.bundle import Bundle, bundle_folder
from hanzi_core.cli.perform import launch_job, resume
from hanzi_core.jobs import Job, State, kill
from hanzi_core.workspace import Workspace
from tests.errands import until
from tests.runs import make_dataset, make_run

KILLS = 3
EPOCHS = 400
LIMIT_S = 300.0


def weights(job: Job) -> list[Any]:
    """Of the model that the run left, by a fixed picture's answer and the file itself."""
    answer = Bundle.open(bundle_folder(job)).load().predict(np.arange(32 * 32, dtype=np.uint8).reshape(1, 32, 32))
    return [answer.probabilities.tobytes(), answer.embedding.tobytes()]


def epochs(job: Job) -> list[tuple[float, float]]:
    return [(row["epoch"], row["val_loss"]) for row in job.history.rows() if row["kind"] == "epoch"]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_a_run_killed_at_any_moment_loses_nothing(workspace: Workspace, tmp_path: Path, seed: int) -> None:
    make_dataset(workspace, tmp_path / "three")
    settings = {"network": "cnn", "epochs": EPOCHS, "averaging": 0.9, "seed": seed}
    whole, broken = make_run(workspace, **settings), make_run(workspace, **settings)
    moments = random.Random(seed)
    try:
        launch_job(broken)
        for _ in range(KILLS):
            before = len(epochs(broken))
            until(lambda before=before: len(epochs(broken)) > before or not broken.status().state.is_active, LIMIT_S)
            time.sleep(moments.uniform(0, 3))
            process = broken.process()
            if process is None:  # it was quicker than we
                break
            process.kill()
            until(lambda: broken.status().state is State.LOST, 30)
            resume(workspace, broken)
        until(lambda: not broken.status().state.is_active, LIMIT_S)
        launch_job(whole)
        until(lambda: not whole.status().state.is_active, LIMIT_S)
    finally:
        kill(broken)
        kill(whole)
    assert [job.status().state for job in (whole, broken)] == [State.FINISHED] * 2, broken.log_tail()
    assert [epoch for epoch, _loss in epochs(broken)] == [float(number) for number in range(1, EPOCHS + 1)]
    assert epochs(broken) == epochs(whole)
    assert weights(broken) == weights(whole)
