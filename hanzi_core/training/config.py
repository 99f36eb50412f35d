"""All that can be set for a run: the page, the command line and a resumed run read this one."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.image.augment import Augmentation


class Network(StrEnum):
    """A network that can be trained; see :mod:`hanzi_core.training.architectures`."""

    COMPACT = "compact"


class TrainingConfig(BaseModel):
    """A run. Kept as it is in the run's folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(description="Name of a dataset in the workspace.")
    split: str = Field("default", description="Name of one of its splits.")
    network: Network = Field(Network.COMPACT, description="Network to train.")
    epochs: int = Field(40, ge=1, le=10_000, description="Times to go through the training part.")
    batch_size: int = Field(64, ge=2, le=8192, description="Pictures a step.")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="Highest learning rate; warm-up before, cosine after.")
    weight_decay: float = Field(0.05, ge=0, le=1, description="Of AdamW, decoupled.")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="Share of the target spread over all classes.")
    augmentation: Augmentation = Field(default_factory=Augmentation, description="Random changes to each picture.")
    seed: int = Field(0, ge=0, description="Seed of weights, order and augmentation.")
    time_limit_min: float | None = Field(None, gt=0, description="Stop after this many minutes, and keep the best.")
