"""The training page as Streamlit runs it, over runs whose folders were written by hand."""

import json
import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from hanzi_core.bundle import BUILT_IN_KEY
from hanzi_core.dataset import Dataset, SplitSettings
from hanzi_core.dataset.importing import ImportConfig, import_dataset
from hanzi_core.image.augment import Augmentation
from hanzi_core.image.presets import save_preset
from hanzi_core.jobs import Job, Progress, State, list_jobs
from hanzi_core.jobs.devices import CPU, Device
from hanzi_core.jobs.notice import webhook
from hanzi_core.jobs.process import ProcessId
from hanzi_core.jobs.trash import thrown_away
from hanzi_core.language import Sentence, duration, set_language_source
from hanzi_core.training.config import SIMULATED_HAND, Optimiser, Start, TrainingConfig
from hanzi_core.training.presets import CORRECTING
from hanzi_core.workspace import Workspace
from pages.parts.plain_text import escape
from pages.parts.run_compare import written
from pages.parts.setting_names import SETTING_NAMES, readable
from tests.handwriting import write_collection
from tests.runs import make_dataset, make_run, silent
from tests.test_pages import open_page, texts


@pytest.fixture(autouse=True)
def _navigation_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server learns with its first page; ``AppTest`` forgets it before each run, and so what was pressed."""
    begin = PagesManager.__init__

    def begin_knowing(self: PagesManager, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begin_knowing)


def write_run(
    workspace: Workspace,
    title: str,
    state: State = State.FINISHED,
    epochs: int = 3,
    devices: tuple[str, ...] = (CPU,),
) -> Job:
    job = make_run(workspace, devices, epochs=epochs)
    job.describe(title=title)
    for number in range(1, epochs + 1):
        figures = {"loss": 1 / number, "accuracy": 1 - 1 / number, "val_loss": 1.0, "val_accuracy": number / 10}
        job.history.append({"kind": "epoch", "epoch": float(number), "elapsed_s": 2.0 * number, **figures})
    process = ProcessId.own() if state is State.RUNNING else None
    job.write_status(job.stored_status().to(state, Sentence("As the test wants it."), process=process))
    return job


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


@pytest.fixture
def runs(workspace: Workspace, tmp_path: Path) -> Iterator[list[Job]]:
    make_dataset(workspace, tmp_path / "three")
    jobs = [write_run(workspace, "older", epochs=2), write_run(workspace, "newer")]
    yield jobs
    for job in (Job(folder) for folder in workspace.jobs.iterdir() if folder.is_dir()):
        if job.status().state.is_active:
            job.write_status(job.stored_status().to(State.STOPPED, Sentence("The test is over."), process=None))


def test_a_link_to_a_run_shows_it(runs: list[Job]) -> None:
    app = open_page("training.py", run=runs[0].id)
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Epoch"] == "2 / 2" and shown["Best in validation"] == "20.0%" and shown["Time"] == "0:04"


def test_a_run_at_work_shows_progress_and_can_be_stopped(workspace: Workspace, runs: list[Job]) -> None:
    job = write_run(workspace, "at work", State.RUNNING)
    job.write_progress(Progress(phase="Training", done=50, total=200, rate_per_s=1.0, remaining_s=150))
    app = open_page("training.py", run=job.id)
    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric}["Time left"] == "2:30"
    assert not {"Resume", "Delete"} & {button.label for button in app.button}
    app.text_area[0].input("look at this one tomorrow")
    press(app, "Save")
    assert job.notes == "look at this one tomorrow", "what one thinks of while it trains"
    press(app, "Clone")
    assert "With the settings of “at work”" in texts(app)
    press(app, "Stop")
    assert job.stop_requested()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, ""),
        ({"epochs": 40, "time_limit_min": 0.1}, "its time was up"),
        ({"epochs": 40, "time_limit_min": 5.0, "early_stopping": 2}, "had not been lower for 2 epochs"),
        ({"epochs": 40, "time_limit_min": 5.0}, ""),
    ],
)
def test_why_a_run_ended_before_its_last_epoch_is_told(
    workspace: Workspace, runs: list[Job], settings: dict[str, Any], told: str
) -> None:
    """Three of its epochs took six seconds."""
    description = json.loads((runs[1].folder / "config.json").read_text())
    description["config"] |= settings
    (runs[1].folder / "config.json").write_text(json.dumps(description))
    shown = texts(open_page("training.py", run=runs[1].id))
    assert ("before its last epoch" in shown) == bool(told) and told in shown


def test_a_run_that_writes_its_model_is_in_no_epoch(workspace: Workspace, runs: list[Job]) -> None:
    """It was in “epoch 3 of 3, 0%”."""
    del runs
    job = write_run(workspace, "at its end", State.RUNNING)
    job.write_progress(Progress(phase="Writing the model bundle", done=0, total=1))
    (bar,) = open_page("training.py", run=job.id).get("progress")
    assert bar.proto.text == "Writing the model bundle"


@pytest.mark.parametrize(
    ("keep_last", "best", "told"),
    [
        (True, ("Accuracy in validation", "20.0%"), "on what it goes over (the simulated hand): how little it forgets"),
        (
            False,
            ("Best in validation", "30.0%"),
            "on pictures of “three” and of what it goes over (the simulated hand) together",
        ),
    ],
)
def test_a_run_that_rehearses_says_on_what_it_is_validated(
    workspace: Workspace, runs: list[Job], keep_last: bool, best: tuple[str, str], told: str
) -> None:
    """Of one that holds nothing out the last weights are kept, whatever came before."""
    del runs
    start = {"start": Start.BUNDLE, "start_bundle": BUILT_IN_KEY, "rehearsal": SIMULATED_HAND}
    job = make_run(workspace, **start, keep_last=keep_last)
    for number, accuracy in enumerate((0.3, 0.2), 1):
        job.history.append({"kind": "epoch", "epoch": number, "elapsed_s": 1.0, "val_accuracy": accuracy})
    job.write_status(job.stored_status().to(State.FINISHED, Sentence("As the test wants it.")))
    app = open_page("training.py", run=job.id)
    assert best in {(metric.label, metric.value) for metric in app.metric}
    assert told in texts(app)


def test_runs_are_compared(runs: list[Job]) -> None:
    app = open_page("training.py", view="several")
    assert not app.exception
    reached, settings = (table.value for table in app.table)
    assert list(reached.columns) == [f"newer · {runs[1].id[-4:]}", f"older · {runs[0].id[-4:]}"]
    assert [float(each) for each in reached.loc["Best in validation, %"]] == [30.0, 20.0]
    assert list(settings.loc["Epochs"]) == ["3", "2"]
    assert settings.index[0] == "Epochs", "what differs comes first"


def test_what_cannot_be_compared_is_not_marked_as_best(workspace: Workspace, runs: list[Job], tmp_path: Path) -> None:
    """Without smoothing each loss is lower, and other pictures may be easier."""
    for number, job in enumerate(runs):
        for speed in (900 - number, 300 + number):
            row = {"epoch": 4.0, "elapsed_s": 9.0, "val_accuracy": 0.1, "val_loss": 0.9 - number / 10}
            job.history.append({"kind": "epoch", **row, "images_per_s": speed})

    def marked() -> tuple[list[str], str]:
        app = open_page("training.py", view="several")
        assert not app.exception
        table = app.table[0]
        rows = sorted({int(row) for row in re.findall(r"row(\d+)_col", table.proto.arrow_data.styler.styles)})
        return [table.value.index[row] for row in rows], texts(app)

    assert marked()[0] == ["Best in validation, %", "Lowest loss in validation", "Images/s"]
    reached = open_page("training.py", view="several").table[0].value
    assert list(reached.loc["Images/s"]) == [301, 300], "the last that each told, as its own page shows"
    config = runs[0].config
    runs[0].describe(config={**config, "label_smoothing": 0.0})
    names, told = marked()
    assert names == ["Best in validation, %", "Images/s"] and "Losses of different label smoothing" in told
    runs[0].describe(config={**config, "split": "other"})
    names, told = marked()
    assert names == ["Images/s"] and "validated on different pictures" in told
    runs[0].describe(config=config)
    for number, job in enumerate(runs):
        job.write_result({"split_digest": str(number)})
    assert marked()[0] == ["Images/s"], "the split was made anew in between"


def test_what_runs_have_reached_is_written_as_people_write_it() -> None:
    reached = pd.DataFrame({"a": {"in epoch": 10.78, "after": 3725.0, "Images/s": 12345.6}, "b": {"in epoch": 11.0}})
    lines = written(reached).to_string(delimiter="|").splitlines()
    assert lines[1:] == ["in epoch|10.8|11", "after|1 h 2 min|–", "Images/s|12,346|–"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "less than 1 s"), (45, "45 s"), (180, "3 min"), (200, "3 min 20 s"), (7190, "1 h 59 min"), (7200, "2 h")],
)
def test_a_time_span_has_no_part_that_is_nothing(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_every_setting_has_a_name_that_people_read() -> None:
    assert set(SETTING_NAMES) == set(TrainingConfig.model_fields)


def test_a_link_from_corrections_begins_a_run_that_rehearses(
    workspace: Workspace, runs: list[Job], tmp_path: Path
) -> None:
    import_dataset(
        workspace, ImportConfig(location=write_collection(tmp_path / "fixes", "人木", 4), name="fixes"), silent
    )
    app = open_page("training.py", dataset="fixes", start="builtin", rehearsal="three")
    assert not app.exception
    assert "“Built\\-in” learns “fixes”." in texts(app)
    chosen = {box.label: box.value for box in app.selectbox}
    assert (chosen["Dataset"], chosen["Model"], chosen["Rehearse with"]) == ("fixes", "builtin", "three")
    before = set(list_jobs(workspace, "train"))
    with_held_cpu = write_run(workspace, "holds the CPU", State.RUNNING)
    press(app, "Start training")
    (made,) = set(list_jobs(workspace, "train")) - before - {with_held_cpu}
    assert made.stored_status().state is State.QUEUED
    found = TrainingConfig(**made.config)
    assert (found.dataset, found.start_bundle, found.rehearsal) == ("fixes", "builtin", "three")
    assert found.learning_rate == CORRECTING["learning_rate"] and found.keep_last
    made.request_stop()
    app = open_page("training.py", dataset="fixes", start="builtin", rehearsal="three")
    next(box for box in app.selectbox if box.label == "First weights").select("random").run()
    press(app, "Start training")
    assert not app.exception and not app.error, "nothing is asked of what the form does not show"
    (other,) = set(list_jobs(workspace, "train")) - before - {with_held_cpu, made}
    assert not other.config["keep_last"] and other.config["rehearsal"] is None


def test_an_address_to_tell_that_is_damaged_can_be_set_anew(workspace: Workspace, runs: list[Job]) -> None:
    (workspace.root / "settings.json").write_bytes(b"{")
    app = open_page("training.py", view="more")
    assert not app.exception and "set the address anew" in app.error[0].value
    app.text_input(key="webhook").set_value("http://host/").run()
    press(app, "Save")
    assert webhook(workspace) == "http://host/"


@pytest.mark.parametrize(
    "row",
    [
        {"a": 1},
        {"kind": "epoch", "epoch": "x"},
        {"kind": "step", "epoch": math.nan, "loss": 1.0},
        {"kind": "epoch", "epoch": 1.0, "val_accuracy": "x"},
        {"kind": "epoch", "epoch": 1.0, "elapsed_s": []},
    ],
)
@pytest.mark.parametrize("view", ["one", "several"])
def test_a_row_of_a_history_that_the_disk_spoilt_is_passed_over(
    runs: list[Job], row: dict[str, Any], view: str
) -> None:
    runs[0].history.append(row)
    app = open_page("training.py", run=runs[0].id, view=view)
    assert not app.exception and not app.error
    assert view == "several" or {metric.label: metric.value for metric in app.metric}["Epoch"] == "2 / 2"


@pytest.mark.parametrize("view", ["one", "several"])
def test_a_run_whose_settings_are_lost_is_shown_without_them(runs: list[Job], view: str) -> None:
    path = runs[0].folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "config": {}}))
    app = open_page("training.py", run=runs[0].id, view=view)
    assert not app.exception and not app.error


@pytest.mark.parametrize("name", ["history.jsonl", "log.txt", "result.json"])
def test_a_file_of_a_run_that_cannot_be_read_is_named(runs: list[Job], name: str) -> None:
    """A folder, since tests may be root, who may read any file."""
    (runs[0].folder / name).unlink(missing_ok=True)
    (runs[0].folder / name).mkdir()
    app = open_page("training.py", run=runs[0].id)
    assert not app.exception
    assert len(app.error) == 1 and escape(name) in app.error[0].value
    press(app, "Delete")
    assert not runs[0].folder.exists(), "of what is damaged one can let go"


def test_a_damaged_run_is_told_and_can_be_deleted(workspace: Workspace, runs: list[Job]) -> None:
    (runs[0].folder / "config.json").write_bytes(b"")
    page = open_page("training.py", run=runs[0].id)
    assert not page.warning, "it is not told to have been deleted"
    assert any(escape(f"config.json of job “{runs[0].id}”") in error.value for error in page.error)
    page.button(key=f"delete-{runs[0].id}").click().run()
    assert not page.exception and not page.error and not runs[0].folder.exists()
    assert f"damaged · {runs[0].id}" in [text.value for text in open_page("training.py", view="more").text]


def test_a_link_to_what_is_gone_says_so(runs: list[Job]) -> None:
    app = open_page("training.py", dataset="fixes", start="nobody")
    assert not app.exception
    assert "is no longer there" in texts(app)


def test_processes_and_machines_can_be_set(workspace: Workspace, runs: list[Job]) -> None:
    app = open_page("training.py")
    next(field for field in app.number_input if field.label == "Processes").set_value(2)
    next(field for field in app.text_input if field.label == "Machines").input("one two three")
    press(app, "Start training")
    assert not app.exception
    assert "more hosts than processes" in texts(app)


def test_one_of_several_splits_can_be_chosen(workspace: Workspace, runs: list[Job]) -> None:
    assert "Split" not in {box.label for box in open_page("training.py").selectbox}
    dataset = Dataset.find(workspace, "three")
    dataset.split(SplitSettings(name="half", validation=0.5, test=0.0))
    holder = write_run(workspace, "holds the CPU", State.RUNNING)
    app = open_page("training.py")
    assert "Held by “holds the CPU”; the next one waits for its turn." in texts(app)
    next(box for box in app.selectbox if box.label == "Split").select("half").run()
    press(app, "Start training")
    assert not app.exception
    (made,) = set(list_jobs(workspace, "train")) - {*runs, holder}
    assert made.config["split"] == "half"
    dataset.delete_split("default")
    app = open_page("training.py")
    press(app, "Estimate")
    assert not app.exception and not app.error, "the only one left is taken"
    (asked,) = list_jobs(workspace, "estimate")
    assert asked.config["split"] == "half"
    waits = [text.value for text in app.text if text.value.startswith("Its turn comes after: “holds the CPU”")]
    assert len(waits) == 2, "an estimate waits in the same queue, and says so too"


def test_an_estimate_is_shown_as_long_as_it_is_of_these_settings(workspace: Workspace, runs: list[Job]) -> None:
    write_run(workspace, "holds the CPU", State.RUNNING)
    app = press(open_page("training.py"), "Estimate")
    (job,) = list_jobs(workspace, "estimate")
    job.write_result({"epoch_s": 41.0, "total_s": 1640.0, "memory_bytes": 2**30, "images_per_s": 170.0})
    job.write_status(job.stored_status().to(State.FINISHED, Sentence("As the test wants it.")))
    epochs = next(field for field in app.run().number_input if field.label == "Epochs")
    assert "41 s an epoch" in texts(app)
    epochs.set_value(41).run()
    assert "an epoch" not in texts(app)
    epochs.set_value(40).run()
    assert "41 s an epoch" in texts(app)


def test_the_address_to_tell_is_kept(workspace: Workspace, runs: list[Job]) -> None:
    app = open_page("training.py", view="more")
    app.text_input(key="webhook").input("http://localhost:1/done")
    press(app, "Save")
    assert [toast.value for toast in app.toast] == ["Runs that end are told there."]
    assert webhook(workspace) == "http://localhost:1/done"
    app.text_input(key="webhook").input("nonsense")
    press(app, "Save")
    assert "must begin with http" in texts(app) and not app.toast
    assert webhook(workspace) == "http://localhost:1/done"


def test_gpus_are_shown_with_what_is_free_and_who_holds_them(
    workspace: Workspace, runs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated: no machine of ours has two."""
    gpus = [Device(f"gpu:{n}", "NVIDIA A", 80 * 2**30, (30 + n) * 2**30, 0.1 * n, 1) for n in range(2)]
    monkeypatch.setattr("hanzi_core.jobs.devices._gpus", lambda: gpus)
    holder = write_run(workspace, "holds them", State.RUNNING, devices=("gpu:0", "gpu:1"))
    app = open_page("training.py")
    picker = next(box for box in app.multiselect if box.label == "Devices")
    assert picker.value == ["gpu:0"]
    assert picker.options[:2] == [
        "gpu:0 NVIDIA A · 50 GiB free · 0% busy · held by “holds them”",
        "gpu:1 NVIDIA A · 49 GiB free · 10% busy · held by “holds them”",
    ]
    picker.select("gpu:1").run()
    press(app, "Start training")
    assert not app.exception
    (made,) = set(list_jobs(workspace, "train")) - {*runs, holder}
    assert made.devices == ("gpu:0", "gpu:1") and made.status().state is State.QUEUED


def test_a_deleted_run_comes_back_from_the_trash(workspace: Workspace, runs: list[Job]) -> None:
    app = open_page("training.py", run=runs[1].id)
    press(app, "Delete")
    assert [job.id for job in thrown_away(workspace)] == [runs[1].id]
    app = open_page("training.py", view="more")
    assert not app.exception
    press(app, "Restore")
    assert runs[1].folder.exists() and not thrown_away(workspace)
    press(open_page("training.py", run=runs[1].id), "Delete")
    press(open_page("training.py", view="more"), "Delete them for good")
    assert not runs[1].folder.exists() and not thrown_away(workspace)


def test_a_clone_begins_with_the_settings_of_its_run(runs: list[Job]) -> None:
    app = press(open_page("training.py", run=runs[0].id), "Clone")
    assert not app.exception
    assert "With the settings of “older”" in texts(app)
    fields = {field.label: field.value for field in app.number_input}
    assert (fields["Epochs"], fields["Batch size"], fields["Picture size, px"]) == (2, 8, 32)


def test_a_run_that_is_deleted_is_cloned_no_more(runs: list[Job]) -> None:
    app = press(press(open_page("training.py", run=runs[0].id), "Clone"), "Delete")
    assert not app.exception and not app.error


def test_a_clone_has_the_augmentation_of_its_run_whatever_became_of_the_preset(
    workspace: Workspace, runs: list[Job]
) -> None:
    """It had the first preset of the list, without a word."""
    save_preset(workspace, "mine", Augmentation(rotation_deg=40))
    job = make_run(workspace, augmentation=Augmentation(rotation_deg=40))
    job.write_status(job.stored_status().to(State.FINISHED, Sentence("As the test wants it.")))
    holder = write_run(workspace, "holds the CPU", State.RUNNING)
    save_preset(workspace, "mine", Augmentation(rotation_deg=5))
    app = press(open_page("training.py", run=job.id), "Clone")
    chosen = next(box for box in app.selectbox if box.label == "Augmentation")
    assert chosen.options[:2] == ["as that run had it", "standard"]
    press(app, "Start training")
    assert not app.exception and not app.error
    (made,) = set(list_jobs(workspace, "train")) - {*runs, job, holder}
    assert made.config == job.config


def test_a_clone_tells_what_of_its_run_is_gone(workspace: Workspace, runs: list[Job]) -> None:
    start = {"start": Start.BUNDLE, "start_bundle": "lost", "rehearsal": "old"}
    job = make_run(workspace, **start, split="half")
    job.write_status(job.stored_status().to(State.FINISHED, Sentence("As the test wants it.")))
    app = press(open_page("training.py", run=job.id), "Clone")
    assert not app.exception
    assert [warning.value for warning in app.warning] == [
        "No longer there: Split “half”, Model to start from “lost”, Rehearse with “old”. "
        "Look at what is chosen in its place."
    ]
    assert not press(open_page("training.py", run=runs[0].id), "Clone").warning


def test_a_clone_of_a_run_of_another_version_says_what_it_does_not_know(workspace: Workspace, runs: list[Job]) -> None:
    description = json.loads((runs[0].folder / "config.json").read_text())
    description["config"]["mixup"] = 0.2
    (runs[0].folder / "config.json").write_text(json.dumps(description))
    app = press(open_page("training.py", run=runs[0].id), "Clone")
    assert not app.exception
    assert [error.value for error in app.error if "mixup" in error.value]
    assert "Start training" in [button.label for button in app.button]


def test_a_run_that_is_thrown_away_meanwhile_leaves_the_page_whole(
    runs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another browser, between the listing of the runs and the look at each."""
    listed = list_jobs

    def list_and_lose(space: Workspace, kind: str | None = None) -> list[Job]:
        found = listed(space, kind)
        if kind == "train" and runs[0].folder.exists():
            shutil.rmtree(runs[0].folder)
        return found

    monkeypatch.setattr("hanzi_core.jobs.list_jobs", list_and_lose)
    app = open_page("training.py")
    assert not app.exception
    assert runs[1].title in texts(app)


EXTREMES: dict[str, Any] = {"optimiser": "sgd"} | {
    "epochs": 10_000,
    "batch_size": 8192,
    "time_limit_min": 0.05,
    "learning_rate": 5e-7,
    "momentum": 0.9995,
    "decay": 0.005,
    "weight_decay": 1.0,
    "label_smoothing": 0.95,
    "dropout": 0.97,
    "averaging": 0.99995,
    "early_stopping": 1,
    "seed": 2**32 - 1,
    "processes": 1024,
}


def test_a_clone_of_a_run_with_any_settings_can_be_started(workspace: Workspace, runs: list[Job]) -> None:
    """Whatever the command line takes, the form takes too."""
    job = make_run(workspace, **EXTREMES)
    job.write_status(job.stored_status().to(State.FINISHED, Sentence("As the test wants it.")))
    holder = write_run(workspace, "holds the CPU", State.RUNNING)
    app = press(open_page("training.py", run=job.id), "Clone")
    assert not app.exception
    press(app, "Start training")
    assert not app.exception and not app.error
    (made,) = set(list_jobs(workspace, "train")) - {*runs, job, holder}
    assert made.config == job.config


def test_the_form_asks_for_no_number_that_a_run_refuses(runs: list[Job]) -> None:
    app = open_page("training.py")
    limits = {field.label: (field.min, field.max) for field in app.number_input}
    assert limits["Picture size, px"] == (32, 256)
    assert limits["Time limit, minutes"][0] > 0 and limits["Learning rate"][0] > 0
    assert 0.999999 < limits["Dropout"][1] < 1


def test_a_name_tags_and_notes_can_be_changed(runs: list[Job]) -> None:
    app = open_page("training.py", run=runs[0].id)
    fields = {field.key or field.label: field for field in app.text_input}
    fields["Tags"].input("good slow")
    app.text_area[0].input("as it should be")
    press(app, "Save")
    assert runs[0].tags == ("good", "slow") and runs[0].notes == "as it should be"


def test_settings_that_cannot_be_are_one_sentence(runs: list[Job]) -> None:
    app = open_page("training.py")
    next(box for box in app.selectbox if box.label == "Network").select("resnet50").run()
    next(box for box in app.selectbox if box.label == "First weights").select("imagenet").run()
    press(app, "Start training")
    assert not app.exception
    assert "nothing is downloaded" in texts(app)


def test_of_a_model_to_start_from_the_network_is_its_own(workspace: Workspace, runs: list[Job]) -> None:
    """What was chosen for another network would not be heeded, and must not be told as if it had been."""
    holder = write_run(workspace, "holds the CPU", State.RUNNING)
    app = open_page("training.py")
    next(box for box in app.selectbox if box.label == "Network").select("resnet50").run()
    assert "26 million parameters" in texts(app)
    next(box for box in app.selectbox if box.label == "First weights").select("bundle").run()
    assert not app.exception
    assert "“Built\\-in” is trained further: it keeps its own network" in texts(app)
    assert "26 million parameters" not in texts(app)
    disabled = {field.label for field in [*app.number_input, *app.selectbox] if field.disabled}
    assert disabled == {"Picture size, px", "Dropout", "Numerical precision"}
    press(app, "Start training")
    (made,) = set(list_jobs(workspace, "train")) - {*runs, holder}
    assert made.title == "three Built-in"
    shown = readable(made.config, {})
    assert {shown[label] for label in ("Network", "Picture size, px", "Dropout", "Numerical precision")} == {
        "the model's own"
    }
    assert shown["Model to start from"] == "builtin" and shown["Batch size"] == "64"


def test_a_link_from_a_dataset_begins_a_run_on_it(runs: list[Job], workspace: Workspace, tmp_path: Path) -> None:
    other = ImportConfig(location=write_collection(tmp_path / "another", "人木", 4), name="another")
    import_dataset(workspace, other, silent)
    assert open_page("training.py").selectbox(key="form-dataset--").value == "another"
    app = open_page("training.py", dataset="three")
    assert app.expander[0].proto.expanded
    assert next(box for box in app.selectbox if box.label == "Dataset").value == "three"
    app = open_page("training.py", dataset="gone")
    assert "is no longer there" in texts(app)
    assert next(box for box in app.selectbox if box.label == "Dataset").value == "another"


def test_what_an_optimiser_has_no_use_for_is_no_setting_of_the_run() -> None:
    """AdamW was said to have the momentum of SGD."""
    config = {"momentum": 0.9, "decay": 0.5}
    for optimiser, told in ((Optimiser.SGD, ("0.9", "0.5")), (Optimiser.ADAMW, ("–", "–"))):
        shown = readable({"optimiser": optimiser, **config}, {})
        assert (shown["Momentum"], shown["Decay every 10,000 steps"]) == told


def test_the_simulated_hand_is_named_in_the_language_of_the_reader() -> None:
    set_language_source(lambda: "zh_CN")
    assert readable({"rehearsal": SIMULATED_HAND}, {})["复习用的数据集"] == "模拟手写"
    assert readable({"rehearsal": "Models"}, {})["复习用的数据集"] == "Models", "the user's own name"


def asked(app: AppTest, setting: str) -> Any:
    """The field of the run form that asks for a setting."""
    return next(field for field in app.number_input if field.label == SETTING_NAMES[setting])


def test_what_is_half_filled_in_is_there_again_after_a_look_at_another_page(runs: list[Job]) -> None:
    del runs
    app = open_page("training.py")
    asked(app, "epochs").set_value(7)
    asked(app, "early_stopping").set_value(3).run()
    app.selectbox(key="form-network--").select("resnet50").run()
    asked(app, "epochs").set_value(9).run()
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/training.py").run()
    assert not app.exception
    assert (app.selectbox(key="form-network--").value, asked(app, "epochs").value) == ("resnet50", 9)
    app.selectbox(key="form-network--").select("compact").run()
    assert (asked(app, "epochs").value, asked(app, "early_stopping").value) == (7, 3)


def test_a_setting_that_may_be_nothing_can_be_emptied_again(runs: list[Job]) -> None:
    del runs
    app = open_page("training.py")
    asked(app, "early_stopping").set_value(3).run()
    assert not asked(app, "early_stopping").proto.HasField("default"), "the browser would put that in its place"
    asked(app, "early_stopping").set_value(None).run()
    assert asked(app, "early_stopping").value is None


def test_what_was_filled_in_and_is_gone_by_now_is_not_chosen(runs: list[Job]) -> None:
    """A dataset may be renamed, and a model or a GPU be gone, while another page is open."""
    del runs
    app = open_page("training.py")
    first = app.selectbox(key="form-dataset--").value
    gone = {"form-dataset--": "gone", "form-device--": "9", "form-compact---start": Start.BUNDLE}
    app.session_state["kept-choices"] = gone | {"form-compact---bundle": "gone", "form-compact---rehearsal": "gone"}
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/training.py").run()
    assert not app.exception
    assert (app.selectbox(key="form-dataset--").value, app.selectbox(key="form-device--").value) == (first, CPU)
    assert app.selectbox(key="form-compact---bundle").value == BUILT_IN_KEY
    assert app.selectbox(key="form-compact---rehearsal").value is None
