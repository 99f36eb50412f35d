import pytest

from bench.training import PROCESSOR, Course, course, joined, table
from hanzi_core.jobs import Job
from hanzi_core.workspace import Workspace, replace_json


def test_the_table_says_how_much_sooner() -> None:
    ours = Course("compact", "3 / 3", 500, [10, 20, 30], [5, 10, 15], [0.5, 0.8, 0.9], 0.91)
    other = Course("cnn", "2 / 40", 90, [100, 200], [80, 160], [0.6, 0.7], None)
    last = table([ours, other]).splitlines()[-1]
    assert last == "| cnn | 2 / 40 | 90 | 70.00% | 200 (160) | 20 (10), 10.0 (16.0) | – |"


def test_what_ours_never_reached_is_said() -> None:
    ours = Course("compact", "1 / 3", 500, [10], [5], [0.5], None)
    assert "| never | – |" in table([ours, Course("cnn", "2 / 40", 90, [100], [80], [0.6], None)])


def test_a_course_is_read_from_the_history(workspace: Workspace) -> None:
    job = Job.create(workspace, "train", {"epochs": 4}, "compact")
    job.history.append({"kind": "step", "loss": 1.0, "images_per_s": 70})
    job.history.append({"kind": "epoch", "epoch": 1.0, "val_accuracy": 0.5, "elapsed_s": 3.0, "images_per_s": 90})
    job.history.append({"kind": "epoch", "epoch": 2.0, "val_accuracy": 0.6, "elapsed_s": 6.0, "images_per_s": 90})
    rows = job.history.rows()
    now = 1_000_000.0
    job.history.cut(0)
    for row, later in zip(rows, (0, 2, 4), strict=True):
        job.history.append({**row, "time": now + later})
    replace_json(
        job.folder / PROCESSOR, joined(joined([], [(now, 0.0), (now + 1, 2.0)]), [(now + 3, 4.0), (now + 4, 6.0)])
    )
    found = course(workspace, job)
    assert (found.epochs, found.images_per_s, found.seconds, found.accuracies) == ("2 / 4", 90, [3.0, 6.0], [0.5, 0.6])
    assert found.processor_s == pytest.approx([4.0, 8.0])


def test_a_run_that_is_not_yet_validated_has_a_row(workspace: Workspace) -> None:
    job = Job.create(workspace, "train", {"epochs": 4}, "cnn")
    job.history.append({"kind": "step", "epoch": 0.62, "images_per_s": 70})
    replace_json(job.folder / PROCESSOR, [[job.created, 0.0]])
    assert table([course(workspace, job)]).splitlines()[-1] == "| cnn | 0.62 / 4 | 70 | – | never | – |"
