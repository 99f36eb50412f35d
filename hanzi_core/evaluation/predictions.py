"""Predictions of a model bundle for one part of a split, in Parquet.

| column | dtype | meaning |
|---|---|---|
| row | int64 | row in the dataset's manifest |
| path | str | of the picture, below the dataset's source |
| label | str | the true class |
| predicted_1 … predicted_5 | str | classes by falling probability |
| probability_1 … probability_5 | float32 | of each |
| rank | int32 | place of the true class among all, 1 is best; 0 for a class the model does not know |
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hanzi_core.bundle import Bundle, Model, largest
from hanzi_core.dataset import Dataset, Part, open_pack
from hanzi_core.dataset.manifest import only_to_train_on, read_whole
from hanzi_core.dataset.split import part_rows
from hanzi_core.errors import DatasetError
from hanzi_core.evaluation.metrics import summarise
from hanzi_core.jobs import Job, Work, list_jobs
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, replace_file

PREDICTIONS = "predictions.parquet"
PREDICTING = mark("Recognising pictures")
CANDIDATES = 5
COLUMNS = [
    *("row", "path", "label", "rank"),
    *(f"{what}_{place + 1}" for place in range(CANDIDATES) for what in ("predicted", "probability")),
]
_BATCH = 64


class EvaluationConfig(BaseModel):
    """What to evaluate on what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="Key of the model bundle: a run's id, or a name.")
    dataset: str = Field(description="Name of a dataset in the workspace.")
    split: str = Field("default", description="Name of one of its splits.")
    part: Part = Field(Part.TEST, description="Part of the split.")

    @model_validator(mode="before")
    @classmethod
    def _as_it_was(cls, values: Any) -> Any:
        """Evaluations of earlier versions were of runs alone."""
        if isinstance(values, dict) and "run" in values:
            values = {**values, "model": values["run"]}
            del values["run"]
        return values


_EMPTY = {
    Part.TRAIN: mark("The training part of “{name}” is empty: split the dataset with smaller shares for the others."),
    Part.VALIDATION: mark("The validation part of “{name}” is empty: split the dataset with a larger share for it."),
    Part.TEST: mark("The test part of “{name}” is empty: split the dataset with a larger share for it."),
}


def list_evaluations(workspace: Workspace) -> Iterator[tuple[Job, EvaluationConfig]]:
    """Every evaluation and what it was asked, the newest first; one that cannot be read is passed over."""
    for job in list_jobs(workspace, "evaluate"):
        with suppress(ValidationError):
            yield job, EvaluationConfig.model_validate(job.config)


def evaluate(work: Work, workspace: Workspace, bundle: Bundle, config: EvaluationConfig) -> dict[str, Any]:
    """Predict every picture of a part, keep the predictions in the job's folder, and return what they come to.

    That is the summary, and as ``pictures_digest`` what :func:`pictures_digest` says of the pictures.

    The very file that is served is what is evaluated.

    Raises:
        DatasetError: the part is empty.
        BundleError: the bundle is damaged.
    """
    dataset = Dataset.find(workspace, config.dataset)
    manifest = dataset.manifest()
    rows = _rows_to_judge_by(manifest, dataset.parts(config.split, manifest), config.part)
    if not len(rows):
        raise DatasetError(_EMPTY[config.part], name=config.dataset)
    pack = open_pack(dataset, work.report, bundle.card.image_size_px, manifest)
    model = bundle.load(threads=2)
    tables = []
    for start in range(0, len(rows), _BATCH):
        some = rows[start : start + _BATCH]
        tables.append(_predict(model, pack[some], manifest.iloc[some]))
        work.report(PREDICTING, start + len(some), len(rows))
    predictions = pd.concat(tables, ignore_index=True)
    write_predictions(predictions, work.folder / PREDICTIONS)
    return {**summarise(predictions), "pictures_digest": _digest(manifest.iloc[rows])}


def pictures_digest(manifest: pd.DataFrame, parts: pd.Series, part: Part) -> str:
    """A short name for exactly the pictures that a model is judged by, and the characters that they are said to be.

    A folder that was renamed, as its pictures are of another character, leaves the division as it was.
    """
    return _digest(manifest.iloc[_rows_to_judge_by(manifest, parts, part)])


def _digest(rows: pd.DataFrame) -> str:
    lines = rows["path"] + "\n" + rows["label"] + "\n" + rows["digest"]
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def _rows_to_judge_by(manifest: pd.DataFrame, parts: pd.Series, part: Part) -> NDArray[np.int64]:
    return part_rows(parts.mask(only_to_train_on(manifest), ""), part)


def _predict(model: Model, images: NDArray[np.uint8], rows: pd.DataFrame) -> pd.DataFrame:
    probabilities = model.predict(images).probabilities
    labels = np.array(model.bundle.labels, dtype=object)
    best = np.stack([largest(row, CANDIDATES) for row in probabilities])
    table: dict[str, Any] = {"row": rows.index, "path": rows["path"], "label": rows["label"]}
    table["rank"] = _ranks(probabilities, [model.bundle.index.get(label, -1) for label in rows["label"]])
    for place in range(CANDIDATES):
        known = place < best.shape[1]
        table[f"predicted_{place + 1}"] = labels[best[:, place]] if known else ""
        table[f"probability_{place + 1}"] = (
            np.take_along_axis(probabilities, best[:, [place]], 1)[:, 0] if known else np.float32(0)
        )
    return pd.DataFrame(table).reset_index(drop=True)


def _ranks(probabilities: NDArray[np.float32], targets: list[int]) -> NDArray[np.int32]:
    """Place of each target in the order of :func:`~hanzi_core.bundle.largest`; 0 for -1.

    Of equals the earlier comes first there: beside one of probability 1 thousands may have 0.
    """
    places = np.array(targets)[:, np.newaxis]
    true = np.take_along_axis(probabilities, places, 1)
    is_earlier = np.arange(probabilities.shape[1]) < places
    ranks = 1 + np.where(is_earlier, probabilities >= true, probabilities > true).sum(axis=1)
    return np.where(places[:, 0] < 0, 0, ranks).astype(np.int32)


def write_predictions(predictions: pd.DataFrame, path: Path) -> None:
    """Write them in one step.

    Raises:
        WorkspaceError: the disk is full.
    """
    buffer = io.BytesIO()
    predictions.to_parquet(buffer, index=False)
    replace_file(path, buffer.getvalue())


def read_predictions(folder: Path) -> pd.DataFrame:
    """The predictions of the evaluation in ``folder``.

    Raises:
        DatasetError: they are missing or damaged.
    """
    try:
        return read_whole(folder / PREDICTIONS, COLUMNS)
    except Exception as error:  # of a damaged table pandas and pyarrow raise KeyError, TypeError and more
        raise DatasetError(
            mark("The predictions in {folder} are missing or damaged: evaluate again."), folder=folder.name
        ) from error
