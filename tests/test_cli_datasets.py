"""The verbs ``python -m hanzi_core dataset …`` that the way from end to end does not take."""

import csv
from pathlib import Path

import pytest

from hanzi_core.cli.perform import read_config
from hanzi_core.dataset import Dataset, SplitSettings
from hanzi_core.dataset.importing import usual_name
from hanzi_core.errors import JobError
from hanzi_core.jobs import list_jobs
from hanzi_core.language import set_language_source
from hanzi_core.workspace import Workspace
from tests.collection import drawn, png, write_files
from tests.conftest import Command

ONE = png(drawn("人", 1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        f"{number:05}/{seed}_w{seed % 4}.png": png(drawn("人木"[number], seed))
        for number in (0, 1)
        for seed in range(12)
    }
    return write_files(tmp_path / "a", {**files, "00000/copy_w1.png": files["00000/1_w1.png"]})


def test_bring_in_by_code_find_faults_exclude_and_split(
    command: Command, workspace: Workspace, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "l.csv").write_text("code,character\n0,人\n1,木\n", "utf-8")
    done = command("dataset", "import", str(folder), "--labels", str(tmp_path / "l.csv"), "--writer-pattern", r"_(w\d)")
    assert done.stdout == "a: 25 pictures of 2 classes, 1 with faults.\n", done.stderr
    listed = command("dataset", "faults", "a", "--csv").stdout
    assert [row["detail"] for row in csv.DictReader(listed.splitlines())] == ["00000/1_w1.png"]
    excluded = command("dataset", "exclude", "a", "--fault", "duplicate", "--path", "00001/3_w3.png")
    assert excluded.stdout == "a: 2 pictures excluded.\n"
    assert command("dataset", "leaks", "a").stdout == "0 leaks.\n"
    dataset = Dataset.find(workspace, "a")
    assert set(dataset.manifest()["label"]) == {"人", "木"}
    split = command("dataset", "split", "a", "--split", "plain", "--seed", "4")
    assert split.stdout.startswith("train 19  validation 2  test 2")
    assert command("dataset", "leaks", "a", "--split", "plain").returncode == 0


def test_a_folder_gives_its_whole_name(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    casia = folder.rename(folder.with_name("HWDB1.1trn_gnt"))
    assert command("dataset", "import", str(casia)).stdout.startswith("HWDB1.1trn_gnt: ")
    monkeypatch.chdir(casia.rename(folder.with_name("v2.0")))
    assert usual_name(Path()) == "v2.0"


def test_a_path_that_is_in_no_dataset_is_not_excluded_in_silence(command: Command, folder: Path) -> None:
    command("dataset", "import", str(folder))
    done = command("dataset", "exclude", "a", "--path", "人/nowhere.png")
    assert done.returncode == 2 and "holds no 人/nowhere.png" in done.stderr
    assert command("dataset", "exclude", "a").stdout == "a: 0 pictures excluded.\n"


def test_a_fault_that_leaves_pictures_out_anyway_brings_no_others_back(
    command: Command, workspace: Workspace, folder: Path
) -> None:
    command("dataset", "import", str(folder))
    assert command("dataset", "exclude", "a", "--fault", "duplicate").stdout == "a: 1 pictures excluded.\n"
    done = command("dataset", "exclude", "a", "--fault", "gone")
    assert done.returncode == 2 and "“gone” are left out anyway" in done.stderr
    assert Dataset.find(workspace, "a").manifest(["excluded"])["excluded"].sum() == 1


def test_a_damaged_dataset_is_listed_as_such_and_those_behind_it_too(
    command: Command, workspace: Workspace, folder: Path
) -> None:
    for name in "abcd":
        assert command("dataset", "import", str(folder), "--name", name).returncode == 0
    (workspace.datasets / "b" / "manifest.parquet").write_bytes(b"rubbish")
    (workspace.datasets / "c" / "dataset.json").write_bytes(b"{")
    listed = command("dataset", "list")
    assert listed.returncode == 0, listed.stderr
    sound, no_manifest, no_description, last = (line.split("\t") for line in listed.stdout.splitlines())
    assert sound[1:] == last[1:] == ["25", "2", str(folder)]
    assert no_manifest[0] == "b" and "missing or damaged" in no_manifest[1]
    assert no_description == ["c", "The dataset “c” is damaged: import it again."]


def test_leaks_of_a_collection_that_was_split_before(command: Command, tmp_path: Path) -> None:
    files = {f"train/人/{seed}.png": png(drawn("人", seed)) for seed in range(8)}
    folder = write_files(tmp_path / "a", {**files, "test/人/x.png": files["train/人/3.png"]})
    command("dataset", "import", str(folder))
    done = command("dataset", "leaks", "a")
    assert done.returncode == 2
    assert done.stdout.startswith("identical picture\ttest/人/x.png\ttrain ")


def test_write_out_is_a_job(command: Command, workspace: Workspace, folder: Path, tmp_path: Path) -> None:
    command("dataset", "import", str(folder))
    done = command(
        "dataset", "materialise", "a", str(tmp_path / "out"), "--augmented", "1", "--augmentation", "standard"
    )
    assert "of 2 classes; 25 by link" in done.stdout, done.stderr
    (job,) = list_jobs(workspace, "materialise")
    assert job.config["augmentation"]["shear_deg"] == 12
    assert (tmp_path / "out" / "labels.txt").read_text("utf-8") == "00000\n00001\n"
    again = command("dataset", "materialise", "a", str(tmp_path / "out"))
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_delete(command: Command, workspace: Workspace, folder: Path) -> None:
    command("dataset", "import", str(folder))
    assert command("dataset", "delete", "a").returncode == 0
    assert command("dataset", "list").stdout == ""
    assert len(list(folder.rglob("*.png"))) == 25


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import",), "Give the folder"),
        (("scan",), "Give the name of a dataset"),
        (("materialise", "a"), "Give the folder to write to"),
        (("import", "/nowhere", "--writer-pattern", "("), "no regular expression"),
        (("import", "/nowhere", "--max-ratio", "0"), "limits.ratio"),
    ],
)
def test_mistakes_are_one_sentence(command: Command, arguments: tuple[str, ...], says: str) -> None:
    done = command("dataset", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_check_of_ours_says_stands_alone_and_in_the_readers_language() -> None:
    shares = {"validation": 0.6, "test": 0.5}
    with pytest.raises(
        JobError, match=r"^Validation and test together must leave something to train on: less than 1\.$"
    ):
        read_config(SplitSettings, shares)
    set_language_source(lambda: "zh_CN")
    with pytest.raises(JobError, match=r"^验证集与测试集的比例之和必须小于 1，才有可供训练的图片。$"):
        read_config(SplitSettings, shares)
