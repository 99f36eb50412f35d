"""What PP-OCRv6 sees in pictures, as probabilities of our characters: a teacher beside the labels.

It runs where the network trains, with ``keras.ops`` alone: on the accelerator it takes less time than the drawing. The
file comes from ``build_teacher.py``; neither it nor the teacher's weights are shipped.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from keras import KerasTensor, ops
from numpy.typing import NDArray

from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.training.device_simulation import compiled

GRAPH, CLASSES, HEAD, BODY = "graph", "classes", "head", "body"
"""What the file holds: operations, the library's places of the outputs, and weights."""

LINE_PX = 48
"""Height of the lines that it reads, and the length of those it is shown."""

VIEWS = (0.6, 0.8)
"""Shares of the line's height at which it is shown each picture; each class keeps its best probability."""

_INK_SHARE = 7 / 8
_SOFTNESS_PX = 0.8
"""It learned from photos, not from crisp ink."""

_LEAST = 1e-7
"""A probability for what it does not see at all."""


class Operation(NamedTuple):
    """A node of the ONNX graph (opset 11)."""

    kind: str
    inputs: list[str]
    output: str
    attributes: dict[str, Any]


class Teacher:
    """Reads pictures as the network is shown them."""

    def __init__(self, file: Path) -> None:
        """Load what ``build_teacher.py`` wrote."""
        with np.load(file) as found:
            self._operations = [Operation(**operation) for operation in json.loads(str(found[GRAPH]))]
            self._weights = {
                name.removeprefix(f"{BODY}."): _full(found[name]) for name in found.files if name.startswith(BODY)
            }
            self._kernel, self._bias = _full(found[f"{HEAD}.kernel"]), found[f"{HEAD}.bias"]
            classes = found[CLASSES]
        count = len(StrokeLibrary.load())
        self.known: NDArray[np.bool_] = np.isin(np.arange(count), classes)
        """``(classes,)``: which of the library's characters it can answer."""
        self._column = np.zeros(count, np.int32)
        self._column[classes] = np.arange(len(classes))
        self._views = [view(share) for share in VIEWS]
        self._read = compiled(self._read_lines)

    def __call__(self, images: KerasTensor) -> KerasTensor:
        """What it sees in ``images``.

        Args:
            images: ``uint8 (n, 64, 64, 1)``, white ink on black.

        Returns:
            ``float32 (n, classes)``, in the order of the library; each row sums to 1.
        """
        ink = ops.cast(images[..., 0], "float32")
        seen = [self._read(ops.matmul(ops.matmul(rows, ink), ops.transpose(rows))) for rows in self._views]
        best = ops.maximum(*seen)
        best = ops.where(self.known[None, :], ops.take(best, self._column, axis=1), 0.0) + _LEAST
        return best / ops.sum(best, axis=1, keepdims=True)

    def _read_lines(self, lines: KerasTensor) -> KerasTensor:
        """Each class by its best time step, ``(n, outputs)``: of a line it is known that it is one character."""
        pixels = 1 - lines[:, None] / np.float32(127.5)
        steps = ops.matmul(self._run(ops.repeat(pixels, 3, axis=1)), self._kernel) + self._bias
        return ops.max(ops.softmax(steps)[:, :, 1:], axis=1)

    def _run(self, pixels: KerasTensor) -> KerasTensor:
        values: dict[str, Any] = {**self._weights, "x": pixels}
        result: Any = pixels
        for operation in self._operations:
            inputs = [values[name] for name in operation.inputs]
            result = _OPERATIONS[operation.kind](operation.attributes, *inputs)
            values[operation.output] = result
        return result


def view(share: float) -> NDArray[np.float32]:
    """The matrix ``(48, 64)`` which, from both sides, lays a normalised picture into a line at ``share`` of its height.

    The margin is cut, the ink softened, shrunk and centred.
    """
    margin = round(IMAGE_SIZE_PX * (1 - _INK_SHARE) / 2)
    side_px = round(LINE_PX * share)
    kernel = cv2.getGaussianKernel(3, _SOFTNESS_PX).ravel()
    # OpenCV reflects at the edge, where a normalised picture has no ink.
    soft = sum(weight * np.eye(IMAGE_SIZE_PX, k=offset) for weight, offset in zip(kernel, (-1, 0, 1), strict=True))
    inner = np.asarray(soft, np.float32)[margin : IMAGE_SIZE_PX - margin]
    rows = np.zeros((LINE_PX, IMAGE_SIZE_PX), np.float32)
    top = (LINE_PX - side_px) // 2
    rows[top : top + side_px] = cv2.resize(inner, (IMAGE_SIZE_PX, side_px), interpolation=cv2.INTER_AREA)
    return rows


def _full(weight: NDArray[Any]) -> NDArray[Any]:
    return weight.astype(np.float32) if weight.dtype == np.float16 else weight


def _last(x: KerasTensor) -> KerasTensor:
    return ops.transpose(x, (0, 2, 3, 1))


def _first(x: KerasTensor) -> KerasTensor:
    return ops.transpose(x, (0, 3, 1, 2))


def _convolve(attributes: dict[str, Any], x: KerasTensor, kernel: NDArray[np.float32]) -> KerasTensor:
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    x = ops.pad(_last(x), ((0, 0), (top, bottom), (left, right), (0, 0)))
    down, along = attributes["strides"]
    if attributes["group"] == 1:
        padding = "same" if "auto_pad" in attributes else "valid"
        return _first(ops.conv(x, kernel.transpose(2, 3, 1, 0), (down, along), padding))
    # TensorFlow's depthwise convolution knows one stride for both axes.
    return _first(ops.depthwise_conv(x, kernel.transpose(2, 3, 0, 1), 1, "valid")[:, ::down, ::along])


def _pool(reduce: Callable[..., KerasTensor], padding: str) -> Callable[..., KerasTensor]:
    def pool(attributes: dict[str, Any], x: KerasTensor) -> KerasTensor:
        return _first(reduce(_last(x), tuple(attributes["kernel_shape"]), tuple(attributes["strides"]), padding))

    return pool


def _normalise(attributes: dict[str, Any], x: KerasTensor, *statistics: NDArray[np.float32]) -> KerasTensor:
    scale, shift, mean, variance = statistics
    factor = scale / np.sqrt(variance + attributes["epsilon"])
    return x * factor[:, None, None] + (shift - mean * factor)[:, None, None]


def _slice(_attributes: dict[str, Any], x: Any, starts: Any, ends: Any, axes: Any, steps: Any = None) -> Any:
    places: list[slice] = [slice(None)] * len(x.shape)
    for number, axis in enumerate(axes):
        places[axis] = slice(int(starts[number]), int(ends[number]), None if steps is None else int(steps[number]))
    return x[tuple(places)]


def _reshape(_attributes: dict[str, Any], x: Any, shape: NDArray[np.int64]) -> Any:
    # 0 keeps the length of the axis in its place.
    sides = tuple(int(x.shape[axis]) if side == 0 else int(side) for axis, side in enumerate(shape))
    return ops.reshape(x, sides) if sides else np.reshape(x, ())


def _mean(attributes: dict[str, Any], x: KerasTensor) -> KerasTensor:
    return ops.mean(x, axis=tuple(attributes["axes"]), keepdims=True)


def _concatenate(attributes: dict[str, Any], *parts: Any) -> Any:
    join = np.concatenate if all(isinstance(part, np.ndarray) for part in parts) else ops.concatenate
    return join(parts, axis=attributes["axis"])


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "Add": lambda _, x, y: x + y,
    "AveragePool": _pool(ops.average_pool, "valid"),
    "BatchNormalization": _normalise,
    "Concat": _concatenate,
    "Conv": _convolve,
    "Div": lambda _, x, y: x / y,
    "Erf": lambda _, x: ops.erf(x),
    "HardSigmoid": lambda of, x: ops.clip(of["alpha"] * x + of["beta"], 0.0, 1.0),
    "MatMul": lambda _, x, y: ops.matmul(x, y),
    "MaxPool": _pool(ops.max_pool, "same"),
    "Mul": lambda _, x, y: x * y,
    "Pow": lambda _, x, y: ops.power(x, y),
    "ReduceMean": _mean,
    "Relu": lambda _, x: ops.relu(x),
    "Reshape": _reshape,
    "Shape": lambda _, x: np.array([int(side) for side in x.shape]),
    "Sigmoid": lambda _, x: ops.sigmoid(x),
    "Slice": _slice,
    "Softmax": lambda of, x: ops.softmax(x, axis=of["axis"]),
    "Sqrt": lambda _, x: ops.sqrt(x),
    "Squeeze": lambda of, x: x.squeeze(tuple(of["axes"])) if isinstance(x, np.ndarray) else ops.squeeze(x, of["axes"]),
    "Sub": lambda _, x, y: x - y,
    "Transpose": lambda of, x: ops.transpose(x, of["perm"]),
    "Unsqueeze": lambda of, x: np.expand_dims(x, tuple(of["axes"])),
}
