import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from hanzi_core.bundle import (
    BUILT_IN,
    CARD,
    LABELS,
    MODEL,
    WEIGHTS,
    Bundle,
    Card,
    bundle_folder,
    find_bundles,
    softmax,
    write_card,
    write_description,
)
from hanzi_core.errors import BundleError
from hanzi_core.jobs import Job
from hanzi_core.workspace import Workspace
from tests.handwriting import STROKES

SMALL = Card(name="a model", network="compact", created=1.0)


@pytest.fixture
def folder(finished_run: Job, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(bundle_folder(finished_run), tmp_path / "bundle"))


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64), np.uint8)


def test_it_says_what_it_is(folder: Path) -> None:
    bundle = Bundle.open(folder)
    assert bundle.labels == tuple(sorted(STROKES))
    assert bundle.card.dataset == "ten"
    assert 0.5 < bundle.card.metrics["test_top_1"] <= 1
    assert bundle.index["木"] == bundle.labels.index("木")


def test_probabilities_and_embeddings(folder: Path) -> None:
    output = Bundle.open(folder).load().predict(pictures(3))
    assert output.probabilities.shape == (3, 10)
    assert output.embedding.shape[0] == 3
    np.testing.assert_allclose(output.probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_batch_says_the_same_as_one_by_one(folder: Path) -> None:
    model, images = Bundle.open(folder).load(), pictures(5)
    together = model.predict(images).probabilities
    apart = np.concatenate([model.predict(image[np.newaxis]).probabilities for image in images])
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_twenty_threads_share_one_model(folder: Path) -> None:
    model, images = Bundle.open(folder).load(), pictures(20)
    alone = [model.predict(image[np.newaxis]).probabilities for image in images]
    with ThreadPoolExecutor(20) as threads:
        at_once = list(
            threads.map(lambda index: model.predict(images[index % 20][np.newaxis]).probabilities, range(200))
        )
    for index, found in enumerate(at_once):
        np.testing.assert_allclose(found, alone[index % 20], atol=1e-6)


def test_the_served_file_agrees_with_the_keras_file(folder: Path) -> None:
    import keras

    from hanzi_core.training import architectures  # noqa: F401  registers its layers

    images = pictures(4)
    network = keras.models.load_model(folder / "model.keras", safe_mode=True)
    logits = np.asarray(network(images[..., np.newaxis].astype(np.float32))["logits"])
    bundle = Bundle.open(folder)
    served = bundle.load().predict(images).probabilities
    np.testing.assert_allclose(served, softmax(logits / bundle.card.temperature), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (CARD, b"{"),
        (CARD, b'{"name": "x", "network": "compact", "created": 0, "temperature": 0}'),
        (LABELS, b'["a"'),
        (LABELS, b'["a", "a"]'),
        (LABELS, b'{"a": 1}'),
        (LABELS, json.dumps(["x" * 1000]).encode()),
    ],
)
def test_a_damaged_description_is_told(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError):
        Bundle.open(folder)


@pytest.mark.parametrize("created", ["-1", "1.7e12", "NaN", "Infinity"])
def test_a_card_of_no_time_that_a_calendar_has_is_damaged(tmp_path: Path, created: str) -> None:
    write_description(tmp_path, SMALL, ("人",))
    (tmp_path / CARD).write_text(f'{{"name": "x", "network": "compact", "created": {created}}}')
    with pytest.raises(BundleError, match="card is damaged"):
        Bundle.open(tmp_path)


def test_a_damaged_bundle_of_a_run_names_the_run(workspace: Workspace) -> None:
    folder = bundle_folder(Job.create(workspace, "train", {}, "a run", ()))
    for spoilt in (LABELS, CARD):
        folder.mkdir(exist_ok=True)
        write_description(folder, SMALL, ("人",))
        (folder / spoilt).write_text("{")
        with pytest.raises(BundleError, match=folder.parent.name):
            Bundle.open(folder)


def test_labels_are_whatever_a_page_can_show(tmp_path: Path) -> None:
    labels = ("人", "\u3000", "！", "\ue000", "\U000323b0", "e\u0301")
    write_description(tmp_path, SMALL, labels)
    assert Bundle.open(tmp_path).labels == labels
    (tmp_path / LABELS).write_text(r'["\ud800"]')
    with pytest.raises(BundleError, match="labels"):
        Bundle.open(tmp_path)


def built_in_with(folder: Path, model: bytes) -> Path:
    """The built-in model with another network, packaged so, in ``folder``."""
    (folder / MODEL).write_bytes(model)
    write_description(folder, Bundle.open(BUILT_IN).card, Bundle.open(BUILT_IN).labels)
    return folder


def test_a_network_without_embedding_is_told(tmp_path: Path) -> None:
    built_in_with(tmp_path, (BUILT_IN / MODEL).read_bytes().replace(b"embedding\0", b"embeddinG\0"))
    with pytest.raises(BundleError, match="damaged"):
        Bundle.open(tmp_path).load()


@pytest.mark.parametrize("content", [b"", b"rubbish" * 100])
def test_a_damaged_network_is_told(folder: Path, content: bytes) -> None:
    (folder / MODEL).write_bytes(content)
    is_told_as_damaged(folder)


def test_a_network_cut_short_is_told(folder: Path) -> None:
    content = (folder / MODEL).read_bytes()
    (folder / MODEL).write_bytes(content[: len(content) // 3])
    is_told_as_damaged(folder)


def is_told_as_damaged(folder: Path) -> None:
    """By its checksum, and where there is none by what cannot be loaded."""
    for is_of_earlier_version in (False, True):
        if is_of_earlier_version:
            forget_checksums(folder)
        with pytest.raises(BundleError, match="damaged"):
            Bundle.open(folder).load()


def forget_checksums(folder: Path) -> None:
    """Make the card one of an earlier version."""
    card = json.loads((folder / CARD).read_bytes())
    del card["files"]
    (folder / CARD).write_text(json.dumps(card))


def test_a_card_vouches_for_each_file_and_those_of_earlier_versions_for_none(folder: Path) -> None:
    images = pictures(2)
    answers = Bundle.open(folder).load().predict(images).probabilities
    forget_checksums(folder)
    np.testing.assert_array_equal(Bundle.open(folder).load().predict(images).probabilities, answers)
    Bundle.open(folder).file(WEIGHTS)
    for found in (Bundle.open(BUILT_IN), Bundle.open(folder)):
        is_new = found.folder == BUILT_IN
        assert set(found.card.files) == ({MODEL, WEIGHTS, LABELS} if is_new else set())
        for name in (MODEL, WEIGHTS):
            assert found.file(name) == found.folder / name


def test_one_wrong_byte_of_a_network_or_of_its_weights_is_told(folder: Path) -> None:
    """It loads like any other, and answered nonsense."""
    for name in (MODEL, WEIGHTS):
        content = bytearray((folder / name).read_bytes())
        content[-len(content) // 3] ^= 0x80
        (folder / name).write_bytes(content)
        bundle = Bundle.open(folder)
        with pytest.raises(BundleError, match=f"bundle/{name} is damaged, or of another model"):
            bundle.load() if name == MODEL else bundle.file(name)


def test_labels_of_another_order_are_told(folder: Path) -> None:
    labels = Bundle.open(folder).labels
    content = json.dumps(labels, ensure_ascii=False, indent=1).encode()
    (folder / LABELS).write_bytes(content.replace(b"\n", b"\r\n"))  # as git may write it on Windows
    assert Bundle.open(folder).labels == labels
    (folder / LABELS).write_text(json.dumps(labels[::-1], ensure_ascii=False, indent=1))
    with pytest.raises(BundleError, match=r"bundle/labels\.json is damaged, or of another model"):
        Bundle.open(folder)


def test_a_card_written_anew_keeps_the_checksums_of_its_files(folder: Path) -> None:
    before = Bundle.open(folder).card
    write_card(folder, before.model_copy(update={"temperature": 2.0}))
    after = Bundle.open(folder).card
    assert after.temperature == 2.0 and after.files == before.files


def test_a_network_that_answers_no_numbers_is_told(tmp_path: Path) -> None:
    """It was right about every picture: no class is more probable than the true one."""
    content = (BUILT_IN / MODEL).read_bytes()
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    last = next(each for each in interpreter.get_tensor_details() if each["name"].endswith("BiasAdd"))
    bias = interpreter.get_tensor(last["index"])
    content = content.replace(bias.tobytes(), np.full_like(bias, np.nan).tobytes())
    model = Bundle.open(built_in_with(tmp_path, content)).load()
    with pytest.raises(BundleError, match="cannot answer to a picture"):
        model.predict(pictures(2))


def test_labels_that_do_not_fit_the_output_are_told(folder: Path) -> None:
    write_description(folder, Bundle.open(folder).card, ("a", "b"))
    with pytest.raises(BundleError, match="10 outputs, 2 labels"):
        Bundle.open(folder).load()


def test_another_normalisation_is_refused(folder: Path) -> None:
    card = json.loads((folder / CARD).read_bytes())
    (folder / CARD).write_text(json.dumps(card | {"normalisation": 999}))
    with pytest.raises(BundleError, match="prepared in another way"):
        Bundle.open(folder)


def test_runs_and_imported_bundles_are_found(trained: Workspace, finished_run: Job) -> None:
    assert find_bundles(trained)[finished_run.id] == bundle_folder(finished_run)


def test_a_damaged_description_of_a_run_does_not_hide_its_model(workspace: Workspace) -> None:
    run = Job.create(workspace, "train", {}, "mine")
    shutil.copytree(BUILT_IN, bundle_folder(run))
    (run.folder / "config.json").write_bytes(b"")
    assert find_bundles(workspace)[run.id] == bundle_folder(run)
