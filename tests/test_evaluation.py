import errno
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hanzi_core.bundle import BUILT_IN, CARD, Bundle, Card, Output, bundle_folder, choose_bundle, largest, write_card
from hanzi_core.cli import evaluation as cli
from hanzi_core.cli.evaluation import digest_of, evaluate_model
from hanzi_core.dataset import Dataset, Part, SplitSettings, rescan
from hanzi_core.dataset.importing import ImportConfig, import_dataset
from hanzi_core.dataset.store import split_digest
from hanzi_core.errors import DatasetError
from hanzi_core.evaluation.confusion import confused_pairs, confusion_matrix
from hanzi_core.evaluation.lessons import Lesson, learned_elsewhere, lessons_of, may_remember, own_lesson
from hanzi_core.evaluation.metrics import by_class, summarise
from hanzi_core.evaluation.predictions import (
    PREDICTIONS,
    EvaluationConfig,
    _predict,
    evaluate,
    pictures_digest,
    read_predictions,
)
from hanzi_core.image.synthetic import encode_synthetic
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.workspace import Workspace, writing
from tests.collection import drawn, imported, write_files
from tests.handwriting import write_collection
from tests.runs import make_dataset, silent


@pytest.fixture
def predictions() -> pd.DataFrame:
    """Six pictures: 人 right, right, taken for 入 twice; 入 right; 大 unknown to the model."""
    return pd.DataFrame(
        {
            "label": ["人", "人", "人", "人", "入", "大"],
            "predicted_1": ["人", "人", "入", "入", "入", "人"],
            "rank": [1, 1, 2, 7, 1, 0],
        }
    )


def test_summary(predictions: pd.DataFrame) -> None:
    figures = summarise(predictions)
    assert figures["images"] == 6 and figures["classes"] == 3
    assert figures["known"] == pytest.approx(5 / 6)
    assert figures["top_1"] == pytest.approx(3 / 6)
    assert figures["top_5"] == pytest.approx(4 / 6)
    assert figures["class_mean_top_1"] == pytest.approx((0.5 + 1 + 0) / 3)


def test_by_class(predictions: pd.DataFrame) -> None:
    table = by_class(predictions).set_index("label")
    assert table.loc["人", "recall"] == pytest.approx(0.5)
    assert table.loc["人", "precision"] == pytest.approx(2 / 3)
    assert pd.isna(table.loc["大", "precision"])
    assert list(table.index) == ["大", "入", "人"]
    assert list(table["f1"]) == pytest.approx([0, 2 * 1 / (1 + 3), 2 * 2 / (4 + 3)])


def test_pairs(predictions: pd.DataFrame) -> None:
    pairs = confused_pairs(predictions)
    assert list(pairs["label"]) == ["人", "大"]
    assert list(pairs["count"]) == [2, 1]
    assert list(pairs["share"]) == [0.5, 1.0]


def test_no_mistakes_no_pairs(predictions: pd.DataFrame) -> None:
    assert confused_pairs(predictions[predictions["rank"] == 1]).empty


def test_matrix_puts_confused_classes_side_by_side(predictions: pd.DataFrame) -> None:
    matrix = confusion_matrix(predictions)
    assert list(matrix.index) == ["人", "入", "大"] == list(matrix.columns)
    assert matrix.loc["人", "入"] == 2 and matrix.loc["入", "人"] == 0
    assert list(confusion_matrix(predictions, classes=2).index) == ["人", "入"]


def test_a_real_evaluation_is_consistent(trained: Workspace) -> None:
    job = list_jobs(trained, "evaluate")[0]
    table, result = read_predictions(job.folder), job.result()
    dataset = Dataset.find(trained, "ten")
    assert result == {
        **summarise(table),
        "pictures_digest": pictures_digest(dataset.manifest(), dataset.parts("default"), Part.TEST),
        "split_digest": split_digest(Dataset.find(trained, "ten").parts("default")),
        "model_created": Bundle.open(choose_bundle(trained, job.config["model"])).card.created,
    }
    assert len(table) == (Dataset.find(trained, "ten").parts("default") == "test").sum() > 0
    assert ((table["rank"] == 1) == (table["label"] == table["predicted_1"])).all()
    assert (table["probability_1"] >= table["probability_2"]).all()


def test_pictures_under_another_label_or_changed_are_others(workspace: Workspace, tmp_path: Path) -> None:
    """The division is the same where a folder of pictures of another character was given its right name."""

    def digests() -> tuple[str, str]:
        parts = dataset.parts("default")
        return split_digest(parts), pictures_digest(dataset.manifest(), parts, Part.TEST)

    dataset = imported(workspace, write_collection(tmp_path / "set", "人木口", 12))
    before = digests()
    rescan(dataset, silent)
    assert digests() == before
    (tmp_path / "set" / "木").rename(tmp_path / "set" / "本")
    rescan(dataset, silent)
    renamed = digests()
    assert renamed[0] == before[0] and renamed[1] != before[1]
    manifest = dataset.manifest()
    tested = manifest["path"][dataset.parts("default") == Part.TEST.value].iloc[0]
    other = manifest.assign(digest=manifest["digest"].mask(manifest["path"] == tested, "0" * 32))
    assert pictures_digest(other, dataset.parts("default"), Part.TEST) != renamed[1]


class Saturated:
    """Stands in for a network that is so sure that no probability but one is above 0."""

    def __init__(self, first: int) -> None:
        self.bundle = Bundle(BUILT_IN, Card(name="sure", network="compact", created=0), tuple("一二三四五六七八九十"))
        self._first = first

    def predict(self, images: np.ndarray) -> Output:
        probabilities = np.tile(np.eye(10, dtype=np.float32)[self._first], (len(images), 1))
        return Output(probabilities, np.ones(len(images), np.float32), np.ones((len(images), 4), np.float32))


def test_the_place_of_the_true_class_is_the_one_among_the_candidates() -> None:
    rows = pd.DataFrame({"path": list("abcd"), "label": list("一五十木")})
    table = _predict(Saturated(9), np.zeros((4, 8, 8), np.uint8), rows)  # type: ignore[arg-type]
    assert list(table["rank"]) == [2, 6, 1, 0]
    assert ((table["rank"] == 2) == (table["label"] == table["predicted_2"])).all()


def test_the_card_of_a_model_that_was_trained_further_meanwhile_stays(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_collection(tmp_path / "two", "人木", 12)
    import_dataset(workspace, ImportConfig(location=tmp_path / "two", name="two"), silent)
    run = learned(workspace, split_digest(Dataset.find(workspace, "two").parts("default")), dataset="two")
    folder = bundle_folder(run)
    shutil.copytree(BUILT_IN, folder)
    config = EvaluationConfig(model=run.id, dataset="two")
    assert evaluate_model(workspace, config) == 0
    first = Bundle.open(folder).card
    assert first.metrics["test_top_1"] > 0.9

    def train_on_and_predict(*arguments: Any) -> dict[str, Any]:
        write_card(folder, first.model_copy(update={"created": first.created + 9, "temperature": 2.0, "metrics": {}}))
        return evaluate(*arguments)

    monkeypatch.setattr(cli, "predict_part", train_on_and_predict)
    assert evaluate_model(workspace, config) == 0
    later = Bundle.open(folder).card
    assert (later.created, later.temperature, later.metrics) == (first.created + 9, 2.0, {})


def test_the_figures_stay_where_the_card_cannot_be_written(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The refusal is simulated: whoever runs the tests may be the administrator, whom no system refuses."""
    write_collection(tmp_path / "two", "人木", 12)
    import_dataset(workspace, ImportConfig(location=tmp_path / "two", name="two"), silent)
    run = learned(workspace, split_digest(Dataset.find(workspace, "two").parts("default")), dataset="two")
    shutil.copytree(BUILT_IN, bundle_folder(run))

    def refuse(folder: Path, _card: Card) -> None:
        with writing(folder / CARD):
            raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(cli, "write_card", refuse)
    assert evaluate_model(workspace, EvaluationConfig(model=run.id, dataset="two")) == 0
    told = capsys.readouterr()
    assert "top-1" in told.out and "card.json cannot be written" in told.err
    (job,) = list_jobs(workspace, "evaluate")
    assert (job.result() or {})["top_1"] > 0.9 and len(read_predictions(job.folder))


def test_that_a_dataset_is_of_the_simulated_hand_is_told(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {f"{label}/{n}.png": encode_synthetic(drawn(label, n)) for label in "人木" for n in range(12)}
    imported(workspace, write_files(tmp_path / "ours", files), name="ours")
    assert evaluate_model(workspace, EvaluationConfig(model="builtin", dataset="ours")) == 0
    assert "tell nothing about real writing" in capsys.readouterr().err


def test_missing_predictions_are_told(workspace: Workspace) -> None:
    with pytest.raises(DatasetError, match="evaluate again"):
        read_predictions(workspace.root)


@pytest.mark.parametrize("fault", ["half", "other columns", "any byte"])
def test_damaged_predictions_are_told(trained: Workspace, tmp_path: Path, fault: str) -> None:
    sound = list_jobs(trained, "evaluate")[0].folder / PREDICTIONS
    content, table = sound.read_bytes(), tmp_path / PREDICTIONS
    if fault == "half":
        table.write_bytes(content[: len(content) // 2])
    elif fault == "other columns":
        pd.read_parquet(sound).drop(columns="rank").to_parquet(table)
    else:  # of the description at its end, where every byte says something
        for place in range(len(content) - 3000, len(content), 2):
            table.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
            with suppress(DatasetError):
                read_predictions(tmp_path)
        return
    with pytest.raises(DatasetError, match="missing or damaged: evaluate again"):
        read_predictions(tmp_path)


def test_the_largest_are_found_in_the_order_of_a_stable_sort() -> None:
    scores = np.random.default_rng(0).integers(0, 6, 50).astype(np.float32)  # many are equal
    for count in (0, 1, 7, 50, 60):
        assert largest(scores, count).tolist() == np.argsort(-scores, kind="stable")[:count].tolist()


def test_an_evaluation_of_an_earlier_version_is_still_one() -> None:
    earlier = {"run": "train-1", "dataset": "ten", "split": "default", "part": "test"}
    assert EvaluationConfig.model_validate(earlier) == EvaluationConfig(model="train-1", dataset="ten")


def learned(workspace: Workspace, digest: str = "", result: dict[str, str] | None = None, **config: Any) -> Job:
    run = Job.create(workspace, "train", {"split": "default", **config}, "run", ["cpu"])
    run.write_result({"split_digest": digest, **(result or {})})
    return run


def test_what_a_model_learned_from_is_followed_back_to_its_beginnings(workspace: Workspace) -> None:
    first = learned(workspace, "a", dataset="ten")
    begun = {"start": "bundle", "start_bundle": first.id}
    second = learned(workspace, dataset="fixes", rehearsal="more", keep_last=True, **begun)
    expected = [Lesson("fixes", "default", whole=True), Lesson("more", "default"), Lesson("ten", "default", "a")]
    assert lessons_of(workspace, second.id) == expected
    assert own_lesson(expected) is None and own_lesson(expected[2:]) == expected[2]
    gone_over = {"rehearsal_split": "writers", "rehearsal_digest": "b"}
    third = learned(workspace, "c", gone_over, dataset="fixes", rehearsal="ten", **begun)
    assert lessons_of(workspace, third.id)[1] == Lesson("ten", "writers", "b")
    assert lessons_of(workspace, "builtin") == []
    alone = learned(workspace, dataset="fixes", start="random", start_bundle=first.id)
    assert lessons_of(workspace, alone.id) == [Lesson("fixes", "default")]


def test_a_run_whose_result_or_settings_are_damaged_can_be_evaluated_all_the_same(workspace: Workspace) -> None:
    """A digest that is lost is as one that was never kept, by earlier versions."""
    run, lost = learned(workspace, "a", dataset="ten"), Job.create(workspace, "train", {}, "lost")
    (run.folder / "result.json").write_bytes(b"{")
    assert lessons_of(workspace, run.id) == [Lesson("ten", "default")]
    assert lessons_of(workspace, lost.id) == []


def test_figures_of_remembered_pictures_are_told_from_others(workspace: Workspace, tmp_path: Path) -> None:
    make_dataset(workspace, tmp_path / "three")
    dataset = Dataset.find(workspace, "three")
    run = learned(workspace, split_digest(dataset.parts("default")), dataset="three")
    tuned = learned(workspace, dataset="other", start="bundle", start_bundle=run.id)
    whole = learned(workspace, split_digest(dataset.parts("default")), dataset="three", keep_last=True)

    def told(split: str = "default", part: Part = Part.TEST) -> list[bool]:
        models = (run.id, tuned.id, whole.id, "builtin")
        configs = [EvaluationConfig(model=each, dataset="three", split=split, part=part) for each in models]
        return [
            may_remember(lessons_of(workspace, config.model), config, digest_of(workspace, config))
            for config in configs
        ]

    assert told() == [False, False, True, False]
    assert told(part=Part.TRAIN) == [True, True, True, False]
    dataset.split(SplitSettings(name="other", seed=5))
    assert told("other") == [True, True, True, False]
    dataset.split(SplitSettings(seed=6))  # under the name that the runs know
    assert told() == [True, True, True, False]


def test_the_same_pictures_under_another_name_are_remembered_too(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = write_collection(tmp_path / "pictures", "人木口", 12)
    first = imported(workspace, pictures, name="first")
    again = imported(workspace, pictures, name="again")
    digest = split_digest(first.parts("default"))
    run = learned(workspace, digest, dataset="first")
    whole = learned(workspace, digest, dataset="first", keep_last=True)
    gone = learned(workspace, digest, dataset="gone")

    def told(dataset: str = "again") -> list[bool]:
        models = (run.id, whole.id, gone.id, "builtin")
        configs = [EvaluationConfig(model=model, dataset=dataset) for model in models]
        return [learned_elsewhere(workspace, lessons_of(workspace, each.model), each) for each in configs]

    assert told() == [False, True, False, False], "pictures fall into the same parts, whatever their dataset is called"
    again.split(SplitSettings(seed=7))
    assert told() == [True, True, False, False]
    shutil.copytree(BUILT_IN, bundle_folder(run))
    assert evaluate_model(workspace, EvaluationConfig(model=run.id, dataset="again")) == 0
    assert "may have learned from some of these pictures" in capsys.readouterr().err
    imported(workspace, write_collection(tmp_path / "others", "人木口", 12, seed=1), name="others")
    assert told("others") == [False] * 4
