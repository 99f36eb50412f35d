"""Small real runs: three characters, a dozen pictures each, a few seconds."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hanzi_core.dataset import SplitSettings, import_dataset
from hanzi_core.jobs import Job, Work
from hanzi_core.jobs.devices import CPU
from hanzi_core.training.config import TrainingConfig
from hanzi_core.workspace import Workspace
from tests.handwriting import write_collection

SMALL: dict[str, Any] = {"dataset": "three", "image_size_px": 32, "batch_size": 8, "epochs": 3}


def silent(_phase: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def make_dataset(workspace: Workspace, folder: Path, characters: str = "人木口", count: int = 12) -> None:
    """The dataset “three”."""
    split = SplitSettings(validation=0.2, test=0.0)
    import_dataset(workspace, write_collection(folder, characters, count), "three", split, silent)


def make_run(workspace: Workspace, **settings: Any) -> Job:
    """A prepared run of :data:`SMALL` with other ``settings``."""
    config = TrainingConfig(**{**SMALL, **settings})
    return Job.create(workspace, "train", config.model_dump(mode="json"), "small", [CPU])


def fit(workspace: Workspace, job: Job, after_step: Callable[[int], None] | None = None) -> Any:
    """Train ``job`` here, from its newest checkpoint, without the export; its :class:`Fitting`."""
    from hanzi_core.training.backend import load_backend

    load_backend(job.devices)
    from hanzi_core.training.fitting import Fitting
    from hanzi_core.training.precision import prepare
    from hanzi_core.training.run import open_material
    from hanzi_core.training.trainee import prepare_trainee

    work, config = Work(job), TrainingConfig(**job.config)
    material = open_material(work, workspace, config)
    prepare(job.devices, config.seed)
    trainee = prepare_trainee(workspace, config, material, job.devices)
    fitting = Fitting(work, config, material, trainee.model, trainee.whole)
    if after_step:
        _hook(fitting, after_step)
    fitting.run()
    fitting.whole = trainee.whole
    return fitting


def _hook(fitting: Any, after_step: Callable[[int], None]) -> None:
    save_if_due = fitting.save_if_due

    def hooked(reporter: Any) -> None:
        save_if_due(reporter)
        after_step(fitting.position.step if fitting.position.batch == reporter.batches else -1)

    fitting.save_if_due = hooked


def main() -> None:
    """``python -m tests.runs WORKSPACE JOB STEP``: train, with checkpoints all the time, and die by SIGKILL at STEP."""
    import hanzi_core.training.fitting as module

    module.CHECKPOINT_INTERVAL_S = 0.0
    root, job_id, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
    workspace = Workspace.open(root)

    def die(step: int) -> None:
        if step >= last:
            os.kill(os.getpid(), signal.SIGKILL)

    fit(workspace, Job.find(workspace, job_id), die)


if __name__ == "__main__":
    main()
