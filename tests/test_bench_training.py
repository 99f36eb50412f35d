from bench.training import Course, course, table
from hanzi_core.jobs import Job
from hanzi_core.workspace import Workspace


def test_the_table_says_how_much_sooner() -> None:
    ours = Course("compact", [10, 20, 30], [0.5, 0.8, 0.9], 0.91)
    other = Course("cnn", [100, 200], [0.6, 0.7], None)
    last = table([ours, other]).splitlines()[-1]
    assert last == "| cnn | 70.00% | 200 | 20 | 10.0 | – |"


def test_a_course_is_read_from_the_history(workspace: Workspace) -> None:
    job = Job.create(workspace, "train", {}, "run")
    job.history.append({"kind": "step", "loss": 1.0})
    job.history.append({"kind": "epoch", "val_accuracy": 0.5, "elapsed_s": 3.0})
    assert course("compact", job, None) == Course("compact", [3.0], [0.5], None)
