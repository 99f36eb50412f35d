"""Teaching a model its corrections in a few minutes, whichever door one came in by; needs no Keras."""

from hanzi_core.bundle import Bundle
from hanzi_core.dataset import Dataset, list_datasets
from hanzi_core.errors import TrainingError
from hanzi_core.language import mark
from hanzi_core.training.config import NO_DATASET, SIMULATED_HAND, TrainingConfig
from hanzi_core.training.presets import CORRECTING
from hanzi_core.training.start import start_bundle
from hanzi_core.workspace import Workspace


def fine_tuning(workspace: Workspace, model: str, dataset: str, rehearsal: str | None = None) -> TrainingConfig:
    """The run in which ``model`` learns the whole of ``dataset`` and goes over what it knows.

    Args:
        rehearsal: What it goes over; by itself, what it was trained on.

    Raises:
        TrainingError: no such model, what it was trained on is no longer there, or as :func:`check_rehearsal`.
        DatasetError: no such dataset.
    """
    Dataset.find(workspace, dataset)
    values = {**CORRECTING, "dataset": dataset, "start_bundle": model, "rehearsal": SIMULATED_HAND}
    bundle = start_bundle(workspace, TrainingConfig(**values))
    assert bundle is not None
    config = TrainingConfig(**{**values, "rehearsal": rehearsal or _learned_from(workspace, bundle)})
    check_rehearsal(config)
    return config


def check_rehearsal(config: TrainingConfig) -> None:
    """Look whether what is gone over is something else than what is learned with nothing held out.

    Raises:
        TrainingError: it would be validated on what it learns; says what to do instead.
    """
    if config.keep_last and config.rehearsal == config.dataset:
        raise TrainingError(
            mark(
                "“{dataset}” cannot be learned whole and gone over at once: train on it with the model as first "
                "weights, or import what is new as a dataset of its own."
            ),
            dataset=config.dataset,
        )


def _learned_from(workspace: Workspace, bundle: Bundle) -> str:
    if bundle.card.dataset == NO_DATASET:
        return SIMULATED_HAND
    if bundle.card.dataset in [found.name for found in list_datasets(workspace)]:
        return bundle.card.dataset
    raise TrainingError(
        mark(
            "The dataset “{dataset}” that “{model}” was trained on is not here: name another to rehearse with, so that "
            "it forgets little."
        ),
        dataset=bundle.card.dataset,
        model=bundle.name,
    )
