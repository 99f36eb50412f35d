"""The Handwriting page and the Datasets page's use of the simulated hand, as Streamlit runs them, with real jobs."""

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hanzi_core.cli.perform import start
from hanzi_core.cli.synthesise import StarterConfig
from hanzi_core.dataset import Dataset
from hanzi_core.image.synthetic import encode_synthetic
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.jobs.store import State
from hanzi_core.strokes.synthesis import SynthesisConfig
from hanzi_core.workspace import Workspace
from pages.parts.plain_text import escape
from tests.collection import drawn, imported, png, write_files
from tests.test_page_training import _navigation_is_known  # noqa: F401  without it a press is forgotten
from tests.test_pages import open_page, texts


def tiles(app: AppTest) -> str:
    return next(str(each.proto.body) for each in app.get("html"))


def widget(app: AppTest, kind: str, label: str):
    return next(each for each in getattr(app, kind) if each.label == label)


def wait_for_the_hand(workspace: Workspace) -> State:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job = list_jobs(workspace, "synthesise")[0]
        state = job.status().state
        if not state.is_active and job.process() is None:
            return state
        time.sleep(0.2)
    raise TimeoutError


def test_forty_hands_that_change_with_style_slider_and_writers(workspace: Workspace) -> None:
    app = open_page("hand.py")
    shown = [tiles(app)]
    assert shown[0].count("<img") == 40
    app.button_group[0].set_value("brush").run()
    shown.append(tiles(app))
    widget(app, "slider", "Slant").set_value(0.4).run()
    shown.append(tiles(app))
    widget(app, "button", "Other writers").click().run()
    shown.append(tiles(app))
    assert not app.exception
    assert len(set(shown)) == 4
    widget(app, "button", "Back to the preset").click().run()
    assert widget(app, "slider", "Slant").value == pytest.approx(0.08)


def test_a_dataset_by_the_hand_as_it_is_adjusted(workspace: Workspace) -> None:
    app = open_page("hand.py")
    assert widget(app, "button", "Write").disabled
    widget(app, "slider", "Slant").set_value(0.3)
    widget(app, "text_input", "Name of the dataset").set_value("starter")
    widget(app, "text_area", "My own characters").set_value("common-0").run()
    assert not app.exception
    assert escape("no set common-0") in texts(app)
    widget(app, "text_area", "My own characters").set_value("永我あ")
    widget(app, "number_input", "Pictures a character").set_value(5).run()
    assert "lacks: あ" in texts(app)
    widget(app, "checkbox", "Write the others").uncheck().run()
    assert widget(app, "button", "Write").disabled
    widget(app, "checkbox", "Write the others").check().run()
    assert "2 characters, 10 pictures" in texts(app)
    widget(app, "button", "Write").click().run()
    assert not app.exception
    assert wait_for_the_hand(workspace) is State.FINISHED
    assert list_jobs(workspace, "synthesise")[0].config["synthesis"]["adjust"] == {"slant": 0.3}
    assert len(Dataset.find(workspace, "starter").manifest()) == 10
    assert "10 pictures of 2 characters" in texts(open_page("hand.py"))
    assert "tell nothing about real writing" in texts(open_page("datasets.py", dataset="starter"))


def test_that_one_was_written_is_told_for_a_while(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    start(workspace, "synthesise", StarterConfig(name="new", synthesis=SynthesisConfig(characters="永")), "new")
    assert wait_for_the_hand(workspace) is State.FINISHED
    assert "20 pictures of 1 characters" in texts(open_page("hand.py"))
    ended = list_jobs(workspace, "synthesise")[0].status().changes[-1].time
    monkeypatch.setattr(time, "time", lambda: ended + 3600)
    assert "20 pictures of 1 characters" not in texts(open_page("hand.py"))


def test_a_name_that_is_taken_is_refused_at_once(workspace: Workspace, tmp_path: Path) -> None:
    imported(workspace, write_files(tmp_path / "a", {f"人/{n}.png": png(drawn("人", n)) for n in range(3)}), "taken")
    app = open_page("hand.py")
    widget(app, "text_input", "Name of the dataset").set_value("taken")
    widget(app, "text_area", "My own characters").set_value("永").run()
    widget(app, "button", "Write").click().run()
    assert "already a dataset “taken”" in texts(app)
    assert not list_jobs(workspace)


def test_one_whose_name_was_taken_meanwhile_can_be_tried_again(workspace: Workspace, tmp_path: Path) -> None:
    imported(workspace, write_files(tmp_path / "a", {f"人/{n}.png": png(drawn("人", n)) for n in range(3)}), "taken")
    config = StarterConfig(name="taken", synthesis=SynthesisConfig(characters="永"))
    start(workspace, "synthesise", config, "taken")
    assert wait_for_the_hand(workspace) is State.FAILED
    app = open_page("hand.py")
    assert "already a dataset “taken”" in texts(app)
    Dataset.find(workspace, "taken").delete()
    widget(app, "button", "Go on").click().run()
    assert wait_for_the_hand(workspace) is State.FINISHED
    assert len(Dataset.find(workspace, "taken").manifest()) == 20


def test_a_job_of_another_version_leaves_the_pages_whole(workspace: Workspace, tmp_path: Path) -> None:
    imported(workspace, write_files(tmp_path / "set", {"永/1.png": png(drawn("人", 0))}), "set")
    for kind in ("synthesise", "materialise", "import"):
        Job.create(workspace, kind, {"setting_of_old": 1}, "older")
    for page in ("hand.py", "datasets.py"):
        assert not open_page(page).exception
    assert not open_page("datasets.py", dataset="set").exception


def test_one_that_failed_can_be_given_up(workspace: Workspace, tmp_path: Path) -> None:
    imported(workspace, write_files(tmp_path / "a", {f"人/{n}.png": png(drawn("人", n)) for n in range(3)}), "taken")
    config = StarterConfig(name="taken", synthesis=SynthesisConfig(characters="永"))
    start(workspace, "synthesise", config, "taken")
    assert wait_for_the_hand(workspace) is State.FAILED
    widget(open_page("hand.py"), "button", "Give up").click().run()
    assert not list_jobs(workspace)
    assert not [each for each in open_page("hand.py").button if each.label in ("Go on", "Give up")]


def test_rare_classes_are_filled_up_and_emptied_again(workspace: Workspace, tmp_path: Path) -> None:
    files = {f"{c}/{n}.png": png(drawn(c, n)) for c, count in {"人": 9, "木": 2}.items() for n in range(count)}
    files["ab/0.png"] = png(drawn("日", 5))
    (write_files(tmp_path / "set", files) / "火").mkdir()
    dataset = imported(workspace, tmp_path / "set")

    def opened() -> AppTest:
        app = open_page("datasets.py", dataset="set")
        widget(app, "number_input", "Pictures a character, at least").set_value(6).run()
        return app

    app = opened()
    assert "2 classes lack 10 pictures. The stroke library lacks: ab" in texts(app)
    widget(app, "button", "Write what is lacking").click().run()
    assert wait_for_the_hand(workspace) is State.FINISHED
    app = opened()
    assert next(metric.value for metric in app.metric if metric.label == "Synthetic") == "10"
    assert "10 pictures of 2 characters" in texts(app)
    assert widget(app, "button", "Write what is lacking").disabled
    widget(app, "button", "Remove the 10 that were written").click().run()
    assert wait_for_the_hand(workspace) is State.FINISHED
    assert escape("10 removed.") in texts(opened())
    assert not dataset.manifest()["synthetic"].any()
    assert not [each for each in opened().button if each.label.startswith("Remove")]


def test_what_a_filling_up_that_was_broken_off_has_left_can_be_removed(workspace: Workspace, tmp_path: Path) -> None:
    dataset = imported(workspace, write_files(tmp_path / "set", {"人/0.png": png(drawn("人", 0))}), "set")
    write_files(dataset.written, {"人/synthetic-everyday-0a1b2c3d-00000.png": encode_synthetic(drawn("人", 1))})
    widget(open_page("datasets.py", dataset="set"), "button", "Remove what was written").click().run()
    assert wait_for_the_hand(workspace) is State.FINISHED
    assert not dataset.written.exists()
