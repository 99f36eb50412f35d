"""What a model has learned from: on those pictures a figure says how well it remembers, and not how well it reads."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hanzi_core.dataset import Dataset, Part
from hanzi_core.dataset.manifest import usable
from hanzi_core.dataset.store import split_digest
from hanzi_core.errors import HanziError, JobError
from hanzi_core.evaluation.predictions import EvaluationConfig
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace

REMEMBERS = mark(
    "The model may have learned from some of these pictures: the figures then tell how well it remembers them, not how "
    "well it reads what it has never seen."
)


@dataclass(frozen=True)
class Lesson:
    """What one run learned from."""

    dataset: str
    split: str
    split_digest: str = ""
    """Of the split as it was then, see :func:`~hanzi_core.dataset.store.split_digest`; empty where it was not kept."""
    whole: bool = False
    """Whether all of the dataset was learned, and no part of it held out."""

    def covers(self, config: EvaluationConfig, digest: str) -> bool:
        """Whether pictures to judge by may be among those that were learned.

        Args:
            config: Where they are.
            digest: Of its split as that is now.
        """
        as_it_was = digest == self.split_digest if self.split_digest else config.split == self.split
        held_out = as_it_was and not self.whole and config.part is not Part.TRAIN
        return config.dataset == self.dataset and not held_out


def lessons_of(workspace: Workspace, model: str) -> list[Lesson]:
    """What the runs of this workspace that made ``model`` learned from: its own first, then the one that it began as.

    Empty for a model that none of them left.
    """
    return list(_lessons({run.id: run for run in list_jobs(workspace, "train")}, model))


def _lessons(runs: dict[str, Job], model: str) -> Iterator[Lesson]:
    while run := runs.pop(model, None):
        config, result = run.config, _result_of(run)
        if not {"dataset", "split"} <= config.keys():  # of another version, or damaged: nothing is known of it
            return
        yield Lesson(config["dataset"], config["split"], result.get("split_digest", ""), bool(config.get("keep_last")))
        if config.get("rehearsal"):
            # Earlier versions went by the split of that name, and kept no digest.
            by, digest = result.get("rehearsal_split", "default"), result.get("rehearsal_digest", "")
            yield Lesson(config["rehearsal"], by, digest)
        model = config.get("start_bundle", "") if config.get("start") == "bundle" else ""


def _result_of(run: Job) -> dict[str, Any]:
    """What a run left; nothing of one whose result is damaged, as earlier versions left no digests."""
    with suppress(JobError):
        return run.result() or {}
    return {}


def own_lesson(lessons: Sequence[Lesson]) -> Lesson | None:
    """Which of :func:`lessons_of` a model is to be tested by; ``None`` if nothing was held out, or no run left it."""
    return lessons[0] if lessons and not lessons[0].whole else None


def may_remember(lessons: Sequence[Lesson], config: EvaluationConfig, digest: str) -> bool:
    """Whether ``config`` judges a model by pictures of its ``lessons``, see :data:`REMEMBERS`.

    ``digest`` is that of the split as it is now, see :func:`~hanzi_core.dataset.store.split_digest`.
    """
    return any(each.covers(config, digest) for each in lessons)


def learned_elsewhere(workspace: Workspace, lessons: Sequence[Lesson], config: EvaluationConfig) -> bool:
    """Whether ``config`` judges a model by pictures that it learned from as those of another dataset.

    The very same files, imported a second time under another name perhaps, and divided otherwise.
    """
    dataset = Dataset.find(workspace, config.dataset)
    manifest = dataset.manifest()
    judged = manifest["digest"][dataset.parts(config.split, manifest) == config.part.value]
    return any(judged.isin(_learned(workspace, lesson)).any() for lesson in lessons if lesson.dataset != config.dataset)


def _learned(workspace: Workspace, lesson: Lesson) -> pd.Series:
    """Digests of the pictures of a lesson: all of its dataset where none was held out, or they are divided anew since.

    None where the dataset is no longer there.
    """
    try:
        dataset = Dataset.find(workspace, lesson.dataset)
        manifest = dataset.manifest()
        parts = dataset.parts(lesson.split, manifest) if lesson.split in dataset.splits() else None
    except HanziError:
        return pd.Series(dtype=str)
    if parts is None or lesson.whole or lesson.split_digest not in ("", split_digest(parts)):
        return manifest["digest"][usable(manifest)]
    return manifest["digest"][parts == Part.TRAIN.value]
