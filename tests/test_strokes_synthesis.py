"""Datasets by the simulated hand, on real disks: whole, interrupted, full."""

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from hanzi_core.cli import build
from hanzi_core.cli.datasets import check_is_new
from hanzi_core.cli.synthesise import StarterConfig, _place, give_up
from hanzi_core.dataset import Dataset, SplitSettings, find_leaks, rescan
from hanzi_core.dataset.likeness import copy_groups, likeness
from hanzi_core.dataset.statistics import class_counts
from hanzi_core.errors import DatasetError, JobError
from hanzi_core.image.decode import decode
from hanzi_core.image.normalise import is_blank, normalise
from hanzi_core.image.synthetic import encode_synthetic, is_synthetic
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.strokes.character_sets import CharacterSetError, characters_named
from hanzi_core.strokes.style import StyleError, style_named
from hanzi_core.strokes.synthesis import (
    CHUNK,
    WRITING,
    SynthesisConfig,
    SynthesisError,
    remove_written,
    synthesise,
    top_up,
    write_character,
)
from hanzi_core.workspace import Workspace
from tests.collection import drawn, imported, png, silent, write_files
from tests.conftest import PROJECT, Command


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def uneven(workspace: Workspace, folder: Path) -> Dataset:
    """30 pictures of 人, 4 of 木, 1 of 大, and 2 of what the library lacks."""
    counts = {"人": 30, "木": 4, "大": 1}
    pictures = {f"{c}/{n}.png": png(drawn(c, n)) for c, count in counts.items() for n in range(count)}
    pictures |= {f"ab/{n}.png": png(drawn("日", 900 + n)) for n in range(2)}
    return imported(workspace, write_files(folder, pictures), "uneven")


def starter(workspace: Workspace, characters: str) -> Job:
    """A job that waits to write the dataset “starter”, 2 pictures a character."""
    synthesis = SynthesisConfig(characters=characters, per_class=2)
    config = StarterConfig(name="starter", synthesis=synthesis)
    return Job.create(workspace, "synthesise", config.model_dump(mode="json"), "starter")


def perform_here(workspace: Workspace, job: Job) -> int:
    arguments = ["--workspace", str(workspace.root), "synthesise", "--job", job.id]
    return CliRunner().invoke(build(["synthesise"]), arguments).exit_code


def test_a_folder_a_character(tmp_path: Path) -> None:
    steps = []
    config = SynthesisConfig(characters="永 我永", per_class=18)
    result = synthesise(config, tmp_path / "set", lambda *step: steps.append(step))
    assert (result.characters, result.images, result.skipped) == (2, 36, "")
    written = files(tmp_path / "set")
    assert len(written) == 36
    assert {name.split("/")[0] for name in written} == {"永", "我"}
    assert not any(is_blank(normalise(decode(data))) for data in written.values())
    assert all(is_synthetic(data) for data in written.values())
    assert steps == [(WRITING, 16, 36), (WRITING, 18, 36), (WRITING, 34, 36), (WRITING, 36, 36)]


def test_what_is_missing_is_written_and_nothing_else(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    synthesise(SynthesisConfig(characters="永我", per_class=20), whole)
    synthesise(SynthesisConfig(characters="永", per_class=5), broken)
    names = sorted((broken / "永").iterdir())
    names[3].unlink()
    names[4].write_bytes(names[4].read_bytes()[:100])  # as a machine that went down may leave it
    before = names[1].stat().st_mtime_ns
    synthesise(SynthesisConfig(characters="永我", per_class=20), broken)
    assert files(broken) == files(whole)
    assert names[1].stat().st_mtime_ns == before


@pytest.mark.parametrize("other", [{"seed": 1}, {"style": "brush"}, {"adjust": {"slant": 0.3}}])
def test_another_hand_writes_others_beside_it(tmp_path: Path, other: dict[str, object]) -> None:
    for values in ({}, other):
        synthesise(SynthesisConfig(characters="永", per_class=2, **values), tmp_path)
    assert len(set(files(tmp_path).values())) == 4


def test_no_two_hands_have_the_same_writers(tmp_path: Path) -> None:
    """With the slant a little different they wrote near copies."""
    for adjust in ({}, {"slant": 0.1}):
        synthesise(SynthesisConfig(characters="永", per_class=CHUNK, adjust=adjust), tmp_path)
    hashes = pd.Series([likeness(normalise(decode(data))) for data in files(tmp_path).values()])
    assert len(set(copy_groups(pd.Series([""] * len(hashes)), hashes))) == 2 * CHUNK


def test_the_same_hand_in_other_words_writes_nothing_again(tmp_path: Path) -> None:
    everyday = style_named("everyday")
    hands = [{"slant": 0.2, "tilt": 0.1}, {"tilt": 0.1, "slant": 0.2}]
    hands += [{"slant": 0.2, "tilt": 0.1, "warp": everyday.warp, "joins": everyday.joins}]
    for adjust in hands:
        synthesise(SynthesisConfig(characters="永", per_class=2, adjust=adjust), tmp_path)
    assert len(files(tmp_path)) == 2


def test_mixed_takes_all_presets_by_turns(tmp_path: Path) -> None:
    synthesise(SynthesisConfig(characters="永", per_class=40, style="mixed"), tmp_path)
    ink = [float((normalise(decode(data)) > 127).mean()) for data in files(tmp_path).values()]
    assert sum(ink[3::4]) > 1.3 * sum(ink[0::4])  # a brush is wider than a neat pen


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


@pytest.mark.parametrize(
    ("adjust", "told"),
    [
        ({"slant": 3.0}, "slant"),
        ({"joins": (0.6, 0.1)}, "joins"),
        ({"sloppiness": (0.0, 99.0)}, "sloppiness"),
        ({"wildness": 1.0}, "wildness"),
        ({"slant": float("nan")}, "slant"),
    ],
)
def test_a_style_out_of_range(tmp_path: Path, adjust: dict[str, object], told: str) -> None:
    with pytest.raises(StyleError, match=told):
        synthesise(SynthesisConfig(characters="永", adjust=adjust), tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_named_sets() -> None:
    assert len(characters_named("gb2312-1")) == 3755
    assert len(characters_named("gb2312-2")) == 3008
    assert len(characters_named("big5-1")) == 5105
    assert len(characters_named("library")) == 9574
    common = characters_named("common-300")
    assert len(set(common)) == 300
    assert {"的", "一", "是"} <= set(common) <= set(characters_named("gb2312-1"))
    assert characters_named("common-600")[:300] == common
    for text in ("common-0", "common-99999", f"common-{'9' * 5000}", "hsk-9", "GB2312-1"):
        with pytest.raises(CharacterSetError, match=text):
            characters_named(text)


class TestTopUp:
    def test_classes_with_too_few_are_filled_up_beside_the_source(self, workspace: Workspace, tmp_path: Path) -> None:
        dataset = uneven(workspace, tmp_path / "set")
        before = files(tmp_path / "set")
        result = top_up(dataset, SynthesisConfig(per_class=20, unknown="skip"))
        assert (result.characters, result.images, result.skipped) == (2, 16 + 19, "ab")
        assert {path.parent.name for path in dataset.written.rglob("*.png")} == {"木", "大"}
        assert files(tmp_path / "set") == before

    def test_it_copies_nothing_that_the_same_hand_wrote_before(self, workspace: Workspace, tmp_path: Path) -> None:
        config = SynthesisConfig(characters="永", per_class=2, style="mixed")
        synthesise(config, tmp_path / "set")
        more = SynthesisConfig(per_class=4, style="mixed")
        datasets = [imported(workspace, tmp_path / "set", name) for name in ("one", "two")]
        for dataset in datasets:
            assert top_up(dataset, more).images == 2
        folders = [tmp_path / "set", *(dataset.written for dataset in datasets)]
        pictures = [data for folder in folders for data in files(folder).values()]
        assert len(set(pictures)) == len(pictures) == 6

    def test_what_was_written_under_an_earlier_name_counts(self, workspace: Workspace, tmp_path: Path) -> None:
        dataset = uneven(workspace, tmp_path / "set")
        earlier = {f"木/synthetic-everyday-0a1b2c3d-{n:05d}.png": encode_synthetic(drawn("木", 50 + n)) for n in (0, 1)}
        write_files(dataset.written, earlier)
        rescan(dataset, silent)
        result = top_up(dataset, SynthesisConfig(per_class=8, unknown="skip"))
        assert result.images == 2 + 7
        assert earlier.items() <= files(dataset.written).items()

    def test_characters_without_a_usable_picture_and_excluded_ones(self, workspace: Workspace, tmp_path: Path) -> None:
        pictures = {f"人/{n}.png": png(drawn("人", n)) for n in range(3)} | {"木/0.png": b"torn", "ab/0.png": b"torn"}
        (write_files(tmp_path / "set", pictures) / "火").mkdir()
        dataset = imported(workspace, tmp_path / "set")
        for images in (1 + 4 + 4, 2 + 5):
            assert top_up(dataset, SynthesisConfig(per_class=4)).images == images
            rescan(dataset, silent)
            assert class_counts(dataset.manifest()).to_dict() == {"人": 4, "木": 4, "火": 4}
            dataset.exclude(set(), [next(p for p in dataset.manifest()["path"] if f"{c}/syn" in p) for c in "人木"])

    @pytest.mark.parametrize("written", [16, 19])  # in the middle of a class, and between two
    def test_a_dataset_deleted_meanwhile_is_a_sentence_and_stays_deleted(
        self, workspace: Workspace, tmp_path: Path, written: int
    ) -> None:
        dataset = uneven(workspace, tmp_path / "set")

        def delete(phase: str, done: int, _total: int) -> None:
            if (phase, done) == (WRITING, written):
                dataset.delete()

        with pytest.raises(DatasetError, match="“uneven” was deleted while it was in use"):
            top_up(dataset, SynthesisConfig(per_class=20, unknown="skip"), delete)
        assert not dataset.folder.exists()
        for work in (lambda: top_up(dataset, SynthesisConfig()), lambda: remove_written(dataset)):
            with pytest.raises(DatasetError, match="no dataset “uneven”"):
                work()
        assert not dataset.folder.exists()

    def test_a_removal_waits_for_what_is_being_written(self, workspace: Workspace, tmp_path: Path) -> None:
        dataset = uneven(workspace, tmp_path / "set")
        config = SynthesisConfig(per_class=20, unknown="skip")
        with ThreadPoolExecutor() as pool:
            removals = []

            def remove(phase: str, _done: int, _total: int) -> None:
                if phase == WRITING and not removals:
                    removals.append(pool.submit(remove_written, dataset))

            assert top_up(dataset, config, remove).images == 16 + 19
        assert removals[0].result().images == 16 + 19
        assert not dataset.written.exists()

    def test_one_that_was_broken_off_is_not_written_twice(self, workspace: Workspace, tmp_path: Path) -> None:
        dataset = uneven(workspace, tmp_path / "set")

        def stop(phase: str, done: int, _total: int) -> None:
            if (phase, done) == (WRITING, 19):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            top_up(dataset, SynthesisConfig(per_class=20, unknown="skip"), stop)
        assert len(files(dataset.written)) == 19
        assert top_up(dataset, SynthesisConfig(per_class=20, style="brush", unknown="skip")).images == 16
        rescan(dataset, silent)
        assert class_counts(dataset.manifest()).to_dict() == {"人": 30, "大": 20, "木": 20, "ab": 2}

    def test_it_counts_what_is_there_now(self, workspace: Workspace, tmp_path: Path) -> None:
        dataset = uneven(workspace, tmp_path / "set")
        write_files(tmp_path / "set", {f"大/{n}.png": png(drawn("大", n)) for n in range(1, 18)})
        assert top_up(dataset, SynthesisConfig(per_class=20, unknown="skip")).images == 16 + 2
        (tmp_path / "set").rename(tmp_path / "moved")
        with pytest.raises(DatasetError, match="Nothing is at"):
            top_up(dataset, SynthesisConfig(per_class=40, unknown="skip"))
        assert len(files(dataset.written)) == 16 + 2

    def test_a_class_under_another_name_leaves_none_of_the_old_name(self, workspace: Workspace, tmp_path: Path) -> None:
        dataset = uneven(workspace, tmp_path / "set")
        for old, new in (("木", "本"), ("本", "木")):
            top_up(dataset, SynthesisConfig(per_class=20, unknown="skip"))
            (tmp_path / "set" / old).rename(tmp_path / "set" / new)
            rescan(dataset, silent)
            assert set(dataset.manifest()["label"]) == {"人", new, "大", "ab"}
        assert class_counts(dataset.manifest()).to_dict() == {"人": 30, "大": 20, "木": 20, "ab": 2}

    @pytest.mark.parametrize("given", [True, False])
    def test_a_list_of_numbers_still_names_the_folders(self, workspace: Workspace, tmp_path: Path, given: bool) -> None:
        pictures = {f"{k}/{n}.png": png(drawn(c, n)) for k, c in enumerate("人木") for n in range(3)}
        folder, label_list = write_files(tmp_path / "set", pictures), tmp_path / ("" if given else "set") / "labels.txt"
        label_list.write_text("人\n木\n", "utf-8")
        dataset = imported(workspace, folder, label_list=label_list if given else None)
        for per_class in (5, 6):
            top_up(dataset, SynthesisConfig(per_class=per_class))
            rescan(dataset, silent)
            assert class_counts(dataset.manifest()).to_dict() == {"人": per_class, "木": per_class}

    def test_a_list_that_renames_a_class_renames_nothing_that_was_written(
        self, workspace: Workspace, tmp_path: Path
    ) -> None:
        pictures = {f"{k}/{n}.png": png(drawn(c, n)) for k, c in {"木": "人", "人": "木"}.items() for n in range(3)}
        label_list = write_files(tmp_path, {"list.csv": "folder,label\n木,人\n人,木\n".encode()}) / "list.csv"
        dataset = imported(workspace, write_files(tmp_path / "set", pictures), label_list=label_list)
        top_up(dataset, SynthesisConfig(per_class=5))
        rescan(dataset, silent)
        written = dataset.manifest().query("synthetic")
        assert (written["path"].str.split("/").str[1] == written["label"]).all()

    def test_what_the_library_lacks_stops_it_unless_it_is_to_be_skipped(
        self, workspace: Workspace, tmp_path: Path
    ) -> None:
        dataset = uneven(workspace, tmp_path / "set")
        with pytest.raises(SynthesisError, match="ab"):
            top_up(dataset, SynthesisConfig(per_class=20))
        assert not dataset.written.exists()

    def test_from_the_command_line_and_again(self, command: Command, workspace: Workspace, tmp_path: Path) -> None:
        dataset = uneven(workspace, tmp_path / "set")
        arguments = ("synthesise", "--top-up", "uneven", "--unknown", "skip", "--per-class")
        done = command(*arguments, "12")
        assert done.returncode == 0, done.stderr
        manifest = dataset.manifest()
        assert manifest["label"].value_counts().to_dict() == {"人": 30, "木": 12, "大": 12, "ab": 2}
        assert int(manifest["synthetic"].sum()) == 8 + 11
        assert set(dataset.parts("default")[manifest["synthetic"]]) == {"train"}
        assert find_leaks(manifest, dataset.parts("default"), SplitSettings()).empty
        nothing = command(*arguments, "2")
        assert nothing.returncode == 2
        assert "ab" in nothing.stderr or "2 pictures or more" in nothing.stderr
        first = files(dataset.written)
        assert command(*arguments, "15").returncode == 0
        assert first.items() <= files(dataset.written).items()
        assert dataset.manifest()["label"].value_counts().to_dict() == {"人": 30, "木": 15, "大": 15, "ab": 2}
        assert command(*arguments, "18", "--style", "brush").returncode == 0
        assert dataset.manifest()["label"].value_counts().to_dict() == {"人": 30, "木": 18, "大": 18, "ab": 2}

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--top-up", "nobody"], "nobody"),
            (["--top-up", "uneven", "--name", "other"], "one to top up"),
            (["--top-up", "uneven", "--characters", "永"], "as a whole"),
            (["--top-up", "uneven", "--per-class", "0"], "per_class"),
        ],
    )
    def test_what_cannot_be_done(
        self, command: Command, workspace: Workspace, tmp_path: Path, arguments: list[str], told: str
    ) -> None:
        uneven(workspace, tmp_path / "set")
        refused = command("synthesise", *arguments)
        assert refused.returncode == 2
        assert told in refused.stderr


class TestCommand:
    def test_a_folder(self, command: Command, tmp_path: Path) -> None:
        done = command("synthesise", str(tmp_path / "set"), "--characters", "永我", "--per-class", "2")
        assert done.returncode == 0, done.stderr
        assert "4 pictures of 2 characters" in done.stdout

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--characters", "あ"], "あ"),
            (["--characters", "永", "--per-class", "0"], "per_class"),
            (["--characters", "永", "--style", "wild"], "wild"),
            (["--characters", "永", "--adjust", "slant=7"], "slant"),
            (["--characters", "永", "--adjust", "slant"], "name=number"),
            (["--characters", "永", "--adjust", "joins=0.1,0.2,0.3"], "name=number"),
            (["--characters", "common-0"], "common-0"),
            (["--characters", " "], "no character to write"),
            (["--characters", "永\udcff"], "UTF-8"),
            (["--characters", "永", "--remove"], "--top-up"),
        ],
    )
    def test_a_mistake_is_a_sentence(self, command: Command, tmp_path: Path, arguments: list[str], told: str) -> None:
        refused = command("synthesise", str(tmp_path / "other"), *arguments)
        assert refused.returncode == 2
        assert told in refused.stderr
        assert "Traceback" not in refused.stderr
        assert not (tmp_path / "other").exists()

    def test_a_dataset_of_its_own(self, command: Command, workspace: Workspace) -> None:
        arguments = ("synthesise", "--name", "starter", "--characters", "永我", "--per-class", "6")
        done = command(*arguments, "--adjust", "pen_width=0.03,0.05")
        assert done.returncode == 0, done.stderr
        dataset = Dataset.find(workspace, "starter")
        manifest = dataset.manifest(["label", "synthetic"])
        assert manifest["label"].value_counts().to_dict() == {"永": 6, "我": 6}
        assert manifest["synthetic"].all()
        assert set(dataset.parts("default")) == {"train", "validation", "test"}
        again = command(*arguments)
        assert again.returncode == 2
        assert "starter" in again.stderr
        dataset.delete()
        assert not list(workspace.root.rglob("*.png"))

    def test_a_second_of_one_name_is_refused_at_once(self, workspace: Workspace) -> None:
        """Also where it was asked for earlier: both would write for hours, and one would be refused at the end."""
        jobs = [starter(workspace, "永"), starter(workspace, "我")]
        with pytest.raises(DatasetError, match="on its way already"):
            check_is_new(workspace, "starter")
        assert perform_here(workspace, jobs[1]) == 2
        assert "on its way already" in str(jobs[1].status().changes[-1])
        assert not list(workspace.root.rglob("*.png"))
        assert perform_here(workspace, jobs[0]) == 0
        with pytest.raises(DatasetError, match="already a dataset"):
            check_is_new(workspace, "starter")
        assert perform_here(workspace, jobs[1]) == 2
        Dataset.find(workspace, "starter").delete()
        check_is_new(workspace, "starter")

    def test_a_job_of_another_version_stands_in_nobodys_way(self, workspace: Workspace) -> None:
        Job.create(workspace, "import", {"folder": "/somewhere"}, "older")
        check_is_new(workspace, "starter")

    def test_one_that_is_given_up_leaves_no_pictures(self, workspace: Workspace, command: Command) -> None:
        first, second, other = (starter(workspace, characters) for characters in "永永我")
        for job in (first, other):
            synthesise(SynthesisConfig(characters="永", per_class=1), _place(workspace, StarterConfig(**job.config)))
        with pytest.raises(JobError, match="still at work"):
            give_up(workspace, first)
        for job in (other, second):
            assert command("synthesise", "--job", job.id).returncode == 2, "the first one is on its way"
            give_up(workspace, job)
            assert len(list(workspace.root.rglob("*.png"))) == 1, "what another is writing stays"
        assert command("synthesise", "--job", first.id).returncode == 0
        assert command("jobs", "delete", first.id).returncode == 0
        assert len(files(Dataset.find(workspace, "starter").folder)) == 2
        assert not list_jobs(workspace, "synthesise")

    @pytest.mark.parametrize("moved", ["not at all", "unsaid", "all"])
    def test_killed_when_its_dataset_was_there_it_goes_on(self, workspace: Workspace, moved: str) -> None:
        job = starter(workspace, "永")
        assert perform_here(workspace, job) == 0
        dataset, result = Dataset.find(workspace, "starter"), job.result()
        place = Path(dataset.description["taken_from"])
        if moved != "all":
            dataset.change_description(location=str(place), taken_from=None)
        if moved == "not at all":
            shutil.move(dataset.folder / "pictures", place)
        (job.folder / "result.json").unlink()
        assert perform_here(workspace, job) == 0
        assert job.result() == result
        assert len(list((dataset.folder / "pictures" / "永").iterdir())) == 2
        assert dataset.source().location == dataset.folder / "pictures"
        assert not place.exists()

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ([], "Give a folder"),
            (["--name", "a", "--top-up", "b"], "Give a folder"),
            (["--name", "a", "--remove"], "name that dataset with --top-up"),
            (["--name", "a", "--style", "wild"], "wild"),
            (["--name", "a", "--adjust", "joins=0.3"], "joins"),
            (["--top-up", "nobody"], "nobody"),
        ],
    )
    def test_what_cannot_be_leaves_no_job(
        self, command: Command, workspace: Workspace, arguments: list[str], told: str
    ) -> None:
        done = command("synthesise", "--characters", "永", *arguments)
        assert done.returncode == 2
        assert told in done.stderr
        assert not list(workspace.jobs.iterdir())


def test_killed_in_the_middle_it_goes_on_and_no_file_is_half(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    command = [sys.executable, "-m", "hanzi_core", "--workspace", str(workspace.root), "synthesise", str(folder)]
    command += ["--characters", "永我国", "--per-class", "400"]
    process = subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.DEVNULL)
    while len(list(folder.rglob("*.png"))) < 40:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    begun = files(folder)
    assert 40 <= len(begun) < 1200
    assert not [data for data in begun.values() if decode(data).size == 0]
    assert subprocess.run(command, cwd=PROJECT, capture_output=True, check=True).returncode == 0
    synthesise(SynthesisConfig(characters="永我国", per_class=400), tmp_path / "whole")
    assert files(folder) == files(tmp_path / "whole")
    assert begun.items() <= files(folder).items()


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    mount = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _can_mount(), reason="this system lets no user mount a small disk")
def test_a_full_disk_leaves_no_half_file(workspace: Workspace, tmp_path: Path) -> None:
    """A disk of 300 kB, mounted for one process alone; what is on it is copied away before it goes."""
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    synthesise_there = (
        f"mount -t tmpfs -o size=300k none {disk} && "
        f"{sys.executable} -m hanzi_core --workspace {workspace.root} synthesise {disk}/set --characters 永我 "
        f"--per-class 500; code=$?; cp -r {disk} {copy}; exit $code"
    )
    command = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c", synthesise_there]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2, done.stderr
    assert "No space is left" in done.stderr
    written = files(copy)
    assert len(written) > 20
    assert all(decode(data).size for data in written.values())
    assert not [path for path in copy.rglob("*") if path.is_file() and path.suffix != ".png"]


def test_no_picture_is_without_ink_to_be_found() -> None:
    """The hand that wrote 木 so faintly that a scan called it blank."""
    styles = SynthesisConfig(characters="木", style="mixed").styles()
    for seed in range(40):
        pictures = write_character("木", styles, CHUNK, np.random.default_rng(seed))
        assert not any(is_blank(normalise(picture)) for picture in pictures)
