"""From PP-OCRv6's recognition model, as ONNX, to the file that :mod:`hanzi_core.training.teacher` reads.

    python -m hanzi_core.training.build_teacher PP-OCRv6_rec_small.onnx teacher.npz

The model is Apache-2.0 and comes with the package ``rapidocr`` 3.10 (``requirements-bench.txt``). Of its 18,710 outputs
those of the stroke library's characters are kept, and the blank. Weights are kept in 16 bits.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.training.teacher import BODY, CLASSES, GRAPH, HEAD, Operation

_WITHOUT_EFFECT = "Identity"


def build(source: Path, target: Path) -> None:
    """Write the teacher's body, as operations and weights, and its head for our characters.

    Raises:
        ValueError: the model does not end in a product, a shift and a softmax, as PP-OCR's recognition models do.
    """
    model = onnx.load(source)
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    operations = _without_identities(model.graph.node)
    *body, product, shift, softmax = operations
    if [end.kind for end in (product, shift, softmax)] != ["MatMul", "Add", "Softmax"]:
        raise ValueError(f"{source} is no recognition model of PP-OCR")
    outputs = ["", *_characters(model), " "]  # the blank comes first, the space last
    library = StrokeLibrary.load()
    places = [place for place, label in enumerate(outputs) if label in library]
    kept = [0, *places]
    used = {name for operation in body for name in operation.inputs}
    arrays = {f"{BODY}.{name}": _small(weight) for name, weight in weights.items() if name in used}
    arrays[GRAPH] = np.array(json.dumps([operation._asdict() for operation in body]))
    arrays[CLASSES] = np.array([library.index(outputs[place]) for place in places], np.int32)
    arrays[f"{HEAD}.kernel"] = weights[product.inputs[1]][:, kept].astype(np.float16)
    arrays[f"{HEAD}.bias"] = weights[shift.inputs[1]][kept].astype(np.float32)
    with target.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _without_identities(nodes: Any) -> list[Operation]:
    renamed: dict[str, str] = {}
    kept = []
    for node in nodes:
        inputs = [renamed.get(name, name) for name in node.input]
        if node.op_type == _WITHOUT_EFFECT:
            renamed[node.output[0]] = inputs[0]
            continue
        attributes = {found.name: _plain(onnx.helper.get_attribute_value(found)) for found in node.attribute}
        kept.append(Operation(node.op_type, inputs, node.output[0], attributes))
    return kept


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else list(value) if hasattr(value, "__iter__") else value


def _characters(model: Any) -> list[str]:
    listed = next(entry.value for entry in model.metadata_props if entry.key == "character")
    return str(listed).split("\n")


def _small(weight: NDArray[Any]) -> NDArray[Any]:
    return weight.astype(np.float16) if weight.dtype == np.float32 and weight.size > 1 else weight


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    build(arguments.source, arguments.target)
