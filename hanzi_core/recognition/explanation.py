"""Why this answer: which ink it rests on, and which classes look like it to the model."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.bundle import MODEL, Bundle, shown_place
from hanzi_core.errors import BundleError
from hanzi_core.language import mark
from hanzi_core.recognition.recogniser import Recogniser

PLACES = 9
"""Places a side at which a part of the picture is hidden: 81 forward passes in all."""

_HIDDEN = 0.18
"""Side of what is hidden, of the picture's: about a stroke and the paper around it."""


def occlusion_map(recogniser: Recogniser, seen: NDArray[np.uint8], label: str) -> NDArray[np.float32]:
    """How much of the probability of ``label`` is lost where a part of the picture is hidden (Zeiler and Fergus 2014).

    Args:
        recogniser: Whose answer it is.
        seen: ``uint8 (size, size)``, as :meth:`Recogniser.see` gives it.
        label: A class of the model.

    Returns:
        ``float32 (PLACES, PLACES)``: -1 to 1; above 0 where the ink speaks for the label.
    """
    index = recogniser.bundle.index[label]
    whole = recogniser.predict(seen[np.newaxis]).probabilities[0, index]
    hidden = np.stack([seen] * PLACES**2)
    side = max(1, round(_HIDDEN * len(seen)))
    starts = np.rint(np.linspace(0, len(seen) - side, PLACES)).astype(int)
    for number, picture in enumerate(hidden):
        top, left = starts[number // PLACES], starts[number % PLACES]
        picture[top : top + side, left : left + side] = 0
    # A row at a time: for all 81 at once the runtime would keep ten times the memory of a single picture.
    rows = hidden.reshape(PLACES, PLACES, *seen.shape)
    rest = np.stack([recogniser.predict(row).probabilities[:, index] for row in rows])
    return (whole - rest).astype(np.float32)


class LookAlikes:
    """Which classes a model finds alike: the angle between what its last layer looks for in an embedding."""

    def __init__(self, bundle: Bundle, dimensions: int) -> None:
        """Read the last layer's weights from the model file; ``dimensions`` is the length of an embedding.

        Raises:
            BundleError: the file has gone: a model that was deleted answers on where it is in memory; or it is damaged.
        """
        weights = _last_layer(bundle, dimensions)
        self._bundle = bundle
        self._directions = None if weights is None else weights / np.linalg.norm(weights, axis=1, keepdims=True)

    def of(self, label: str, count: int = 6) -> list[str]:
        """The ``count`` classes most like ``label``, nearest first; none for a model whose last layer is another."""
        if self._directions is None or label not in self._bundle.index:
            return []
        place = self._bundle.index[label]
        likeness = self._directions @ self._directions[place]
        likeness[place] = -2.0
        return [self._bundle.labels[index] for index in np.argsort(-likeness, kind="stable")[:count]]


def _last_layer(bundle: Bundle, dimensions: int) -> NDArray[np.float32] | None:
    """The matrix ``float32 (classes, dimensions)`` that makes logits of embeddings; quantised ones are unpacked."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415  34 MB that only serving needs

    try:
        content = bundle.file(MODEL).read_bytes()
    except OSError as error:
        raise BundleError(
            mark("The model in {folder} cannot be read: it may have been deleted."), folder=shown_place(bundle.folder)
        ) from error
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    shape = (len(bundle.labels), dimensions)
    for details in interpreter.get_tensor_details():
        if tuple(details["shape"]) == shape and details["dtype"] in (np.float32, np.int8):
            weights = interpreter.get_tensor(details["index"]).astype(np.float32)
            scales = details["quantization_parameters"]["scales"]
            return weights * scales[:, np.newaxis] if len(scales) == shape[0] else weights
    return None


def heat_picture(seen: NDArray[np.uint8], heat: NDArray[np.float32], side_px: int = 320) -> NDArray[np.uint8]:
    """Dark ink, red where it speaks for the label and blue where against: ``uint8 (side_px, side_px, 3)``."""
    ink = cv2.resize(seen, (side_px, side_px), interpolation=cv2.INTER_LINEAR).astype(np.float32)[..., np.newaxis] / 255
    strength = cv2.resize(
        heat / max(0.02, float(np.abs(heat).max())), (side_px, side_px), interpolation=cv2.INTER_CUBIC
    )
    share = np.clip(np.abs(strength), 0, 1)[..., np.newaxis] * 0.75
    colour = np.where(strength[..., np.newaxis] > 0, np.array([215.0, 50, 40]), np.array([50.0, 100, 220]))
    paper = 255 * (1 - share) + colour * share
    return np.clip(paper * (1 - 0.85 * ink), 0, 255).astype(np.uint8)
