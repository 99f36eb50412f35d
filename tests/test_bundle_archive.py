import errno
import io
import json
import os
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hanzi_core.bundle import (
    BUILT_IN,
    BUILT_IN_KEY,
    CARD,
    LABELS,
    MODEL,
    WEIGHTS,
    Bundle,
    Card,
    Model,
    Output,
    bundle_folder,
    find_bundles,
    write_description,
)
from hanzi_core.bundle_archive import _unpack, archive_bundle, archive_name, bring_in_bundle, delete_bundle
from hanzi_core.errors import BundleError, WorkspaceError
from hanzi_core.jobs import Job, State
from hanzi_core.language import Sentence
from hanzi_core.workspace import LEAVING, Workspace, new_folder
from tests.collection import full_disk
from tests.conftest import Command


@pytest.fixture
def archive(finished_run: Job, tmp_path: Path) -> Path:
    path = tmp_path / "brush.zip"
    path.write_bytes(archive_bundle(bundle_folder(finished_run)))
    return path


def changed(archive: Path, name: str, content: bytes | None) -> Path:
    """``archive`` with one file replaced, or left out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        if content is not None:
            new.writestr(name, content)
    archive.write_bytes(buffer.getvalue())
    return archive


def test_a_model_travels(archive: Path, finished_run: Job, workspace: Workspace) -> None:
    brought = bring_in_bundle(workspace, archive, "毛笔")
    assert find_bundles(workspace)["毛笔"] == brought.folder
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64), np.uint8)
    here = brought.load().predict(images).probabilities
    there = Bundle.open(bundle_folder(finished_run)).load().predict(images).probabilities
    np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize("name", [CARD, LABELS, MODEL])
def test_a_file_that_is_missing_or_rubbish(archive: Path, workspace: Workspace, name: str) -> None:
    for content in (None, b"rubbish"):
        with pytest.raises(BundleError, match=r"brush\.zip"):
            bring_in_bundle(workspace, changed(archive, name, content), "x")
    assert list(workspace.models.iterdir()) == []


@pytest.mark.parametrize("name", [LABELS, MODEL, WEIGHTS])
def test_a_file_of_another_model_is_refused(
    archive: Path, workspace: Workspace, finished_run: Job, tmp_path: Path, name: str
) -> None:
    with zipfile.ZipFile(archive) as opened:
        content = opened.read(name)
    other = json.dumps(json.loads(content)[::-1]).encode() if name == LABELS else content[:-1] + b"\1"
    with pytest.raises(BundleError, match=rf"brush\.zip/{name} is damaged, or of another model"):
        bring_in_bundle(workspace, changed(archive, name, other), "x")
    assert list(workspace.models.iterdir()) == []


def test_nothing_is_written_outside(archive: Path, workspace: Workspace) -> None:
    bring_in_bundle(workspace, changed(archive, "../../evil.txt", b"x"), "x")
    assert not list(workspace.root.parent.rglob("evil.txt"))
    assert "evil.txt" not in [path.name for path in (workspace.models / "x").iterdir()]


def test_no_zip_at_all(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(BundleError, match="damaged or no zip"):
        bring_in_bundle(workspace, tmp_path / "a.zip", "x")


def test_names(archive: Path, workspace: Workspace) -> None:
    bring_in_bundle(workspace, archive, "x")
    for taken in ("x", "builtin"):
        with pytest.raises(BundleError, match="already"):
            bring_in_bundle(workspace, archive, taken)
    with pytest.raises(WorkspaceError):
        bring_in_bundle(workspace, archive, "../x")


def make_bundle(folder: Path) -> Path:
    """A folder that a list of models takes for a bundle."""
    folder.mkdir(parents=True)
    write_description(folder, Card(name="a model", network="compact", created=1.0), ("人",))
    return folder


def built_in_zip(folder: Path) -> Path:
    """The built-in model without its weights, as a zip."""
    with zipfile.ZipFile(folder / "builtin.zip", "w") as archive:
        for name in (CARD, LABELS, MODEL):
            archive.write(BUILT_IN / name, name)
    return folder / "builtin.zip"


def test_no_model_hides_another(workspace: Workspace, tmp_path: Path) -> None:
    run = Job.create(workspace, "train", {}, "a run", ())
    make_bundle(bundle_folder(run))
    make_bundle(workspace.models / "Brush")
    for taken in ("builtin ", "BuiltIn", run.id, "brush"):
        with pytest.raises(BundleError, match="already a model"):
            bring_in_bundle(workspace, tmp_path / "a.zip", taken)
    make_bundle(workspace.models / run.id)  # before that was refused
    assert find_bundles(workspace)[run.id] == bundle_folder(run)


def test_what_is_being_unpacked_is_no_model_and_goes_with_its_process(workspace: Workspace, tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    with new_folder(workspace.models, ".incoming") as alive:
        make_bundle(alive.with_name(alive.name.replace(f"-{os.getpid()}-", f"-{killed.pid}-")))
        assert list(find_bundles(workspace)) == [BUILT_IN_KEY]
        (tmp_path / "a.zip").write_bytes(b"no zip")
        with pytest.raises(BundleError):
            bring_in_bundle(workspace, tmp_path / "a.zip", "x")
        assert list(workspace.models.iterdir()) == [alive]


def test_a_network_that_loads_and_cannot_answer_is_refused(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is at hand that breaks in the middle, so a runtime that does stands in for it."""
    archive = built_in_zip(tmp_path)

    def breaks(_model: Model, _images: np.ndarray) -> Output:
        raise RuntimeError("Node number 7 (RESHAPE) failed to prepare.")

    def answers_once(_model: Model, _images: np.ndarray) -> Output:
        return Output(np.ones((1, 9574), np.float32), np.ones(1, np.float32), np.ones((1, 4), np.float32))

    for answer in (breaks, answers_once):
        monkeypatch.setattr(Model, "predict", answer)
        with pytest.raises(BundleError, match="cannot answer to a picture"):
            bring_in_bundle(workspace, archive, "x")
    monkeypatch.undo()
    assert bring_in_bundle(Workspace.open(workspace.root), archive, "x").name == "Built-in"


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_stream_is_told(workspace: Workspace, tmp_path: Path, kind: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", kind) as archive:
        archive.writestr(CARD, np.random.default_rng(0).bytes(5000).hex())
    content = bytearray((tmp_path / "a.zip").read_bytes())
    begin = 30 + len(CARD)  # behind its header
    content[begin : begin + 2000] = bytes([255]) * 2000
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(BundleError, match=r"a\.zip is damaged or no zip"):
        bring_in_bundle(workspace, tmp_path / "a.zip", "x")
    assert list(workspace.models.iterdir()) == []


def test_what_is_too_large_is_refused_before_it_is_unpacked(workspace: Workspace, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CARD, bytes(2**20 + 1))
    with full_disk(2**10), pytest.raises(BundleError, match="too large"):
        bring_in_bundle(workspace, tmp_path / "a.zip", "x")


def test_a_file_that_is_larger_than_its_entry_says_is_damaged(workspace: Workspace, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CARD, bytes(5 * 2**20))
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace((5 * 2**20).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    with full_disk(2**10), pytest.raises(BundleError, match="damaged or no zip"):
        bring_in_bundle(workspace, tmp_path / "a.zip", "x")


def test_a_model_is_unpacked_in_pieces(workspace: Workspace, tmp_path: Path) -> None:
    archive = built_in_zip(tmp_path)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(WEIGHTS, np.random.default_rng(0).bytes(40 * 2**20), zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    _unpack(archive, tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    tracemalloc.stop()


def test_what_must_not_be_read_is_no_model(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    private, own = make_bundle(workspace.models / "private"), make_bundle(workspace.models / "own")
    look = Path.is_file

    def refuse(path: Path) -> bool:  # root, as which tests may run, is refused nothing: the system's answer stands in
        if path.is_relative_to(private):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return look(path)

    monkeypatch.setattr(Path, "is_file", refuse)
    assert find_bundles(workspace) == {BUILT_IN_KEY: BUILT_IN, "own": own}


def test_what_was_brought_in_can_go_again_and_nothing_else(workspace: Workspace, tmp_path: Path) -> None:
    bring_in_bundle(workspace, built_in_zip(tmp_path), "brush")
    run = Job.create(workspace, "train", {}, "a run", ())
    make_bundle(bundle_folder(run))
    for key in (BUILT_IN_KEY, run.id):
        with pytest.raises(BundleError, match="was not brought in"):
            delete_bundle(workspace, key)
    delete_bundle(workspace, "brush")
    assert list(find_bundles(workspace)) == [BUILT_IN_KEY, run.id]
    assert not list(workspace.models.iterdir()), "nor does half of it stay"
    make_bundle(workspace.models / f"{LEAVING}1")  # the process that deleted it was killed
    assert list(find_bundles(workspace)) == [BUILT_IN_KEY, run.id]
    bring_in_bundle(workspace, tmp_path / "builtin.zip", "again")
    assert [path.name for path in workspace.models.iterdir()] == ["again"]
    with pytest.raises(BundleError, match="There is no model “brush”"):
        delete_bundle(workspace, "brush")


def test_a_model_that_an_unfinished_run_starts_from_stays(workspace: Workspace, tmp_path: Path) -> None:
    bring_in_bundle(workspace, built_in_zip(tmp_path), "brush")
    job = Job.create(workspace, "train", {"start_bundle": "brush"}, "more brush", ["cpu"])
    job.request_stop()
    with pytest.raises(BundleError, match="“more brush” starts from “brush” and is not finished"):
        delete_bundle(workspace, "brush")
    job.write_status(job.stored_status().to(State.FINISHED, Sentence("Finished.")))
    delete_bundle(workspace, "brush")
    assert "brush" not in find_bundles(workspace)


def test_a_file_named_after_a_run_is_called_as_its_card_says(workspace: Workspace, tmp_path: Path) -> None:
    """By its own name it would lie hidden behind the run, once that is back from the trash."""
    assert (
        bring_in_bundle(workspace, built_in_zip(tmp_path), "train-20260102-030405-0a1b2c3d").folder.name == "Built-in"
    )


@pytest.mark.parametrize(
    ("key", "name", "file"),
    [
        ("train-20260102-030405-0a1b2c3d", "毛笔 compact", "毛笔 compact.zip"),
        ("train-20260102-030405-0a1b2c3d", "a/b: c", "train-20260102-030405-0a1b2c3d.zip"),
        ("brush", "毛笔 compact", "brush.zip"),
    ],
)
def test_the_file_of_a_run_s_model_is_called_as_the_model(key: str, name: str, file: str) -> None:
    assert archive_name(key, Card(name=name, network="compact", created=0)) == file


@pytest.mark.parametrize("text", ["\x1b[31m", "a\nb", "\u202eabc"])
@pytest.mark.parametrize("place", ["name", "label"])
def test_texts_that_steer_a_terminal_are_refused(archive: Path, workspace: Workspace, place: str, text: str) -> None:
    with zipfile.ZipFile(archive) as opened:
        card, labels = json.loads(opened.read(CARD)), json.loads(opened.read(LABELS))
    if place == "name":
        changed(archive, CARD, json.dumps(card | {"name": text}).encode())
    else:
        changed(archive, CARD, json.dumps(card | {"files": {}}).encode())
        changed(archive, LABELS, json.dumps([text, *labels[1:]]).encode())
    with pytest.raises(BundleError, match="cannot be shown"):
        bring_in_bundle(workspace, archive, "x")


@pytest.mark.parametrize("figure", ["temperature", "least_evidence"])
@pytest.mark.parametrize("value", ["Infinity", "NaN"])
def test_figures_that_are_none_are_damage(archive: Path, workspace: Workspace, figure: str, value: str) -> None:
    with zipfile.ZipFile(archive) as opened:
        card = json.loads(opened.read(CARD))
    changed(archive, CARD, json.dumps(card | {figure: float(value)}).encode())
    with pytest.raises(BundleError, match="card is damaged"):
        bring_in_bundle(workspace, archive, "x")


def test_a_network_that_packs_to_nothing_is_not_unpacked(archive: Path, workspace: Workspace) -> None:
    content = bytes(20 * 2**20)
    with zipfile.ZipFile(changed(archive, MODEL, None), "a", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(MODEL, content)
    with pytest.raises(BundleError, match="too large"):
        bring_in_bundle(workspace, archive, "x")


def test_a_model_that_has_gone_is_no_empty_file(finished_run: Job, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="may have been deleted"):
        archive_bundle(tmp_path / "gone")


def test_files_of_a_system_without_a_clock_are_packed(workspace: Workspace, tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "old")
    (folder / MODEL).touch()
    os.utime(folder / CARD, (0, 0))
    with zipfile.ZipFile(io.BytesIO(archive_bundle(folder))) as opened:
        assert CARD in opened.namelist()


def test_the_command_line_exports_lists_imports_and_deletes(
    command: Command, trained: Workspace, finished_run: Job, tmp_path: Path
) -> None:
    file = str(tmp_path / "taken.zip")
    assert command("--workspace", str(trained.root), "models", "export", finished_run.id, file).returncode == 0
    assert command("models", "import", file).stdout.strip() == "taken"
    assert "taken\t" in command("models", "list").stdout
    again = command("--workspace", str(trained.root), "models", "export", finished_run.id, file)
    assert again.returncode == 2 and "name a new file" in again.stderr
    assert command("models", "delete", "taken").returncode == 0
    assert "taken\t" not in command("models", "list").stdout


def test_a_model_that_lost_its_card_is_listed_and_can_go(workspace: Workspace, tmp_path: Path) -> None:
    """It was in no list, could not be deleted, and its name was taken."""
    bring_in_bundle(workspace, built_in_zip(tmp_path), "brush")
    (workspace.models / "brush" / CARD).unlink()
    (workspace.models / "Thumbs.db").touch()
    assert list(find_bundles(workspace)) == [BUILT_IN_KEY, "brush"]
    delete_bundle(workspace, "brush")
    assert list(find_bundles(workspace)) == [BUILT_IN_KEY]
