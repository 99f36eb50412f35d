"""Everything that a run needs to go on as if it had never stopped, in one file that is whole or not there."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from hanzi_core.errors import TrainingError
from hanzi_core.language import mark
from hanzi_core.workspace import replace_file, writing

Arrays = list[NDArray]
BEST_WEIGHTS = "best.npz"
"""In a run's folder, until its model is written."""

KEPT = 2
"""The newest may be damaged by the disk itself; the one before is then still there."""


class Position(BaseModel):
    """Where a run is: after ``batch`` batches of epoch number ``epoch``, counted from 0."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    """Batches since the very beginning."""
    elapsed_s: float = 0.0
    history_bytes: int = 0
    """Length of the history at this moment; what a later crash left behind it is taken back."""
    trained: dict[str, float] | None = None
    """Figures of an epoch that is trained but not yet validated."""
    validated: int = 0
    """Pictures of its validation that are done."""
    sums: dict[str, float] = {}
    """Loss and metrics of these, added up."""
    lowest_loss: float | None = None
    """In validation."""
    epochs_since_lowest: int = 0
    split_digest: str = ""
    """Of the division that it trains on: pictures of another one may have been trained on and validated on before."""
    rehearsal_digest: str = ""
    """Of the division of the dataset that it goes over."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run."""

    folder: Path

    def save(self, position: Position, state: Arrays) -> None:
        """Write a checkpoint, then let go of those before the last two.

        Raises:
            WorkspaceError: the disk is full; the earlier ones stay good.
        """
        with writing(self.folder):
            self.folder.mkdir(exist_ok=True)
        content = _pack(position.model_dump_json(), state)
        replace_file(self.folder / f"{position.step:012d}-{position.trained is None:d}.npz", content)
        for path in self._newest_first()[KEPT:]:
            path.unlink(missing_ok=True)

    def load(self) -> tuple[Position, Arrays] | None:
        """The newest checkpoint that is whole, ``None`` where there never was one.

        Raises:
            TrainingError: there are some, and all are damaged.
        """
        sweep_halves(self.folder)
        paths = self._newest_first()
        for path in paths:
            try:
                text, state = _unpack(path)
                return Position.model_validate_json(text), state
            except Exception:  # whatever a damaged directory of a zip leads to
                print(f"checkpoint {path.name} is damaged: going on from the one before", flush=True)
        if paths:
            raise TrainingError(
                mark("Every checkpoint of this run is damaged, so it cannot go on: clone it to start anew.")
            )
        return None

    def forget(self) -> None:
        """Delete them all: a finished run has its model."""
        sweep_halves(self.folder)
        for path in self._newest_first():
            path.unlink(missing_ok=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("*.npz"), reverse=True)


def sweep_halves(folder: Path) -> None:
    """Delete what a process that was killed had half written: as large as a checkpoint, and one more each time."""
    for path in folder.glob(".*.npz.*"):
        path.unlink(missing_ok=True)


def variables_of(trainee: keras.Model) -> list[keras.Variable]:
    """All that changes while ``trainee`` trains: weights, statistics, seeds, optimiser, running metrics."""
    everything = [*trainee.variables, *trainee.optimizer.variables, *trainee.metrics_variables]
    return list({id(variable): variable for variable in everything}.values())


def bring_back(trainee: keras.Model) -> None:
    """Have the variables of ``trainee`` hold their values: within ``fit`` and ``evaluate`` JAX has them elsewhere."""
    if hasattr(trainee, "jax_state_sync"):
        trainee.jax_state_sync()


def read_state(trainee: keras.Model) -> Arrays:
    """The values of :func:`variables_of`."""
    bring_back(trainee)
    return [keras.ops.convert_to_numpy(variable) for variable in variables_of(trainee)]


def does_not_fit() -> TrainingError:
    """What to tell of a run whose pictures are no longer those that it began with."""
    return TrainingError(
        mark("The checkpoint does not fit this run: the dataset or its split has changed since. Clone the run.")
    )


def write_state(trainee: keras.Model, state: Arrays) -> None:
    """Put back what :func:`read_state` gave.

    Raises:
        TrainingError: it belongs to another network.
    """
    variables = variables_of(trainee)
    if [tuple(variable.shape) for variable in variables] != [array.shape for array in state]:
        raise does_not_fit()
    for variable, array in zip(variables, state, strict=True):
        variable.assign(array)


def save_arrays(path: Path, text: str, arrays: Arrays) -> None:
    """Write arrays and a text in one step.

    Raises:
        WorkspaceError: the disk is full; the earlier file stays.
    """
    replace_file(path, _pack(text, arrays))


def load_arrays(path: Path) -> tuple[str, Arrays] | None:
    """What :func:`save_arrays` wrote; ``None`` where it is missing or damaged."""
    try:
        return _unpack(path)
    except Exception:  # as in Checkpoints.load
        return None


def _pack(text: str, arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    members: dict[str, Any] = {f"a{index}": array for index, array in enumerate(arrays)}
    np.savez(buffer, text=np.frombuffer(text.encode(), np.uint8), count=np.array(len(arrays)), **members)
    return buffer.getvalue()


def _unpack(path: Path) -> tuple[str, Arrays]:
    """Each member has a checksum that reading verifies; no pickle."""
    with np.load(path, allow_pickle=False) as file:
        return file["text"].tobytes().decode(), list(_arrays(file))


def _arrays(file: np.lib.npyio.NpzFile) -> Iterator[NDArray]:
    # Files of earlier versions do not say how many there are.
    for index in range(int(file["count"]) if "count" in file else len(file.files) - 1):
        yield file[f"a{index}"]
