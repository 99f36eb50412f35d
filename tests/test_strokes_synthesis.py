import errno
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from hanzi_core.dataset import Dataset
from hanzi_core.errors import WorkspaceError
from hanzi_core.image.decode import decode
from hanzi_core.image.normalise import is_blank, normalise
from hanzi_core.strokes import synthesis
from hanzi_core.strokes.style import StyleError
from hanzi_core.strokes.synthesis import SynthesisConfig, SynthesisError, characters_named, synthesise
from hanzi_core.workspace import Workspace
from tests.conftest import Command


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def test_a_folder_a_character(tmp_path: Path) -> None:
    steps = []
    config = SynthesisConfig(characters="永 我永", per_class=18)
    result = synthesise(config, tmp_path / "set", lambda *step: steps.append(step))
    assert (result.characters, result.images, result.skipped) == (2, 36, "")
    written = files(tmp_path / "set")
    assert len(written) == 36
    assert {name.split("/")[0] for name in written} == {"永", "我"}
    assert not any(is_blank(normalise(decode(data))) for data in written.values())
    assert steps == [(18, 36), (36, 36)]
    assert json.loads((tmp_path / "set" / ".synthesis.json").read_text("utf-8"))["synthetic"] is True


def test_what_is_missing_is_written_and_nothing_else(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    synthesise(SynthesisConfig(characters="永我", per_class=20), whole)
    synthesise(SynthesisConfig(characters="永", per_class=5), broken)
    (broken / "永" / "synthetic-00003.png").unlink()
    kept = broken / "永" / "synthetic-00001.png"
    before = kept.stat().st_mtime_ns
    synthesise(SynthesisConfig(characters="永我", per_class=20), broken)
    assert files(broken) == files(whole)
    assert kept.stat().st_mtime_ns == before


def test_another_seed_writes_others(tmp_path: Path) -> None:
    for seed in (0, 1):
        synthesise(SynthesisConfig(characters="永", per_class=2, seed=seed), tmp_path / str(seed))
    assert files(tmp_path / "0") != files(tmp_path / "1")


def test_only_for_training(tmp_path: Path) -> None:
    synthesise(SynthesisConfig(characters="永", per_class=1, training_only=True), tmp_path)
    assert list(files(tmp_path)) == ["train/永/synthetic-00000.png"]


def test_unknown_characters_stop_it_or_are_left_out(tmp_path: Path) -> None:
    with pytest.raises(SynthesisError, match="あ"):
        synthesise(SynthesisConfig(characters="永あ", per_class=1), tmp_path / "a")
    assert not (tmp_path / "a").exists()
    result = synthesise(SynthesisConfig(characters="永あ", per_class=1, unknown="skip"), tmp_path / "b")
    assert (result.characters, result.skipped) == (1, "あ")
    with pytest.raises(SynthesisError):
        synthesise(SynthesisConfig(characters="あ", per_class=1, unknown="skip"), tmp_path / "c")


def test_a_style_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="wild"):
        synthesise(SynthesisConfig(characters="永", style="wild"), tmp_path)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's answer is put in the place of a full disk, which a test cannot have."""
    real, calls = synthesis.replace_file, []

    def full(path: Path, content: bytes) -> None:
        calls.append(path)
        if len(calls) > 3:
            raise WorkspaceError("No space is left on the disk of {place}", place=path) from OSError(errno.ENOSPC, "")
        real(path, content)

    monkeypatch.setattr(synthesis, "replace_file", full)
    with pytest.raises(WorkspaceError, match="No space"):
        synthesise(SynthesisConfig(characters="永", per_class=9), tmp_path)
    assert len(files(tmp_path)) == 3
    assert all(cv2.imdecode(np.frombuffer(data, np.uint8), 0) is not None for data in files(tmp_path).values())


def test_named_sets() -> None:
    assert len(characters_named("gb2312-1")) == 3755
    assert len(characters_named("gb2312-2")) == 3008
    assert len(characters_named("library")) == 9574


def test_the_command(command: Command, tmp_path: Path) -> None:
    done = command("synthesise", str(tmp_path / "set"), "--characters", "永我", "--per-class", "2", "--style", "neat")
    assert done.returncode == 0, done.stderr
    assert "4 pictures of 2 characters" in done.stdout
    for arguments, told in (
        (["--characters", "あ"], "あ"),
        (["--characters", "永", "--per-class", "0"], "per_class"),
        (["--characters", "永", "--style", "wild"], "wild"),
    ):
        refused = command("synthesise", str(tmp_path / "other"), *arguments)
        assert refused.returncode == 2
        assert told in refused.stderr


def test_a_dataset_of_its_own(command: Command, workspace: Workspace) -> None:
    arguments = ("synthesise", "--name", "starter", "--characters", "永我", "--per-class", "6")
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    manifest = Dataset.find(workspace, "starter").manifest(["label"])
    assert manifest["label"].value_counts().to_dict() == {"永": 6, "我": 6}
    again = command(*arguments)
    assert again.returncode == 2
    assert "starter" in again.stderr


def test_neither_folder_nor_name(command: Command) -> None:
    done = command("synthesise", "--characters", "永")
    assert done.returncode == 2
    assert "folder" in done.stderr
