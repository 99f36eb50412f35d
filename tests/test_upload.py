import io
import os
from pathlib import Path

import pytest

from hanzi_core.dataset import Dataset, ImportConfig, import_dataset, list_datasets, open_source
from hanzi_core.dataset.upload import drop_upload, kept_uploads, sweep_uploads
from hanzi_core.errors import ArchiveError, DatasetError
from hanzi_core.jobs import Job
from hanzi_core.workspace import Workspace
from tests.collection import drawn, imported, png, silent, write_zip


def left(workspace: Workspace) -> list[str]:
    return [path.name for path in workspace.datasets.rglob("*") if path.is_file()]


def keep(workspace: Workspace, *names: str, content: bytes = b"x") -> list[Path]:
    with kept_uploads(workspace, [(name, io.BytesIO(content)) for name in names]) as paths:
        return paths


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("手写 (1).zip", "手写 (1).zip"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\temp\\a.zip", "a.zip"),
        ("a\0b:c*.zip", "a_b_c_.zip"),
        ("..", "upload"),
        ("\ud800.zip", "_.zip"),
        ("con.zip", "upload.zip"),
        (".zip", "upload"),
        ("长" * 300 + ".zip", "长" * 20 + ".zip"),
    ],
)
def test_a_name_is_kept_as_far_as_a_file_can_have_it(workspace: Workspace, name: str, kept: str) -> None:
    (path,) = keep(workspace, name)
    assert path.name == kept
    assert path.parents[1] == workspace.datasets
    assert path.read_bytes() == b"x"


def test_a_sentence_names_the_file_as_the_user_does_and_nothing_stays(workspace: Workspace) -> None:
    files = [("手写.zip", io.BytesIO(b"no zip")), ("labels.csv", io.BytesIO(b"0,\xe4\xba\xba"))]
    with (
        pytest.raises(ArchiveError, match=r"^手写\.zip is damaged or no zip"),
        kept_uploads(workspace, files) as (location, _),
    ):
        open_source(location)
    assert list(workspace.datasets.iterdir()) == []


def test_an_import_takes_its_uploads_over(workspace: Workspace, tmp_path: Path) -> None:
    content = write_zip(tmp_path / "a.zip", {f"0/{seed}.png": png(drawn("人", seed)) for seed in range(4)}).read_bytes()
    files = [("a.zip", io.BytesIO(content)), ("l.csv", io.BytesIO("0,人\n".encode()))]
    with kept_uploads(workspace, files) as (location, label_list):
        dataset = imported(workspace, location, label_list=label_list, take=True)
    assert set(dataset.manifest()["label"]) == {"人"}
    assert [path.name for path in workspace.datasets.iterdir()] == ["set"]


def test_only_uploads_that_nobody_will_take_over_are_cleared_away(workspace: Workspace) -> None:
    _, (awaited,), (forgotten,) = (keep(workspace, name) for name in ("fresh.zip", "awaited.zip", "forgotten.zip"))
    Job.create(workspace, "import", ImportConfig(location=awaited, name="a").model_dump(mode="json"), "a")
    (workspace.datasets / ".upload-ab12cd.zip").touch()
    for path in (awaited, awaited.parent, forgotten, forgotten.parent, workspace.datasets / ".upload-ab12cd.zip"):
        os.utime(path, (0, 0))
    sweep_uploads(workspace)
    assert sorted(left(workspace)) == ["awaited.zip", "fresh.zip"]


def test_an_upload_that_a_dataset_still_reads_in_place_stays(workspace: Workspace, tmp_path: Path) -> None:
    """Of an import that was killed before it had moved it, and is resumed."""
    content = write_zip(tmp_path / "a.zip", {"人/1.png": png(drawn("人", 1))}).read_bytes()
    (path,) = keep(workspace, "a.zip", content=content)
    imported(workspace, path)
    os.utime(path, (0, 0))
    os.utime(path.parent, (0, 0))
    with pytest.raises(DatasetError, match="already a dataset"):
        import_dataset(workspace, ImportConfig(location=path, name="set", take=True), silent)
    sweep_uploads(workspace)
    assert Dataset.find(workspace, "set").source().read("人/1.png")
    Dataset.find(workspace, "set").delete()
    drop_upload(workspace, path)
    assert list_datasets(workspace) == []
    assert left(workspace) == []
