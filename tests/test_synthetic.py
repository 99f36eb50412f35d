"""Pictures of the simulated hand are known as such wherever they lie, and no model is ever judged by them."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from hanzi_core.bundle import BUILT_IN, Bundle
from hanzi_core.dataset import Dataset, Fault, Part, SplitSettings, find_leaks, rescan
from hanzi_core.dataset.manifest import usable
from hanzi_core.dataset.materialise import MaterialiseConfig, materialise
from hanzi_core.dataset.written import are_written, is_written
from hanzi_core.errors import DatasetError
from hanzi_core.evaluation.predictions import EvaluationConfig, evaluate, read_predictions
from hanzi_core.image.decode import decode
from hanzi_core.image.synthetic import encode_synthetic, is_synthetic
from hanzi_core.jobs import Job, Work
from hanzi_core.workspace import Workspace
from tests.collection import drawn, imported, png, silent, write_files, write_gnt, write_zip


def ours(character: str, seed: int) -> bytes:
    return encode_synthetic(drawn(character, 1000 + seed))


def real_and_ours(real: int = 12, synthetic: int = 12) -> dict[str, bytes]:
    files = {f"人/real{n}.png": png(drawn("人", n)) for n in range(real)}
    files |= {f"木/real{n}.png": png(drawn("木", 50 + n)) for n in range(real)}
    return files | {f"人/ours{n}.png": ours("人", n) for n in range(synthetic)}


def beside(dataset: Dataset, files: dict[str, bytes]) -> Dataset:
    write_files(dataset.written, files)
    return rescan(dataset, silent)


def parts_of_ours(dataset: Dataset, split: str = "default") -> set[str]:
    return set(dataset.parts(split)[dataset.manifest()["synthetic"]])


def test_the_note_changes_no_pixel() -> None:
    picture = drawn("人", 3)
    data = encode_synthetic(picture)
    assert is_synthetic(data)
    np.testing.assert_array_equal(decode(data, "a.png"), picture)
    assert not is_synthetic(png(picture))
    assert not is_synthetic(bytes(cv2.imencode(".jpg", picture)[1]))


@pytest.mark.parametrize("packed", [False, True])
def test_they_are_known_in_a_folder_and_in_a_zip(workspace: Workspace, tmp_path: Path, packed: bool) -> None:
    files = real_and_ours()
    place = write_zip(tmp_path / "set.zip", files) if packed else write_files(tmp_path / "set", files)
    manifest = imported(workspace, place).manifest()
    assert manifest["synthetic"].tolist() == ["ours" in path for path in manifest["path"]]


def test_never_in_validation_or_test_of_any_split(workspace: Workspace, tmp_path: Path) -> None:
    dataset = imported(workspace, write_files(tmp_path / "set", real_and_ours(6, 40)))
    for seed in range(5):
        dataset.split(SplitSettings(name=f"s{seed}", seed=seed, validation=0.4, test=0.4))
        assert parts_of_ours(dataset, f"s{seed}") == {"train"}
    dataset.split(SplitSettings(name="writers", writer_pattern=r"(\d)\.png"))
    assert parts_of_ours(dataset, "writers") == {"train"}
    real = ~dataset.manifest()["synthetic"]
    assert set(dataset.parts("writers")[real]) == {"train", "validation", "test"}


def test_nor_where_their_folders_say_so(workspace: Workspace, tmp_path: Path) -> None:
    files = {f"{part}/人/real{n}.png": png(drawn("人", n)) for n, part in enumerate(["train", "val", "test"] * 3)}
    files |= {f"{part}/人/ours.png": ours("人", n) for n, part in enumerate(["train", "val", "test"])}
    dataset = imported(workspace, write_files(tmp_path / "set", files))
    assert parts_of_ours(dataset) == {"train"}
    assert set(dataset.parts("default")) == {"train", "validation", "test"}


def test_real_pictures_are_divided_as_they_were_without_them(workspace: Workspace, tmp_path: Path) -> None:
    dataset = imported(workspace, write_files(tmp_path / "set", real_and_ours(20, 0)))
    before = pd.Series(dataset.parts("default").to_numpy(), dataset.manifest()["path"])
    beside(dataset, {f"人/{n}.png": ours("人", n) for n in range(30)})
    after = pd.Series(dataset.parts("default").to_numpy(), dataset.manifest()["path"])
    assert len(after) == len(before) + 30
    assert after[before.index].equals(before)


def test_many_paths_are_told_apart_at_once() -> None:
    paths = pd.Series([".written/人/a.png", "人/.written/a.png", "written/人/a.png", "xwritten/人/a.png", ""])
    assert are_written(paths).tolist() == paths.map(is_written).tolist() == [True, False, False, False, False]


def test_a_copy_of_a_picture_to_judge_by_is_not_trained_on(workspace: Workspace, tmp_path: Path) -> None:
    dataset = imported(workspace, write_files(tmp_path / "set", real_and_ours(12, 0)))
    manifest = dataset.manifest()
    held_out = manifest.loc[dataset.parts("default") == "test", "path"].tolist()
    copies = {f"人/copy{n}.png": encode_synthetic(decode(dataset.source().read(p), p)) for n, p in enumerate(held_out)}
    beside(dataset, {**copies, "人/other.png": ours("人", 7)})
    manifest, parts = dataset.manifest(), dataset.parts("default")
    assert dict(zip(manifest["path"], parts, strict=True))[".written/人/other.png"] == "train"
    assert set(parts[manifest["path"].str.contains("copy")]) == {""}
    assert find_leaks(manifest, parts, SplitSettings()).empty


def test_exclusions_come_and_go_and_the_rest_of_the_split_stays(workspace: Workspace, tmp_path: Path) -> None:
    dataset = imported(workspace, write_files(tmp_path / "set", real_and_ours()))
    before = dataset.parts("default")
    out = [path for path in dataset.manifest()["path"] if path.startswith("人/ours")][:3]
    dataset.exclude(set(), out)
    dataset.exclude(set(), [])
    assert dataset.parts("default").equals(before)
    dataset.exclude({Fault.EXTREME_SIZE}, [])
    assert parts_of_ours(dataset) == {"train"}


def test_with_every_real_picture_excluded_there_is_nothing_to_judge_by(workspace: Workspace, tmp_path: Path) -> None:
    dataset = imported(workspace, write_files(tmp_path / "set", real_and_ours()))
    manifest = dataset.manifest()
    dataset.exclude(set(), manifest.loc[~manifest["synthetic"], "path"])
    dataset.split(SplitSettings())
    assert set(dataset.parts("default")[usable(dataset.manifest())]) == {"train"}


def test_a_dataset_of_nothing_else_is_divided_until_a_real_one_comes(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "set", {f"人/{n}.png": ours("人", n) for n in range(20)})
    dataset = imported(workspace, folder)
    assert parts_of_ours(dataset) == {"train", "validation", "test"}
    write_files(folder, {f"人/real{n}.png": png(drawn("人", n)) for n in range(5)})
    rescan(dataset, silent)
    assert parts_of_ours(dataset) == {"train"}


def test_a_gnt_file_gets_them_beside_it(workspace: Workspace, tmp_path: Path) -> None:
    source = write_gnt(tmp_path / "a.gnt", "人" * 10 + "木" * 10)
    before = source.read_bytes()
    dataset = beside(imported(workspace, source), {"人/0.png": ours("人", 0)})
    manifest = dataset.manifest()
    assert manifest.loc[manifest["synthetic"], "path"].tolist() == [".written/人/0.png"]
    data = dataset.source().read(".written/人/0.png")
    assert dataset.source().decode(data, ".written/人/0.png").shape == (72, 72)
    assert source.read_bytes() == before


@pytest.mark.parametrize("left", [{}, {"README/a.txt": b"x"}])
def test_a_source_that_is_empty_leaves_the_manifest_as_it_was(
    workspace: Workspace, tmp_path: Path, left: dict[str, bytes]
) -> None:
    """As where the disk is not mounted: those beside it alone would become pictures to judge by."""
    dataset = beside(
        imported(workspace, write_files(tmp_path / "set", real_and_ours(3, 0))), {"人/0.png": ours("人", 0)}
    )
    dataset.exclude(set(), ["人/real1.png"])
    before = dataset.manifest()
    shutil.rmtree(tmp_path / "set")
    (tmp_path / "set").mkdir()
    write_files(tmp_path / "set", left)
    with pytest.raises(DatasetError, match=r"holds no (files|picture)"):
        rescan(dataset, silent)
    pd.testing.assert_frame_equal(dataset.manifest(), before)


def test_they_go_with_the_dataset_and_the_source_stays(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "set", real_and_ours(3, 0))
    dataset = beside(imported(workspace, folder), {"人/0.png": ours("人", 0)})
    shutil.rmtree(dataset.written)
    rescan(dataset, silent)
    assert not dataset.manifest()["synthetic"].any()
    dataset.delete()
    assert len(list(folder.rglob("*.png"))) == 6


@pytest.mark.parametrize("gnt", [False, True])
def test_written_out_and_brought_in_again_they_are_still_known(workspace: Workspace, tmp_path: Path, gnt: bool) -> None:
    place = write_gnt(tmp_path / "a.gnt", "人" * 10) if gnt else write_files(tmp_path / "set", real_and_ours(10, 0))
    dataset = beside(imported(workspace, place), {f"人/{n}.png": ours("人", n) for n in range(4)})
    materialise(dataset, MaterialiseConfig(dataset="set", target=tmp_path / "out", augmented=1), silent)
    again = imported(workspace, tmp_path / "out", "again")
    assert int(again.manifest()["synthetic"].sum()) == 4 + 4
    assert parts_of_ours(again) == {"train"}


def test_an_evaluation_counts_real_pictures_alone(workspace: Workspace, tmp_path: Path) -> None:
    dataset = imported(workspace, write_files(tmp_path / "set", real_and_ours()))
    config = EvaluationConfig(model="", dataset="set", part=Part.TRAIN)
    job = Job.create(workspace, "evaluate", config.model_dump(mode="json"), "set")
    figures = evaluate(Work(job), workspace, Bundle.open(BUILT_IN), config)
    paths = read_predictions(job.folder)["path"]
    assert not paths.str.contains("ours").any()
    assert figures["images"] == len(paths) == (dataset.parts("default") == "train").sum() - 12
