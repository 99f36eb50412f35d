"""A teacher read from ONNX answers as its graph says, and what it has to say becomes the target."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from keras import ops
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.training.build_teacher import build
from hanzi_core.training.builtin import BuiltinConfig, Trainer, read_state
from hanzi_core.training.distillation import Lesson, mix, mixing, taught
from hanzi_core.training.objective import SmoothedCrossentropy, SmoothedSoftCrossentropy
from hanzi_core.training.teacher import LINE_PX, VIEWS, Teacher, view
from tests.runs import shallow_built_in
from tests.test_training_builtin import SMALL, write_pool

LIBRARY = StrokeLibrary.load()
READ = "永我国A一"
"""What the small teacher reads; no library has the A."""


def small_graph(ending: tuple[str, str, str] = ("MatMul", "Add", "Softmax")) -> onnx.ModelProto:
    """A text-line model of every operation that PP-OCRv6 has, at random weights that 16 bits hold."""
    rng = np.random.default_rng(4)
    weights: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []

    def weight(*shape: int) -> str:
        return constant(rng.normal(0, 0.5, shape).astype(np.float16).astype(np.float32))

    def constant(values: np.ndarray) -> str:
        name = f"w{len(weights)}"
        weights[name] = values
        return name

    def add(kind: str, *inputs: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"n{len(nodes)}"], **attributes))
        return f"n{len(nodes) - 1}"

    one = {"group": 1, "dilations": [1, 1]}
    x = add("Conv", "x", weight(6, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], kernel_shape=[3, 3], **one)
    x = add("Identity", add("Relu", add("Add", x, weight(1, 6, 1, 1))))
    same = add("Conv", x, weight(4, 6, 2, 2), strides=[1, 1], auto_pad="SAME_UPPER", kernel_shape=[2, 2], **one)
    x = add("Concat", add("MaxPool", x, kernel_shape=[2, 2], strides=[1, 1], auto_pad="SAME_UPPER"), same, axis=1)
    x = add(
        "Conv", x, weight(10, 1, 3, 3), strides=[2, 1], pads=[1, 1, 1, 1], kernel_shape=[3, 3], group=10,
        dilations=[1, 1],
    )  # fmt: skip
    variance = constant(rng.uniform(0.5, 2, 10).astype(np.float16).astype(np.float32))
    # The reference takes a momentum below 1 for training.
    x = add("BatchNormalization", x, weight(10), weight(10), weight(10), variance, epsilon=1e-5, momentum=1.0)
    gate = add("HardSigmoid", add("ReduceMean", x, axes=[2, 3], keepdims=1), alpha=0.1667, beta=0.5)
    x = add("Mul", x, gate)
    bent = add("Add", add("Erf", add("Div", x, constant(np.float32(1.414)))), constant(np.float32(1)))
    x = add("Mul", add("Mul", x, bent), constant(np.float32(0.5)))
    x = add("AveragePool", x, kernel_shape=[12, 4], strides=[12, 4], pads=[0, 0, 0, 0])
    x = add("Transpose", add("Squeeze", x, axes=[2]), perm=[0, 2, 1])
    centred = add("Sub", x, add("ReduceMean", x, axes=[-1]))
    spread = add("ReduceMean", add("Pow", centred, constant(np.float32(2))), axes=[-1])
    x = add("Div", centred, add("Sqrt", add("Add", spread, constant(np.float32(1e-5)))))
    x = add("Mul", x, add("Sigmoid", x))
    length = add(
        "Slice", add("Shape", x), constant(np.array([1])), constant(np.array([2])), constant(np.array([0])),
        constant(np.array([1])),
    )  # fmt: skip
    length = add("Unsqueeze", add("Squeeze", length, axes=[0]), axes=[0])
    shape = add("Concat", constant(np.array([-1])), length, constant(np.array([2, 5])), axis=0)
    x = add("Softmax", add("Reshape", x, shape), axis=3)
    x = add("Mul", add("Reshape", x, constant(np.array([0, -1, 10]))), constant(np.float32(6)))
    product, shift, softmax = ending
    x = add(product, x, weight(10, 2 + len(READ))) if product == "MatMul" else add(product, x)
    x = add(shift, x, weight(2 + len(READ)))
    add(softmax, x, axis=2)
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, LINE_PX, "length"])],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    helper.set_model_props(model, {"character": "\n".join(READ)})
    return model


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("teacher") / "small.onnx"
    onnx.save(small_graph(), path)
    return path


@pytest.fixture(scope="module")
def teacher(source: Path) -> Teacher:
    build(source, source.with_suffix(".npz"))
    return Teacher(source.with_suffix(".npz"))


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    images = np.zeros((6, 64, 64, 1), np.uint8)
    rng = np.random.default_rng(1)
    for image in images:
        image[8:56, 8:56, 0] = cv2.resize(rng.integers(0, 256, (9, 9), np.uint8), (48, 48))
    return images


def test_the_teacher_answers_as_its_graph_does(source: Path, teacher: Teacher, pictures: np.ndarray) -> None:
    runs = []
    for share in VIEWS:
        lines = np.stack([view(share) @ picture[..., 0] @ view(share).T for picture in pictures])
        pixels = np.repeat(1 - lines[:, None] / np.float32(127.5), 3, axis=1).astype(np.float32)
        runs.append(ReferenceEvaluator(str(source)).run(None, {"x": pixels})[0])
    kept = [0, *(1 + place for place, character in enumerate(READ) if character in LIBRARY)]
    steps = [run[:, :, kept] / run[:, :, kept].sum(axis=-1, keepdims=True) for run in runs]
    best = np.maximum(*(step[:, :, 1:].max(axis=1) for step in steps))
    expected = best / best.sum(axis=1, keepdims=True)
    found = np.asarray(teacher(pictures))
    places = [LIBRARY.index(character) for character in READ if character in LIBRARY]
    np.testing.assert_allclose(found[:, places], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert expected.std(axis=0).max() > 0.002, "it tells the pictures apart"
    assert sorted(np.flatnonzero(teacher.known)) == sorted(places)


def test_what_is_no_such_model_is_refused(tmp_path: Path) -> None:
    onnx.save(small_graph(ending=("Relu", "Add", "Softmax")), tmp_path / "other.onnx")
    with pytest.raises(ValueError, match="no recognition model"):
        build(tmp_path / "other.onnx", tmp_path / "other.npz")
    assert not (tmp_path / "other.npz").exists()


def test_a_view_is_cut_softened_and_shrunk(pictures: np.ndarray) -> None:
    picture = pictures[0, ..., 0]
    softened = cv2.GaussianBlur(picture.astype(np.float32), (3, 3), 0.8)[4:60, 4:60]
    for share in VIEWS:
        side_px = round(LINE_PX * share)
        begin = (LINE_PX - side_px) // 2
        line = view(share) @ picture @ view(share).T
        expected = cv2.resize(softened, (side_px, side_px), interpolation=cv2.INTER_AREA)
        np.testing.assert_allclose(line[begin : begin + side_px, begin : begin + side_px], expected, atol=0.5)
        assert line.sum() == pytest.approx(expected.sum(), rel=1e-3), "nothing lies outside"


def test_a_mixture_has_ink_of_both_and_is_bent() -> None:
    images = np.zeros((2, 64, 64, 1), np.uint8)
    images[0, 4:60, 4:60] = 255
    images[1, 16:48, 16:48] = 130
    how = mixing(200, 2, np.random.default_rng(0))
    assert 0.45 < how["is_cut"].mean() < 0.75
    mixed = np.asarray(mix(images, how))[..., 0].astype(float)
    means = images.reshape(2, -1).mean(axis=1)
    pure = how["pairs"][0] == how["pairs"][1]
    both = ~pure & how["is_cut"]
    assert (mixed[both].mean(axis=(1, 2)) > means[1]).mean() > 0.9
    assert (mixed[both].mean(axis=(1, 2)) < means[0]).mean() > 0.9
    shines = ~how["is_cut"] & (how["pairs"][0] == 1) & (how["pairs"][1] == 0)
    assert mixed[shines][:, 8:12, 30:34].mean() == pytest.approx(255 * how["shining"][shines].mean(), rel=0.25)
    alike = mixed[pure & how["is_cut"] & (how["pairs"][0] == 0)]
    assert len(alike) > 10
    assert alike.std(axis=0).max() > 50, "no two are bent alike"


def test_targets_are_part_label_part_teacher_and_of_mixtures_the_teacher_alone() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 64, 64, 1), np.uint8)
    labels = np.array([0, 1, 2, 3], np.int32)
    known = np.array([True, True, True, False, True])
    says = np.array([0.1, 0.2, 0.3, 0.0, 0.4], np.float32)
    shown = []

    def speak(pictures: np.ndarray) -> np.ndarray:
        shown.append(np.asarray(pictures))
        return ops.convert_to_tensor(np.tile(says, (len(pictures), 1)))

    batches = iter([(images, labels), (images, labels)])
    lessons = list(taught(batches, speak, known, Lesson(share=0.25, mixtures=1.5, seed=3)))
    for pictures, targets in lessons:
        assert np.asarray(pictures).shape == (10, 64, 64, 1)
        np.testing.assert_array_equal(np.asarray(pictures)[:4], images)
        np.testing.assert_allclose(np.asarray(targets)[:3], 0.75 * np.eye(5)[:3] + 0.25 * says, atol=1e-6)
        np.testing.assert_allclose(np.asarray(targets)[3], np.eye(5)[3], atol=1e-6)
        np.testing.assert_allclose(np.asarray(targets)[4:], np.tile(says, (6, 1)), atol=1e-6)
    np.testing.assert_array_equal(shown[0], np.asarray(lessons[0][0]))
    assert (np.asarray(lessons[0][0])[4:] != np.asarray(lessons[1][0])[4:]).any()


def test_soft_targets_cost_what_hard_ones_do() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    labels = np.array([0, 6, 3, 3, 1])
    hard = SmoothedCrossentropy(0.1)(labels, logits)
    soft = SmoothedSoftCrossentropy(0.1)(np.eye(7, dtype=np.float32)[labels], logits)
    assert float(soft) == pytest.approx(float(hard), rel=1e-6)


def test_a_training_with_a_teacher_tells_its_share(
    tmp_path: Path, teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow_built_in(monkeypatch)
    config = BuiltinConfig(images=16, working_size_px=32, teacher_share=0.3, mixtures=1, **SMALL)
    trainer = Trainer(tmp_path, config, teacher=teacher)
    before = trainer.model.get_layer("logits").get_weights()[0]
    trainer.train(write_pool(tmp_path))
    assert (trainer.model.get_layer("logits").get_weights()[0] != before).any()
    state = read_state(tmp_path)
    assert (state.images, state.taught, state.teacher_share, state.mixtures) == (16, 16, 0.3, 1)
