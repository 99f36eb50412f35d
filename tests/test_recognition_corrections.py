import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hanzi_core.bundle import BUILT_IN, Bundle, Card
from hanzi_core.dataset import Dataset, Part, list_datasets
from hanzi_core.dataset.store import CORRECTIONS
from hanzi_core.errors import DatasetError, WorkspaceError
from hanzi_core.recognition import Candidate
from hanzi_core.recognition.corrections import Corrections, _check_label
from hanzi_core.recognition.ink import Stroke
from hanzi_core.workspace import Workspace
from tests.collection import drawn, imported, png, write_zip
from tests.handwriting import draw

CARD = Card(name="a model", network="compact", created=1.0)


def add(corrections: Corrections, label: str, seed: int = 0) -> str:
    picture = draw("木", np.random.default_rng(seed))
    strokes = [Stroke(np.array([[1.25, 2], [3, 4]], np.float32), 14.0)]
    return corrections.add(picture, label, [Candidate("人", 0.9), Candidate("大", 0.1)], CARD, strokes).id


def test_corrections_are_a_dataset_that_can_be_trained_on(workspace: Workspace) -> None:
    corrections = Corrections(workspace)
    for seed in range(4):
        add(corrections, "木" if seed % 2 else "未", seed)
    assert [dataset.name for dataset in list_datasets(workspace)] == [CORRECTIONS]
    dataset = Dataset.find(workspace, CORRECTIONS)
    assert sorted(dataset.manifest()["label"]) == ["木", "木", "未", "未"]
    assert (dataset.parts("default") == Part.TRAIN.value).sum() == 2
    assert dataset.source().read(dataset.manifest()["path"][0])


def test_all_that_was_known_is_kept_the_newest_first(workspace: Workspace) -> None:
    corrections = Corrections(workspace)
    add(corrections, "木")
    newest = add(corrections, "未", 1)
    kept = corrections.all()
    assert kept[0].id == newest
    assert (kept[0].label, kept[0].recognised, kept[0].model) == ("未", "人", "a model")
    assert kept[0].candidates == [("人", 0.9), ("大", 0.1)]
    assert kept[0].strokes == [{"points": [[1.2, 2.0], [3.0, 4.0]], "width_px": 14.0}]


def test_deleting_the_last_one_leaves_nothing(workspace: Workspace) -> None:
    corrections = Corrections(workspace)
    first, second = add(corrections, "木"), add(corrections, "未", 1)
    corrections.delete([first])
    assert list(Dataset.find(workspace, CORRECTIONS).manifest()["label"]) == ["未"]
    corrections.delete([second])
    assert corrections.all() == [] and list_datasets(workspace) == []


def test_an_export_holds_pictures_and_records(workspace: Workspace) -> None:
    corrections = Corrections(workspace)
    kept = add(corrections, "木")
    with zipfile.ZipFile(io.BytesIO(corrections.export())) as archive:
        assert set(archive.namelist()) == {f"木/{kept}.png", "corrections.json"}
        assert json.loads(archive.read("corrections.json"))[0]["label"] == "木"


@pytest.mark.parametrize("label", ["", "../up", "a/b", "a\\b", "a\0b", "..", ".hidden", "con"])
def test_a_label_that_cannot_be_a_folder_is_refused(workspace: Workspace, label: str) -> None:
    with pytest.raises(WorkspaceError):
        add(Corrections(workspace), label)
    assert Corrections(workspace).all() == []


@pytest.mark.parametrize("label", ["test", "Train", "val", "__MACOSX", "Thumbs.db", "U+0000"])
def test_a_label_whose_folder_a_scan_takes_for_something_else_is_refused(workspace: Workspace, label: str) -> None:
    with pytest.raises(WorkspaceError, match="cannot be a label"):
        add(Corrections(workspace), label)
    assert not Corrections(workspace).folder.exists()


@pytest.mark.parametrize(
    "label", [*"⺀⺈⺊⺌⺍⺗⺮⺳⺼，。「？…👍*/.:", "——", "1", "人-1", "e\u0301", " 人 ", "U+4EBA", "U+002F", "0x4eba"]
)
def test_any_other_class_is_kept_and_read_as_what_it_was_kept_as(workspace: Workspace, label: str) -> None:
    corrections = Corrections(workspace)
    kept = add(corrections, label)
    manifest = Dataset.find(workspace, CORRECTIONS).manifest()
    assert manifest["label"].tolist() == [corrections.all()[0].label] and manifest["fault"].tolist() == [""]
    assert corrections.picture_path(corrections.all()[0]).parent.parent == corrections.folder / "pictures"
    with zipfile.ZipFile(io.BytesIO(corrections.export())) as archive:
        assert manifest["path"][0] in archive.namelist()
    corrections.delete([kept])
    assert not corrections.folder.exists()


def test_a_code_is_kept_as_its_character(workspace: Workspace) -> None:
    add(Corrections(workspace), "U+4EBA")
    assert [each.label for each in Corrections(workspace).all()] == ["人"]


def test_every_class_of_the_built_in_model_can_be_a_correction(workspace: Workspace) -> None:
    labels = Bundle.open(BUILT_IN).labels
    assert [_check_label(label) for label in labels] == list(labels)


def test_what_could_not_be_kept_leaves_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise WorkspaceError("No space is left.")

    corrections = Corrections(workspace)
    first = add(corrections, "木")
    monkeypatch.setattr("hanzi_core.recognition.corrections.rescan", refuse)
    with pytest.raises(WorkspaceError):
        add(corrections, "未", 1)
    assert [each.id for each in corrections.all()] == [first]
    assert [path.name for path in (corrections.folder / "pictures").iterdir()] == ["木"]


def test_a_disk_that_does_not_let_one_delete_is_told(workspace: Workspace) -> None:
    corrections = Corrections(workspace)
    kept = add(corrections, "木")
    place = corrections.picture_path(corrections.all()[0])
    place.unlink()
    place.mkdir()
    with pytest.raises(WorkspaceError):
        corrections.delete([kept])


def test_deleting_the_last_leaves_a_picture_whose_record_is_damaged(workspace: Workspace) -> None:
    corrections = Corrections(workspace)
    first, second = add(corrections, "木"), add(corrections, "未", 1)
    (corrections.folder / "records" / f"{first}.json").write_text("{")
    corrections.delete([second])
    assert list(Dataset.find(workspace, CORRECTIONS).manifest()["label"]) == ["木"]


def test_a_picture_that_is_damaged_or_gone_is_none(workspace: Workspace) -> None:
    corrections = Corrections(workspace)
    gone, damaged, sound = (add(corrections, "木", seed) for seed in range(3))
    by_id = {each.id: each for each in corrections.all()}
    corrections.picture_path(by_id[gone]).unlink()
    corrections.picture_path(by_id[damaged]).write_bytes(b"rubbish")
    assert corrections.picture(by_id[gone]) is None
    assert corrections.picture(by_id[damaged]) is None
    assert np.array_equal(corrections.picture(by_id[sound]), draw("木", np.random.default_rng(2)))
    with zipfile.ZipFile(io.BytesIO(corrections.export())) as archive:
        assert f"木/{gone}.png" not in archive.namelist()
        assert len(json.loads(archive.read("corrections.json"))) == 2


def test_a_dataset_that_was_imported_under_the_name_is_left_as_it_is(workspace: Workspace, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {f"人/{seed}.png": png(drawn("人", seed)) for seed in range(3)})
    imported(workspace, archive, take=True).folder.rename(workspace.datasets / CORRECTIONS)  # before it was reserved
    corrections = Corrections(workspace)
    with pytest.raises(DatasetError, match="was imported and takes no corrections"):
        add(corrections, "木")
    assert corrections.all() == []
    corrections.delete(["20260101-000000-000000000"])
    assert len(Dataset.find(workspace, CORRECTIONS).source().read("人/0.png"))


@pytest.mark.parametrize("name", ["dataset.json", "manifest.parquet"])
@pytest.mark.parametrize("content", [b"", b"{", None])
def test_corrections_whose_dataset_is_damaged_are_gone_on_with(
    workspace: Workspace, name: str, content: bytes | None
) -> None:
    """The pictures are all there: to be told to import it again, and to lose them by that, was no help."""
    corrections = Corrections(workspace)
    add(corrections, "木")
    (corrections.folder / name).unlink()
    if content is not None:
        (corrections.folder / name).write_bytes(content)
    add(corrections, "未", 1)
    assert sorted(Dataset.find(workspace, CORRECTIONS).manifest()["label"]) == ["木", "未"]
    assert len(corrections.all()) == 2


def test_a_damaged_dataset_that_was_imported_under_the_name_is_left_as_it_is(
    workspace: Workspace, tmp_path: Path
) -> None:
    archive = write_zip(tmp_path / "a.zip", {f"人/{seed}.png": png(drawn("人", seed)) for seed in range(3)})
    imported(workspace, archive, take=True).folder.rename(workspace.datasets / CORRECTIONS)
    description = workspace.datasets / CORRECTIONS / "dataset.json"
    description.write_bytes(b"{")
    corrections = Corrections(workspace)
    with pytest.raises(DatasetError, match="was imported and takes no corrections"):
        add(corrections, "木")
    with pytest.raises(DatasetError, match="is damaged"):
        corrections.delete(["20260101-000000-000000000"])
    assert description.read_bytes() == b"{"


def test_records_that_are_damaged_are_named(workspace: Workspace) -> None:
    corrections = Corrections(workspace)
    first, second = add(corrections, "木"), add(corrections, "未", 1)
    assert corrections.damaged() == []
    (corrections.folder / "records" / f"{first}.json").write_text("{")
    assert corrections.damaged() == [f"{first}.json"]
    assert [each.id for each in corrections.all()] == [second]
