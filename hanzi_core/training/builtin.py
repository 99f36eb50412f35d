"""Train the built-in model on simulated handwriting: for as long as there is compute, stopped and taken up at will."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hanzi_core.bundle import WEIGHTS as BUNDLE_WEIGHTS
from hanzi_core.bundle import Bundle
from hanzi_core.errors import TrainingError
from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.language import mark
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.training.builtin_network import IMAGES_SEEN, IMAGES_TAUGHT, NETWORK, build_builtin, transfer
from hanzi_core.training.config import Precision
from hanzi_core.training.distillation import Lesson, taught
from hanzi_core.training.objective import SmoothedCrossentropy, SmoothedSoftCrossentropy
from hanzi_core.training.precision import policy, scaled
from hanzi_core.training.teacher import Teacher
from hanzi_core.workspace import replace_json, writing

STATE, WEIGHTS, HISTORY = "state.json", "state.weights.h5", "history.jsonl"
CHECKPOINT_EVERY_S = 180
_LOG_EVERY_STEPS = 50
_STEADY_FROM_STEP = 50
_GRID_CELLS = 4
_BEND_PX = 1.4
_ANOTHER_PEN = 0.25
_PEN = np.ones((2, 2), np.uint8)
_LEFT_ALONE = 0.25
"""Of the pictures: resampling softens lines a little, and sharp ones must stay known."""


class BuiltinConfig(BaseModel):
    """How far to train, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: int = Field(50_000_000, ge=1, description="Train until so many pictures have been seen in all.")
    time_limit_min: float | None = Field(None, gt=0, description="End after so many minutes, cool-down included.")
    working_size_px: int = Field(64, ge=16, le=IMAGE_SIZE_PX, description="Size at which the network looks.")
    batch_size: int = Field(256, ge=8, le=65_536, description="Pictures a step.")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="Between warm-up and cool-down.")
    warm_up_images: int = Field(60_000, ge=0, description="After each start with fresh moments.")
    cool_down_images: int = Field(0, ge=0, description="The last pictures, over which the rate falls to zero.")
    weight_decay: float = Field(0.02, ge=0, le=1, description="Of AdamW, decoupled.")
    label_smoothing: float = Field(0.05, ge=0, lt=1, description="Share of the target spread over all classes.")
    teacher_share: float = Field(0.4, ge=0, le=1, description="Of a target, where the teacher knows the character.")
    mixtures: float = Field(0.5, ge=0, le=4, description="Pictures that the teacher alone judges, for each other.")
    precision: Precision = Field(Precision.FLOAT32, description="What is multiplied; sums and weights have 32 bits.")
    seed: int = Field(0, ge=0, description="Of weights, order and shifts.")


class State(BaseModel):
    """Where training stands; its weights and moments lie beside it."""

    images: int = 0
    taught: int = 0
    """In the targets of so many a teacher had a say, in the end of ``teacher_share``."""
    teacher_share: float = 0.0
    mixtures: float = 0.0
    working_size_px: int
    stage_began: int = 0
    shard_uses: dict[str, int] = Field(default_factory=dict)


def read_state(folder: Path) -> State:
    """Where the training in ``folder`` stands.

    Raises:
        TrainingError: there is no checkpoint, or it is damaged.
    """
    try:
        return State.model_validate_json((folder / STATE).read_bytes())
    except (OSError, ValidationError) as error:
        raise TrainingError(
            mark("{folder} holds no checkpoint of the built-in model: train there first."), folder=folder
        ) from error


def learning_rate(config: BuiltinConfig, state: State, end: int | None = None) -> float:
    """Warm-up, a plain, and a cool-down by 1 - sqrt (Hägele et al. 2024, arXiv 2405.18392): the plain can be made
    longer at any time, since nothing before the cool-down depends on where the end lies.

    Args:
        config: Of the training.
        state: Where it stands.
        end: After how many pictures it will end, where time ends it before ``config.images``.
    """
    warm = (state.images - state.stage_began + config.batch_size) / max(1, config.warm_up_images)
    left = ((end or config.images) - state.images) / max(1, config.cool_down_images)
    cool = 1 - (1 - left) ** 0.5 if left < 1 else 1.0
    return config.learning_rate * min(1.0, warm) * max(cool, 1e-3)


class Clock:
    """How many pictures a training will have seen when its time is up, told from its own pace."""

    def __init__(self, config: BuiltinConfig, state: State) -> None:
        self._config, self._state = config, state
        self._began = time.monotonic()
        self._steady: tuple[int, float] | None = None

    @property
    def left_s(self) -> float:
        """Seconds that are left, without end where there is no limit."""
        limit_min = self._config.time_limit_min
        return float("inf") if limit_min is None else 60 * limit_min - (time.monotonic() - self._began)

    def end(self, step: int) -> int:
        """Pictures at the end, as they look at ``step``; the first steps, which compile, tell nothing."""
        if self._config.time_limit_min is None or step < _STEADY_FROM_STEP:
            return self._config.images
        now = time.monotonic()
        if self._steady is None:
            self._steady = self._state.images, now
        images, since = self._steady
        if now - since < 1:
            return self._config.images
        pace = (self._state.images - images) / (now - since)
        return min(self._config.images, self._state.images + int(pace * max(0.0, self.left_s)))


class Shards:
    """The pool as it grows: always the shard used least, the newest among equals."""

    def __init__(self, pool: Path, state: State, config: BuiltinConfig) -> None:
        self._pool, self._state, self._config = pool, state, config

    def batches(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
        """Pictures ``uint8 (batch, 64, 64, 1)``, each distorted anew, and labels, without end.

        Raises:
            TrainingError: there are no shards, or one holds less than a batch.
        """
        rng = np.random.default_rng([self._config.seed, self._state.images])
        while True:
            images, labels = self._next()
            size = self._config.batch_size
            if len(labels) < size:
                raise TrainingError(
                    mark("A shard in {pool} holds {count} pictures, fewer than a batch: choose a smaller batch size."),
                    pool=self._pool,
                    count=len(labels),
                )
            order = rng.permutation(len(labels))
            for begin in range(0, len(labels) - size + 1, size):
                chosen = np.sort(order[begin : begin + size])
                yield distort(images[chosen], rng)[..., np.newaxis], labels[chosen]

    def _next(self) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        uses = self._state.shard_uses
        names = sorted(folder.name for folder in self._pool.glob("shard-*"))
        if not names:
            raise TrainingError(mark("{pool} holds no shards: draw some first."), pool=self._pool)
        name = min(reversed(names), key=lambda shard: uses.get(shard, 0))
        uses[name] = uses.get(name, 0) + 1
        return np.load(self._pool / name / "images.npy"), np.load(self._pool / name / "labels.npy")


def distort(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Each picture ``(n, size, size)`` turned, slanted, scaled, moved and bent a little, now and then by another pen.

    A twentieth of the cost of drawing one anew, and a picture that comes back is not the one that was learned.
    """
    size_px = images.shape[1]
    count = len(images)
    strengths = np.array([[0.05, 0.08], [0.05, 0.05]], np.float32)
    affine = np.eye(2, dtype=np.float32) + rng.standard_normal((count, 2, 2), np.float32) * strengths
    knots = np.linspace(-0.5, 0.5, _GRID_CELLS, dtype=np.float32) * (size_px - 1)
    grid = np.stack(np.meshgrid(knots, knots), axis=-1)
    target = np.einsum("yxi,nij->nyxj", grid, affine) + (size_px - 1) / 2
    target += rng.standard_normal((count, 1, 1, 2), np.float32)
    target += _BEND_PX * rng.standard_normal(target.shape, np.float32)
    result = images.copy()
    # Half a cell is cut from a resized map on each side, so the knots are spread over more than the picture.
    stretched_px = round(size_px * _GRID_CELLS / (_GRID_CELLS - 1))
    rim = (stretched_px - size_px) // 2
    inner = slice(rim, rim + size_px)
    for index in np.flatnonzero(rng.random(count) > _LEFT_ALONE):
        field = cv2.resize(target[index], (stretched_px, stretched_px), interpolation=cv2.INTER_LINEAR)[inner, inner]
        result[index] = cv2.remap(images[index], field, None, cv2.INTER_LINEAR)
    for picture, chance in zip(result, rng.random(count), strict=True):
        if chance < _ANOTHER_PEN:
            change = cv2.erode if chance < _ANOTHER_PEN / 3 else cv2.dilate
            picture[:] = change(picture, _PEN)
    return result


class Trainer:
    """Training in a folder, from its checkpoint, else from the bundle ``start``, else from random weights."""

    def __init__(
        self, folder: Path, config: BuiltinConfig, start: Path | None = None, teacher: Teacher | None = None
    ) -> None:
        self._folder, self._config, self._start, self._teacher = folder, config, start, teacher
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        keras.utils.set_random_seed(config.seed)
        dtype = policy(config.precision)
        keras.config.set_dtype_policy(dtype)
        self.model = build_builtin(len(StrokeLibrary.load()), config.working_size_px)
        keras.config.set_dtype_policy("float32")
        self._trainee = keras.Model(self.model.input, self.model.output["logits"])
        loss = SmoothedCrossentropy if teacher is None else SmoothedSoftCrossentropy
        self._trainee.compile(scaled(_optimiser(config), dtype), loss(config.label_smoothing), metrics=["accuracy"])
        self._trainee.optimizer.build(self._trainee.trainable_variables)
        self.state = self._restore()

    def train(self, pool: Path, batches: Iterator[tuple[Any, Any]] | None = None) -> None:
        """Go on until the configured number of pictures, or for the configured time, which the cool-down then ends
        with; write a checkpoint every few minutes and at the end.

        They come from ``batches`` where these are given, else from the shards in ``pool``; mixtures are not counted.
        """
        saved = logged = time.monotonic()
        clock = Clock(self._config, self.state)
        seen = self.state.images
        batches = batches or Shards(pool, self.state, self._config).batches()
        if self._teacher is not None:
            self.state.teacher_share, self.state.mixtures = self._config.teacher_share, self._config.mixtures
            lesson = Lesson(self._config.teacher_share, self._config.mixtures, self._config.seed, self.state.images)
            batches = taught(batches, self._teacher, self._teacher.known, lesson)
        for step, (images, targets) in enumerate(batches, 1):
            if self.state.images >= self._config.images or clock.left_s <= 0:
                break
            rate = learning_rate(self._config, self.state, clock.end(step))
            self._trainee.optimizer.learning_rate = rate
            figures = self._trainee.train_on_batch(images, targets, return_dict=True)
            self.state.images += self._config.batch_size
            self.state.taught += 0 if self._teacher is None else self._config.batch_size
            now = time.monotonic()
            if step % _LOG_EVERY_STEPS == 0:
                self._log(figures, rate, (self.state.images - seen) / (now - logged))
                self._trainee.reset_metrics()
                logged, seen = now, self.state.images
            if now - saved > CHECKPOINT_EVERY_S:
                self.save()
                saved = now
        self.save()

    def averaged(self) -> keras.Model:
        """The model with the running average of its weights (Polyak and Juditsky 1992) in place."""
        self._trainee.optimizer.finalize_variable_values(self._trainee.trainable_variables)
        return self.model

    def save(self) -> None:
        """Write the checkpoint; the state last, so that it never runs ahead of the weights."""
        building = self._folder / f".{WEIGHTS}"
        self._trainee.save_weights(building.with_suffix(".weights.h5"))
        building.with_suffix(".weights.h5").replace(self._folder / WEIGHTS)
        replace_json(self._folder / STATE, self.state.model_dump())

    def _restore(self) -> State:
        if not (self._folder / STATE).is_file():
            seen, taught = self._take_over(self._start) if self._start else (0, 0)
            return State(images=seen, taught=taught, stage_began=seen, working_size_px=self._config.working_size_px)
        state = read_state(self._folder)
        if state.working_size_px == self._config.working_size_px:
            self._trainee.load_weights(self._folder / WEIGHTS)
            return state
        before = Trainer(self._folder, self._config.model_copy(update={"working_size_px": state.working_size_px}))
        transfer(before.averaged(), self.model)
        return state.model_copy(update={"working_size_px": self._config.working_size_px, "stage_began": state.images})

    def _take_over(self, folder: Path) -> tuple[int, int]:
        """Copy the weights of a built-in bundle; return from how many pictures they learned, and with the teacher."""
        card = Bundle.open(folder).card
        try:
            transfer(built_in_model(folder), self.model)
        except ValueError as error:
            raise _no_built_in(folder) from error
        return int(card.metrics.get(IMAGES_SEEN, 0)), int(card.metrics.get(IMAGES_TAUGHT, 0))

    def _log(self, figures: dict[str, float], rate: float, images_per_s: float) -> None:
        line = {
            "images": self.state.images,
            "loss": round(float(figures["loss"]), 4),
            "accuracy": round(float(figures["accuracy"]), 4),
            "learning_rate": rate,
            "images_per_s": round(images_per_s),
            "time": round(time.time()),
        }
        with (self._folder / HISTORY).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def built_in_model(folder: Path) -> keras.Model:
    """The network of a bundle that is the built-in model, or became of it; further characters come last.

    Raises:
        HanziError: it is another model, or damaged.
    """
    bundle, library = Bundle.open(folder), StrokeLibrary.load().characters
    if bundle.card.network != NETWORK or bundle.labels[: len(library)] != library:
        raise _no_built_in(folder)
    return keras.models.load_model(bundle.file(BUNDLE_WEIGHTS), compile=False, safe_mode=True)


def _no_built_in(folder: Path) -> TrainingError:
    return TrainingError(
        mark("{folder} is no built-in model: give one that was made by `builtin package`."), folder=folder
    )


def _optimiser(config: BuiltinConfig) -> keras.optimizers.Optimizer:
    adamw = keras.optimizers.AdamW(
        config.learning_rate,
        weight_decay=config.weight_decay,
        clipnorm=None,
        global_clipnorm=1.0,
        use_ema=True,
        ema_momentum=0.998,
    )
    adamw.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "pooling"])
    return adamw
