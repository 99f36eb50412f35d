"""The model bundle: a folder that says all that is needed to use a model.

    model.tflite    pictures in, ``logits`` and ``embedding`` out; served by LiteRT
    model.keras     the same network with its weights, to train further from
    labels.json     the class of each logit
    card.json       what it is, how pictures must be normalised, how well it does, the SHA-256 of each other file

Written by training, read by evaluation and recognition. Reading needs no TensorFlow.
"""

import hashlib
import json
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hanzi_core.errors import BundleError
from hanzi_core.image.normalise import IMAGE_SIZE_PX, VERSION
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.jobs.store import damaged_jobs, kind_of
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, replace_json

MODEL, WEIGHTS, LABELS, CARD = "model.tflite", "model.keras", "labels.json", "card.json"
LABEL_LENGTH_LIMIT = 64
BUILT_IN_KEY = "builtin"
BUILT_IN = Path(__file__).parents[1] / "models" / BUILT_IN_KEY
BUILT_IN_NAME = mark("Built-in")
"""As its card says it."""


def shown_name(name: str) -> str:
    """The name on a card as a reader is to see it: that of the built-in model is in the reader's language."""
    return _(name) if name == BUILT_IN_NAME else name


class Card(BaseModel):
    """What a person should know of a model before using it."""

    model_config = ConfigDict(frozen=True)

    name: str
    network: str
    created: float = Field(ge=0, le=4e9, allow_inf_nan=False, description="Unix seconds.")
    image_size_px: int = Field(IMAGE_SIZE_PX, ge=16, le=512)
    normalisation: int = VERSION
    temperature: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="Logits are divided by this before the softmax (Guo et al. 2017)."
    )
    least_evidence: float = Field(
        0.0,
        allow_inf_nan=False,
        description="Largest scaled logit below which a picture shows nothing that it knows; 0 is not measured.",
    )
    taught_likeness: float = Field(
        0.70, gt=0, lt=1, description="Cosine at which a picture is as likely a taught character as not."
    )
    dataset: str = ""
    split: str = ""
    metrics: dict[str, float] = Field(default_factory=dict)
    notes: str = ""
    files: dict[str, str] = Field(
        default_factory=dict, description="SHA-256 of each other file, hexadecimal; none on cards of earlier versions."
    )

    def vouches_for(self, name: str, digest: str) -> bool:
        """Whether the file ``name`` with this SHA-256 is the one that was packaged; always, for an earlier card."""
        return not self.files or self.files.get(name) == digest


@dataclass(frozen=True)
class Output:
    """What a model says of ``n`` pictures."""

    probabilities: NDArray[np.float32]
    """``(n, classes)``, each row sums to 1."""
    evidence: NDArray[np.float32]
    """``(n,)``: the largest logit over the temperature; small for what is like none of the classes, however much one of
    them is ahead of the others."""
    embedding: NDArray[np.float32]
    """``(n, dimensions)``: pictures of like shape lie near each other."""


@dataclass(frozen=True)
class Bundle:
    """A bundle whose card and labels have been read and found to be in order."""

    folder: Path
    card: Card
    labels: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> "Bundle":
        """Read card and labels.

        Raises:
            BundleError: files are missing or damaged, or it was made for another normalisation.
        """
        card = _read_card(folder)
        if card.normalisation != VERSION:
            raise BundleError(
                mark("The model “{name}” was trained on pictures prepared in another way: train it again."),
                name=card.name,
            )
        return cls(folder, card, _read_labels(folder, card))

    def load(self, threads: int = 1) -> "Model":
        """Bring the network into memory.

        Raises:
            BundleError: it cannot be read, is not the one that was packaged, or its output does not fit the labels.
        """
        return Model(self, threads)

    def file(self, name: str) -> Path:
        """Its file ``name``, which is there, once it has proved to be the one that was packaged.

        A network with one wrong byte loads like any other, and answers nonsense.

        Raises:
            BundleError: it is damaged, or of another model.
        """
        if self.card.files and not self.card.vouches_for(name, _sha256(self.folder / name)):
            raise _not_as_packaged(self.folder, name)
        return self.folder / name

    @property
    def name(self) -> str:
        """What its card calls it, in the reader's language."""
        return shown_name(self.card.name)

    @cached_property
    def index(self) -> dict[str, int]:
        """The logit of each label."""
        return {label: index for index, label in enumerate(self.labels)}


class Model:
    """A network in memory, safe to call from any number of threads."""

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        self.bundle = bundle
        self._lock = threading.Lock()  # a LiteRT interpreter that two threads call at once fails
        try:
            self._interpreter, self._runner = _open_interpreter(bundle.file(MODEL), threads)
            outputs = self._runner.get_output_details()
            classes, _dimensions = (int(outputs[name]["shape"][-1]) for name in ("logits", "embedding"))
            size = int(next(iter(self._runner.get_input_details().values()))["shape"][1])
        except BundleError:
            raise
        except Exception as error:  # the runtime raises ValueError, RuntimeError and more on broken files
            raise BundleError(mark("The model “{name}” is damaged: it cannot be loaded."), name=bundle.name) from error
        if classes != len(bundle.labels) or size != bundle.card.image_size_px:
            raise BundleError(
                mark(
                    "The model “{name}” does not fit together: {classes} outputs, {labels} labels; or its picture size."
                ),
                name=bundle.name,
                classes=classes,
                labels=len(bundle.labels),
            )
        self._input = next(iter(self._runner.get_input_details()))

    def predict(self, images: NDArray[np.uint8]) -> Output:
        """Probabilities and embeddings of normalised pictures, ``uint8`` of shape ``(n, size, size)``.

        Raises:
            BundleError: what it answers is no number.
        """
        with self._lock:
            found = self._runner(**{self._input: images[..., np.newaxis].astype(np.float32)})
            logits, embedding = np.array(found["logits"]), np.array(found["embedding"])
        scaled = logits / np.float32(self.bundle.card.temperature)
        evidence = scaled.max(axis=1)
        if not np.isfinite(evidence).all():
            raise BundleError(
                mark("The model “{name}” is damaged: it cannot answer to a picture."), name=self.bundle.name
            )
        return Output(softmax(scaled), evidence, embedding)


def softmax(logits: NDArray) -> NDArray[np.float32]:
    """Probabilities along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def largest(scores: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Places of the ``count`` largest of ``scores``, largest first; of equals the earlier.

    Of 9,574 it finds ten in a thirtieth of the time that sorting them all takes.
    """
    count = min(count, len(scores))
    if count < 1:
        return np.empty(0, np.intp)
    least = np.partition(scores, -count)[-count]
    places = np.flatnonzero(scores >= least)
    return places[np.argsort(-scores[places], kind="stable")][:count]


def bundle_folder(job: Job) -> Path:
    """Where a run leaves its model bundle."""
    return job.folder / "bundle"


def find_bundles(workspace: Workspace) -> dict[str, Path]:
    """Folders of all bundles by a key for links; the first is the one that answers where none was named.

    The built-in one comes first, so that no answer changes because somebody trained something; then runs, the newest
    first, then what was imported, which hides neither.
    """
    damaged = [job for job in damaged_jobs(workspace.jobs) if kind_of(job.id) == "train"]  # its model is whole
    runs = [*list_jobs(workspace, "train"), *damaged]
    made = {BUILT_IN_KEY: BUILT_IN, **{job.id: bundle_folder(job) for job in runs}}
    found = {key: folder for key, folder in made.items() if _has_card(folder)}
    for folder in sorted(workspace.models.iterdir()):
        # One without a card is damaged, and told; with a dot before its name it is still being unpacked.
        if _may_be_read(folder) and not folder.name.startswith(".") and folder.name not in made:
            found[folder.name] = folder
    return found


def _has_card(folder: Path) -> bool:
    return _may_be_read(folder) and (folder / CARD).is_file()


def _may_be_read(folder: Path) -> bool:
    try:
        (folder / CARD).is_file()
    except OSError:  # another user's, and not for us to read
        return False
    return folder.is_dir()


def choose_bundle(workspace: Workspace, model: str | None) -> Path:
    """The folder of the bundle with key ``model``, else of the first, which the Recognise page takes as well.

    Raises:
        BundleError: there is no such bundle, or none at all.
    """
    bundles = find_bundles(workspace)
    if not bundles:
        raise BundleError(mark("There is no model yet: import a dataset and train one."))
    if model is None:
        return next(iter(bundles.values()))
    if model not in bundles:
        raise BundleError(
            mark("There is no model “{model}”; there are: {known}."), model=model, known=", ".join(bundles)
        )
    return bundles[model]


def _open_interpreter(path: Path, threads: int) -> tuple[Any, Any]:
    """The interpreter and its one signature; the interpreter must be kept as long as the signature is used."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415  34 MB that only serving needs

    interpreter = Interpreter(model_content=path.read_bytes(), num_threads=threads)
    return interpreter, interpreter.get_signature_runner()


def _read_card(folder: Path) -> Card:
    try:
        return Card.model_validate_json((folder / CARD).read_bytes())
    except (OSError, ValidationError) as error:
        raise BundleError(
            mark("{folder} holds no model bundle, or its card is damaged."), folder=shown_place(folder)
        ) from error


def shown_place(folder: Path) -> str:
    """Where a bundle lies, in a word that tells it from others: all those of runs have one name."""
    return f"{folder.parent.name}/{folder.name}"


def _read_labels(folder: Path, card: Card) -> tuple[str, ...]:
    try:
        content = (folder / LABELS).read_bytes()
        labels = json.loads(content)
        # Whole lists at once: to ask each of thousands takes three times as long, for each model of each list of them.
        well_formed = isinstance(labels, list) and set(map(type, labels)) <= {str}
        if not well_formed or "" in labels or max(map(len, labels), default=0) > LABEL_LENGTH_LIMIT:
            raise ValueError(labels)
        if len(set(labels)) != len(labels):
            raise ValueError(labels)
        "".join(labels).encode()  # half a surrogate pair, which JSON can hold, can be shown on no page
    except (OSError, ValueError) as error:
        raise BundleError(
            mark("The labels of the model in {folder} are missing or damaged."), folder=shown_place(folder)
        ) from error
    as_written = content.replace(b"\r\n", b"\n")  # git gives a text the line ends of Windows there
    if not card.vouches_for(LABELS, hashlib.sha256(as_written).hexdigest()):
        raise _not_as_packaged(folder, LABELS)
    return tuple(labels)


def _not_as_packaged(folder: Path, name: str) -> BundleError:
    return BundleError(
        mark(
            "{file} is damaged, or of another model than the card beside it: put back the right one, or train the "
            "model again."
        ),
        file=f"{shown_place(folder)}/{name}",
    )


def write_description(folder: Path, card: Card, labels: tuple[str, ...]) -> None:
    """Write what is not the network itself, which is there; the card last, since a folder without one is no bundle."""
    replace_json(folder / LABELS, list(labels))
    files = {name: _sha256(folder / name) for name in (MODEL, WEIGHTS, LABELS) if (folder / name).is_file()}
    write_card(folder, card.model_copy(update={"files": files}))


def write_card(folder: Path, card: Card) -> None:
    """Replace the card of a bundle whose other files stay as they are, and their checksums with them."""
    replace_json(folder / CARD, card.model_dump())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
