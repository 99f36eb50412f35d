"""All that can be set for a run: the page, the command line and a resumed run read this one."""

import re
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hanzi_core.image.augment import Augmentation
from hanzi_core.language import mark
from hanzi_core.workspace import named_path


class Network(StrEnum):
    """A network that can be trained; see :mod:`hanzi_core.training.architectures`."""

    COMPACT = "compact"
    CNN = "cnn"
    RESNET50 = "resnet50"
    DENSENET169 = "densenet169"
    MELNYK = "melnyk"


class Start(StrEnum):
    """Where the first weights come from."""

    RANDOM = "random"
    BUNDLE = "bundle"
    IMAGENET = "imagenet"


class Optimiser(StrEnum):
    """How weights are changed; see :mod:`hanzi_core.training.objective`."""

    ADAMW = "adamw"
    SGD = "sgd"


class Precision(StrEnum):
    """Numbers of 16 bits where they do no harm (mixed), or 32 bits throughout."""

    AUTO = "auto"
    MIXED = "mixed"
    FLOAT32 = "float32"


class Balance(StrEnum):
    """What is done about classes of uneven size."""

    NONE = "none"
    WEIGHTS = "weights"
    SAMPLING = "sampling"


_HOST = re.compile(r"(?:[\w.-]+@)?\w[\w.:-]*")
"""A name or an address, after the name of a user where that is another one."""

IMAGENET_NETWORKS = (Network.RESNET50, Network.DENSENET169)


SIMULATED_HAND = ":hand"
"""In the place of a dataset to rehearse with: pictures that the simulated hand writes. No dataset can be called so."""

OF_THE_MODEL = ("network", "image_size_px", "dropout", "precision")
"""Settings that a model to start from has of its own: what a run says of them is not heeded then."""

NO_DATASET = mark("simulated handwriting")
"""What the card of the built-in model, and of those that began as it, says instead of a dataset."""


class TrainingConfig(BaseModel):
    """A run. Kept as it is in the run's folder; the defaults are the preset of ``compact``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(description="Name of a dataset in the workspace.")
    split: str = Field("default", description="Name of one of its splits.")
    network: Network = Field(
        Network.COMPACT, description="Network to train, and whose preset is taken; a model to start from has its own."
    )
    image_size_px: int = Field(
        64, ge=32, le=256, description="Side of the pictures that it is shown; a model to start from has its own."
    )
    start: Start = Field(Start.RANDOM, description="Where the first weights come from.")
    start_bundle: str | None = Field(None, description="Run, or name of a model, that is trained further.")
    start_file: Path | None = Field(None, description="File of ImageNet weights without top, .weights.h5 or .h5.")
    rehearsal: str | None = Field(
        None,
        description="Dataset mixed in so that the model to start from forgets little, all its classes are kept; or "
        ":hand, written for the run by the simulated hand.",
    )
    keep_last: bool = Field(
        False,
        description="With rehearsal: let the last layer learn every picture of the dataset, none held out, answer what "
        "is rehearsed as before, and keep the last weights.",
    )
    epochs: int = Field(40, ge=1, le=10_000, description="Times to go through the training part.")
    batch_size: int = Field(64, ge=2, le=8192, description="Pictures a step.")
    optimiser: Optimiser = Field(Optimiser.ADAMW, description="AdamW with warm-up and cosine, or SGD with decay.")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="Highest learning rate.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Of SGD.")
    decay: float = Field(0.9, gt=0, le=1, description="Of SGD: factor of the learning rate every 10,000 steps.")
    weight_decay: float = Field(0.05, ge=0, le=1, description="Decoupled from the gradient.")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="Share of the target spread over all classes.")
    dropout: float = Field(
        0.2, ge=0, lt=1, description="Share of features left out while training; a model to start from has its own."
    )
    averaging: float = Field(0.0, ge=0, lt=1, description="Momentum of averaged weights (EMA), 0.999 say; 0 is off.")
    precision: Precision = Field(
        Precision.AUTO, description="Auto: what this device does well; a model to start from has its own."
    )
    early_stopping: int | None = Field(None, ge=1, description="Epochs without a lower validation loss, then stop.")
    balance: Balance = Field(Balance.NONE, description="What is done about classes of uneven size.")
    augmentation: Augmentation = Field(default_factory=Augmentation, description="Random changes to each picture.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of weights, order and augmentation.")
    time_limit_min: float | None = Field(
        None, gt=0, description="Stop after this many minutes, the learning rate down by then, and keep the best."
    )
    processes: int = Field(1, ge=1, le=1024, description="Processes that train together, by JAX.")
    hosts: tuple[str, ...] = Field((), description="Machines to start them on by ssh; none is this one.")

    @field_validator("start_file")
    @classmethod
    def _start_file_is_absolute(cls, path: Path | None) -> Path | None:
        """Who reads it works in another folder than who named it."""
        return path and named_path(path)

    @field_validator("hosts")
    @classmethod
    def _hosts_are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        """ssh would take a word that begins with a hyphen for an option, and some of those run commands."""
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise ValueError(mark("a machine is named as ssh knows it, like node1 or me@10.0.0.7"))
        return hosts

    @model_validator(mode="after")
    def _start_is_named(self) -> "TrainingConfig":
        if self.start is Start.BUNDLE and not self.start_bundle:
            raise ValueError(mark("say which model to start from"))
        if self.rehearsal and self.start is not Start.BUNDLE:
            raise ValueError(mark("only a model to start from has something to rehearse: choose one"))
        if self.keep_last and not self.rehearsal:
            raise ValueError(mark("without rehearsal a dataset must hold out pictures: leave keep_last off"))
        if self.rehearsal and self.balance is not Balance.NONE:
            raise ValueError(mark("with rehearsal classes cannot be balanced: leave it out"))
        if self.start is Start.IMAGENET:
            if self.network not in IMAGENET_NETWORKS:
                raise ValueError(mark("ImageNet weights fit resnet50 and densenet169 only"))
            if self.start_file is None:
                raise ValueError(mark("give the file of ImageNet weights; nothing is downloaded"))
        return self

    @model_validator(mode="after")
    def _batch_divides(self) -> "TrainingConfig":
        if self.batch_size % self.processes:
            raise ValueError(mark("the batch size must be a multiple of the number of processes"))
        if len(self.hosts) > self.processes:
            raise ValueError(mark("there are more hosts than processes: give each host one or more"))
        return self

    @property
    def is_group(self) -> bool:
        """Whether processes of its own are started for it."""
        return self.processes > 1 or bool(self.hosts)
