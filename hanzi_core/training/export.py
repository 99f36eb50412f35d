"""Write a trained network as a model bundle."""

import contextlib
import io
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from hanzi_core.bundle import MODEL, WEIGHTS, Card, write_description
from hanzi_core.workspace import new_folder, writing


def write_bundle(model: keras.Model, card: Card, labels: Sequence[str], folder: Path, quantise: bool = False) -> None:
    """Write ``model`` with its ``labels`` to ``folder``, in one step: a reader sees a whole bundle or none.

    Args:
        model: Outputs ``logits`` and ``embedding``.
        card: What is to be known of it.
        labels: The class of each logit.
        folder: Replaced if it is there.
        quantise: Keep the served weights as 8-bit integers, a quarter of the size, and quicker; and deflate the others.

    Raises:
        WorkspaceError: the disk is full; what was there before stays.
    """
    with writing(folder.parent), new_folder(folder.parent, f".{folder.name}") as building:
        model.save(building / WEIGHTS)
        if quantise:
            _deflate(building / WEIGHTS)
        with contextlib.redirect_stdout(io.StringIO()):  # the converter prints a page of its own
            model.export(building / MODEL, format="litert", verbose=False, **_conversion(quantise))
        write_description(building, card, tuple(labels))
        if folder.exists():
            shutil.rmtree(folder)
        building.rename(folder)


def _deflate(path: Path) -> None:
    """Compress a ``.keras`` file, which Keras leaves as it is: a zip archive, read alike either way."""
    small = path.with_suffix(".zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry), zipfile.ZIP_DEFLATED)
    small.replace(path)


def _conversion(quantise: bool) -> dict[str, Any]:
    if not quantise:
        return {}
    from tensorflow import lite

    # A scale and an offset for each of ten thousand classes would take 12 bytes beside the 256 of its weights.
    dense = "_experimental_disable_per_channel_quantization_for_dense_layers"
    return {"optimizations": [lite.Optimize.DEFAULT], dense: True}
