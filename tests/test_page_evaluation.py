"""The Evaluation page on evaluations that two models have really made."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hanzi_core.bundle import BUILT_IN, Bundle, write_card, write_description
from hanzi_core.cli.evaluation import evaluate_model
from hanzi_core.dataset import Part, store
from hanzi_core.dataset.manifest import read_manifest, write_manifest
from hanzi_core.dataset.store import MANIFEST
from hanzi_core.errors import ImageError
from hanzi_core.evaluation.predictions import PREDICTIONS, EvaluationConfig, read_predictions, write_predictions
from hanzi_core.jobs import Job, Work, list_jobs, run_work
from hanzi_core.language import mark, set_language_source
from hanzi_core.workspace import ENVIRONMENT_VARIABLE, Workspace
from pages.parts import evaluated_pictures
from pages.parts.evaluated_comparison import by_turns
from pages.parts.plain_text import escape
from tests.conftest import PROJECT
from tests.runs import make_dataset
from tests.test_pages import texts

VALIDATION = Part.VALIDATION


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """“three”, read by the built-in model and by its evil twin, which calls 口 日 and 日 口. Read it only."""
    place = tmp_path_factory.mktemp("evaluated")
    workspace = Workspace.open(place / "workspace")
    make_dataset(workspace, place / "three", count=15)
    built_in, folder = Bundle.open(BUILT_IN), workspace.models / "twin"
    shutil.copytree(BUILT_IN, folder)
    swapped = {"口": "日", "日": "口"}
    card = built_in.card.model_copy(update={"name": "*Twin*"})
    write_description(folder, card, tuple(swapped.get(label, label) for label in built_in.labels))
    for model in ("builtin", "twin"):
        assert evaluate_model(workspace, EvaluationConfig(model=model, dataset="three", part=VALIDATION)) == 0
    return workspace


@pytest.fixture
def _at_work(evaluated: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(evaluated.root))


def open_tab(name: str, model: str = "builtin") -> AppTest:
    """AppTest has no tabs to press, and forgets the open one at each run."""
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=30)
    app.query_params.update({"model": model, "dataset": "three"})
    app.session_state["part"] = VALIDATION
    app.session_state["evaluation-tab"] = name
    app.switch_page("pages/evaluation.py").run()
    assert not app.exception
    return app


def predictions_of(workspace: Workspace, model: str) -> pd.DataFrame:
    return read_predictions(
        next(job for job in list_jobs(workspace, "evaluate") if job.config["model"] == model).folder
    )


@pytest.mark.usefixtures("_at_work")
def test_a_figure_says_how_far_it_can_be_trusted(evaluated: Workspace) -> None:
    assert (predictions_of(evaluated, "builtin")["rank"] == 1).all(), "what follows is told of a model without mistakes"
    shown = texts(open_tab("Confusions"))
    assert "between 70.1% and 100.0% (95 % confidence interval)" in shown
    assert "Not one picture was taken for another character" in shown


@pytest.mark.usefixtures("_at_work")
def test_a_link_leads_to_the_part_that_its_sender_saw() -> None:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=30)
    app.query_params.update({"model": "twin", "dataset": "three", "part": "validation"})
    app.switch_page("pages/evaluation.py").run()
    assert [metric.value for metric in app.metric][:2] == ["9", "66.67%"]
    app.selectbox(key="part").set_value("test").run()
    assert app.query_params["part"] == "test" and not app.metric


@pytest.mark.usefixtures("_at_work")
def test_the_worst_character_comes_first_with_its_pictures() -> None:
    app = open_tab("Characters", "twin")
    table = app.dataframe[0].value
    assert table["label"][0] == "口" and set(table["label"]) == set("人木口")
    assert list(table["f1"]) == [0, 1, 1]
    assert "**口**" in texts(app)
    assert "Below each, what it was read as" in texts(app)


def captioned_pictures() -> None:
    from hanzi_core.evaluation.predictions import read_predictions
    from hanzi_core.jobs import list_jobs
    from pages.parts.evaluated_pictures import show_evaluated
    from pages.parts.session import workspace

    job = list_jobs(workspace(), "evaluate")[0]
    show_evaluated(job, read_predictions(job.folder).head(2), ["_人_ → <b>", "* 7%"], "")


@pytest.mark.usefixtures("_at_work")
def test_a_class_whose_name_is_markdown_is_shown_as_it_is() -> None:
    app = AppTest.from_function(captioned_pictures, default_timeout=30).run()
    assert not app.exception
    assert [each.caption for each in app.get("image")[0].proto.imgs] == [r"\_人\_ → \<b\>", r"\* 7%"]


@pytest.mark.usefixtures("_at_work")
def test_confidence_is_held_against_what_is_right(evaluated: Workspace) -> None:
    app = open_tab("Confidence", "twin")
    shown = {metric.label: metric.value for metric in app.metric}
    predictions = predictions_of(evaluated, "twin")
    sure = predictions["probability_1"] >= 0.9
    assert shown["Confidence of 90% or more"] == f"{sure.mean():.1%}"
    assert shown["Of these, right"] == f"{(predictions['rank'][sure] == 1).mean():.2%}"
    assert shown["Calibration error"] != "0.00%"


@pytest.mark.usefixtures("_at_work")
def test_two_models_are_compared_on_the_same_pictures() -> None:
    app = open_tab("Compare", "twin")
    assert app.selectbox(key="other").options == ["Built-in"]
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Both right"] == "6"
    assert (shown["Only this one right"], shown["Only the other right"]) == ("0", "3")
    assert "**Built\\-in** reads 33.33 points more of the 9 pictures right than **\\*Twin\\***" in texts(app)
    assert "That may be chance: p = 0.25" in texts(app)
    assert "Only **Built\\-in** reads these right" in texts(app)


@pytest.mark.usefixtures("_at_work")
def test_forms_of_a_character_can_count_as_one(evaluated: Workspace) -> None:
    """The built-in model is made to have read 國, labelled 国; the twin took it for 因."""
    as_they_were = {}
    for model, read_as in (("builtin", "國"), ("twin", "因")):
        predictions = predictions_of(evaluated, model)
        written = predictions["label"] == "口"
        changed = predictions.assign(
            label=predictions["label"].mask(written, "国"),
            predicted_1=predictions["predicted_1"].mask(written, read_as),
            rank=predictions["rank"].mask(written, 9),
        )
        folder = next(job for job in list_jobs(evaluated, "evaluate") if job.config["model"] == model).folder
        as_they_were[folder] = predictions
        write_predictions(changed, folder / PREDICTIONS)
    st.cache_resource.clear()  # a finished evaluation is taken not to change
    try:
        app = open_tab("Confusions")
        assert "**国** taken for **國**" in texts(app)
        (toggle,) = app.toggle
        assert toggle.label == "Simplified and traditional forms count as one: 3 pictures more are right"
        app.session_state["evaluation-tab"] = "Compare"
        toggle.set_value(True).run()
        assert [metric.value for metric in app.metric][:2] == ["9", "100.00%"]
        assert "**Built\\-in** reads 33.33 points more of the 9 pictures right" in texts(app)
        app = open_tab("Confusions", "twin")
        assert not app.toggle, "no other form is among what it took 国 for"
    finally:
        for folder, predictions in as_they_were.items():
            write_predictions(predictions, folder / PREDICTIONS)
        st.cache_resource.clear()


@pytest.mark.usefixtures("_at_work")
def test_an_evaluation_of_an_earlier_version_is_compared_too(evaluated: Workspace) -> None:
    config = (
        next(job for job in list_jobs(evaluated, "evaluate") if job.config["model"] == "twin").folder / "config.json"
    )
    as_it_is = config.read_text()
    try:
        config.write_text(as_it_is.replace('"model":', '"run":'))
        assert "33.33 points more" in texts(open_tab("Compare", "twin"))
    finally:
        config.write_text(as_it_is)


@pytest.mark.usefixtures("_at_work")
@pytest.mark.parametrize("asked_to_stop", [True, False])
def test_a_later_evaluation_that_came_to_nothing_does_not_take_the_figures_away(
    evaluated: Workspace, asked_to_stop: bool
) -> None:
    def work(working: Work) -> dict[str, int]:
        working.check()
        raise ImageError(mark("{name} is empty (0 bytes)."), name="c.png")

    before = open_tab("Confusions")
    config = next(job for job in list_jobs(evaluated, "evaluate") if job.config["model"] == "builtin").config
    later = Job.create(evaluated, "evaluate", config, "again")
    if asked_to_stop:
        later.request_stop()
    run_work(later, work)
    try:
        app = open_tab("Confusions")
        assert app.metric and [each.value for each in app.metric] == [each.value for each in before.metric]
        assert "Evaluate again" in [each.label for each in app.button]
        assert [each.value for each in app.error] == ([] if asked_to_stop else [escape("c.png is empty (0 bytes).")])
        assert "**again**" in [each.value for each in app.markdown]
    finally:
        shutil.rmtree(later.folder)


@pytest.mark.usefixtures("_at_work")
def test_an_evaluation_that_failed_is_called_in_the_language_of_the_reader(evaluated: Workspace) -> None:
    set_language_source(lambda: "zh_CN")
    failed = EvaluationConfig(model="builtin", dataset="three", part=Part.TEST)  # which is empty
    assert evaluate_model(evaluated, failed) == 2
    try:
        for language, name in (("en", "Built-in"), ("zh_CN", "内置模型")):
            app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=30)
            app.query_params.update({"model": "builtin", "dataset": "three", "lang": language})
            app.switch_page("pages/evaluation.py").run()
            assert f"**{escape(name)}**" in [each.value for each in app.markdown]
    finally:
        shutil.rmtree(list_jobs(evaluated, "evaluate")[0].folder)


@pytest.mark.usefixtures("_at_work")
def test_figures_of_an_earlier_model_of_the_same_name_are_told(evaluated: Workspace) -> None:
    folder = evaluated.models / "twin"
    card = Bundle.open(folder).card
    told = "has changed since these figures were made"
    assert told not in texts(open_tab("Confusions", "twin"))
    write_card(folder, card.model_copy(update={"created": card.created - 1}))
    try:
        assert told in texts(open_tab("Confusions", "twin"))
    finally:
        write_card(folder, card)


@pytest.mark.usefixtures("_at_work")
def test_figures_of_pictures_that_are_said_to_be_another_character_now_are_told(evaluated: Workspace) -> None:
    path = evaluated.datasets / "three" / MANIFEST
    as_it_is = read_manifest(path)
    told = "has changed since these figures were made"
    assert told not in texts(open_tab("Confusions"))
    write_manifest(as_it_is.assign(label=as_it_is["label"].replace("木", "本")), path)
    try:
        assert told in texts(open_tab("Confusions"))
    finally:
        write_manifest(as_it_is, path)


@pytest.mark.usefixtures("_at_work")
@pytest.mark.parametrize("kept", [(), ("split_digest",), ("split_digest", "model_created")])
def test_figures_of_an_earlier_version_are_taken_for_what_they_say(evaluated: Workspace, kept: tuple[str, ...]) -> None:
    job = next(job for job in list_jobs(evaluated, "evaluate") if job.config["model"] == "twin")
    result = job.result() or {}
    of_later = {"split_digest", "model_created", "pictures_digest"} - set(kept)
    job.write_result({name: value for name, value in result.items() if name not in of_later})
    told = "has changed since these figures were made"
    try:
        assert told not in texts(open_tab("Confusions", "twin"))
        if kept:
            job.write_result({**(job.result() or {}), "split_digest": "another"})
            assert told in texts(open_tab("Confusions", "twin"))
    finally:
        job.write_result(result)


def table_of() -> None:
    import pandas as pd
    import streamlit as st

    from pages.parts.evaluated_pictures import choose_row

    rows = pd.DataFrame({"label": list("人口木")}).head(st.session_state.get("rows", 3))
    st.text(choose_row(rows, {}, 200, "table")["label"])
    st.text(next(key for key in st.session_state if str(key).startswith("table")))


def test_a_choice_ends_with_the_rows_it_was_made_among() -> None:
    """With other forms counted as one, fewer pairs are confused: the page ended at row 30 of 20."""
    app = AppTest.from_function(table_of, default_timeout=30).run()
    app.session_state[app.text[1].value] = {"selection": {"rows": [2]}}
    assert app.run().text[0].value == "木"
    app.session_state["rows"] = 2
    app.run()
    assert not app.exception
    assert app.text[0].value == "人"


@pytest.mark.usefixtures("_at_work")
def test_a_lone_evaluation_has_nothing_to_be_compared_with(evaluated: Workspace) -> None:
    lone = Job.find(evaluated, list_jobs(evaluated, "evaluate")[0].id)
    hidden = lone.folder.with_name(".hidden")
    lone.folder.rename(hidden)
    try:
        assert "No other model has been evaluated on these pictures" in texts(open_tab("Compare"))
    finally:
        hidden.rename(lone.folder)


@pytest.mark.usefixtures("_at_work")
def test_predictions_that_are_gone_do_not_stop_the_comparison(evaluated: Workspace) -> None:
    other = next(job for job in list_jobs(evaluated, "evaluate") if job.config["model"] == "twin")
    table = other.folder / "predictions.parquet"
    hidden = table.rename(table.with_suffix(".hidden"))
    try:
        app = open_tab("Compare")
        assert "predictions" in app.error[0].value and "evaluate again" in app.error[0].value
    finally:
        hidden.rename(table)


def damage(folder: Path, fault: str) -> None:
    if fault == "no predictions":
        (folder / PREDICTIONS).unlink()
    elif fault == "other predictions":
        read_predictions(folder).drop(columns="rank").to_parquet(folder / PREDICTIONS)
    else:
        (folder / "result.json").write_text("{")


@pytest.mark.usefixtures("_at_work")
@pytest.mark.parametrize("fault", ["no predictions", "other predictions", "damaged result"])
def test_who_is_told_to_evaluate_again_can_do_so(evaluated: Workspace, tmp_path: Path, fault: str) -> None:
    folder = next(job for job in list_jobs(evaluated, "evaluate") if job.config["model"] == "twin").folder
    shutil.copytree(folder, tmp_path / "sound")
    damage(folder, fault)
    st.cache_resource.clear()
    try:
        app = open_tab("Confusions", "twin")
        assert "damaged" in app.error[0].value
        assert [each.label for each in app.button] == ["Evaluate again"]
    finally:
        shutil.copytree(tmp_path / "sound", folder, dirs_exist_ok=True)
        st.cache_resource.clear()


@pytest.mark.usefixtures("_at_work")
def test_the_rest_is_shown_where_the_pictures_are_away(evaluated: Workspace) -> None:
    pictures = evaluated.root.parent / "three"
    away = pictures.rename(pictures.with_name("away"))
    st.cache_resource.clear()
    try:
        app = open_tab("Confusions", "twin")
        assert "The pictures can no longer be read" in texts(app)
        assert "colour is the share of the row's pictures" in texts(app)
        assert [each.label for each in app.button] == ["Evaluate again"]
    finally:
        away.rename(pictures)
        st.cache_resource.clear()


@pytest.mark.usefixtures("_at_work")
def test_the_source_of_pictures_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip of 138,499 files takes seconds to open, at each pair that one looks at."""
    opened = []
    really_open = store.open_source
    monkeypatch.setattr(store, "open_source", lambda *place: opened.append(place) or really_open(*place))
    st.cache_resource.clear()
    for _time in range(2):
        assert open_tab("Confusions", "twin").get("image")
    assert len(opened) == 1


def a_large_picture() -> None:
    import numpy as np
    import streamlit as st

    from hanzi_core.evaluation.predictions import read_predictions
    from hanzi_core.jobs import list_jobs
    from pages.parts import evaluated_pictures
    from pages.parts.session import workspace

    evaluated_pictures.sample_pictures = lambda _source, paths: [np.zeros((3000, 2000), np.uint8) for _path in paths]
    evaluated_pictures.st.image = lambda pictures, **_manner: st.text(str([picture.shape for picture in pictures]))
    job = list_jobs(workspace(), "evaluate")[0]
    evaluated_pictures.show_evaluated(job, read_predictions(job.folder).head(1), ["人"], "")


@pytest.mark.usefixtures("_at_work")
def test_a_large_scan_is_sent_as_small_as_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scan is simulated: forty such with the noise of paper come to 137 MB."""
    monkeypatch.setattr(evaluated_pictures, "sample_pictures", evaluated_pictures.sample_pictures)
    monkeypatch.setattr(st, "image", st.image)
    app = AppTest.from_function(a_large_picture, default_timeout=30).run()
    assert not app.exception
    assert app.text[0].value == "[(192, 192)]"


@pytest.mark.usefixtures("_at_work")
def test_shares_in_tables_have_one_digit_each() -> None:
    """Of 0.991 and 0.9948 Streamlit made 99.1% and 99.48%."""
    for tab, names in (("Confusions", ["share"]), ("Characters", ["f1", "recall", "precision"])):
        columns = json.loads(open_tab(tab, "twin").dataframe[0].proto.columns)
        assert [columns[name]["type_config"]["step"] for name in names] == [0.001] * len(names)


@pytest.mark.usefixtures("_at_work")
def test_a_comparison_says_what_the_other_has_not_earned(evaluated: Workspace) -> None:
    told = "may have learned from some of these pictures"
    assert told not in texts(open_tab("Compare", "builtin"))
    folder = evaluated.models / "twin"
    card = Bundle.open(folder).card
    lesson = Job.create(evaluated, "train", {"dataset": "three", "split": "other"}, "run", ["cpu"])
    learned = lesson.folder.rename(lesson.folder.with_name("twin"))  # a run by which the model has its name
    write_card(folder, card.model_copy(update={"created": card.created - 1}))
    folder.rename(learned / "bundle")
    try:
        shown = texts(open_tab("Compare", "builtin"))
        assert f"**\\*Twin\\*** {told}" in shown
        assert "The dataset or **\\*Twin\\*** has changed since its figures were made" in shown
    finally:
        (learned / "bundle").rename(folder)
        shutil.rmtree(learned)
        write_card(folder, card)


def test_pictures_of_many_characters_come_before_many_of_one() -> None:
    rows = pd.DataFrame({"label": list("一一一二三三"), "row": range(6)})
    assert list(by_turns(rows)["row"]) == [0, 3, 4, 1, 5, 2]


@pytest.mark.usefixtures("_at_work")
def test_pictures_that_were_learned_under_another_name_are_told(evaluated: Workspace) -> None:
    """The twin is made a run that learned from all of “again”, which is “three” a second time."""
    again = evaluated.datasets / "again"
    shutil.copytree(evaluated.datasets / "three", again)
    lesson = {"dataset": "again", "split": "default", "keep_last": True}
    run = Job.create(evaluated, "train", lesson, "run", ["cpu"])
    shutil.copytree(evaluated.models / "twin", run.folder / "bundle")
    try:
        assert "may have learned from some of these pictures" in texts(open_tab("Confusions", run.id))
        assert "may have learned" not in texts(open_tab("Confusions", "twin"))
        shutil.rmtree(again)
        assert "may have learned" not in texts(open_tab("Confusions", run.id)), "nobody knows any more"
    finally:
        shutil.rmtree(again, ignore_errors=True)
        shutil.rmtree(run.folder)


@pytest.mark.usefixtures("_at_work")
def test_that_all_is_of_the_simulated_hand_is_told(evaluated: Workspace) -> None:
    told = "figures of it tell nothing about real writing"
    assert told not in texts(open_tab("Confusions"))
    path = evaluated.datasets / "three" / MANIFEST
    as_it_is = read_manifest(path)
    write_manifest(as_it_is.assign(synthetic=True), path)
    try:
        assert told in texts(open_tab("Confusions"))
    finally:
        write_manifest(as_it_is, path)
