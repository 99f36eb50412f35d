"""What the Recognise page shows of many pictures, as Streamlit runs it."""

import csv
import gc
import io
import weakref
import zipfile
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec
from streamlit.testing.v1 import AppTest

from hanzi_core.bundle import BUILT_IN, Bundle, Card, write_description
from hanzi_core.errors import ArchiveError, ImageError, WorkspaceError
from hanzi_core.image.binarise import Threshold, binarise
from hanzi_core.image.segment import Box, Direction
from hanzi_core.jobs import Job, State, Work
from hanzi_core.jobs.work import run_work
from hanzi_core.language import mark, set_language_source
from hanzi_core.recognition import PLAIN, Recogniser, Vocabulary
from hanzi_core.recognition.batch import COLUMNS, TABLE, write_faults
from hanzi_core.recognition.corrections import Corrections
from hanzi_core.recognition.prototypes import TaughtCharacters
from hanzi_core.workspace import Workspace
from pages.parts.drawing import Drawing
from pages.parts.model_card import names_to_choose
from pages.parts.plain_text import escape
from pages.parts.recognise_batch import read_table
from pages.parts.recognise_batch import start as start_batch
from pages.parts.recognise_desk import Desk
from pages.parts.recognise_settings import load_recogniser
from tests.collection import png, zipped
from tests.conftest import PROJECT, run_command
from tests.handwriting import draw
from tests.written_page import write, write_page


def page() -> None:
    from types import SimpleNamespace as Desk
    from typing import cast

    import streamlit as st

    from hanzi_core.workspace import Workspace
    from pages.parts.recognise_batch import show_batch

    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    show_batch(cast("Any", Desk(space=Workspace.open())), [])


def test_a_damaged_model_is_named_by_its_key(workspace: Workspace) -> None:
    torn = workspace.models / "torn"
    torn.mkdir()
    (torn / "card.json").write_text("{")
    assert names_to_choose({"builtin": BUILT_IN, "torn": torn}) == {"builtin": "Built-in", "torn": "torn (damaged)"}
    for name in ("Brush", "Pen"):  # what is read once is read anew when it was written anew
        write_description(torn, Card(name=name, network="compact", created=1.0), ("人",))
        assert names_to_choose({"torn": torn}) == {"torn": name}


def test_a_bundle_that_was_written_anew_is_loaded_anew() -> None:
    first = load_recogniser(BUILT_IN, 1.0)
    assert load_recogniser(BUILT_IN, 1.0) is first
    assert load_recogniser(BUILT_IN, 2.0) is not first


def test_corrections_name_the_built_in_model_in_the_language_of_the_reader(workspace: Workspace) -> None:
    card = Bundle.open(BUILT_IN).card
    for name in (card.name, "mine"):
        written = draw("木", np.random.default_rng(0))
        Corrections(workspace).add(written, "本", [], card.model_copy(update={"name": name}))
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=30)
    app.query_params["lang"] = "zh_CN"
    app.session_state["recognise-way"] = "纠正"
    app.run()
    assert not app.exception
    assert set(app.dataframe[0].value["model"]) == {"内置模型", "mine"}


def finished_job(workspace: Workspace) -> Job:
    """A job that read one picture, found no ink in another, and could not read the third; its table is English."""
    error = ImageError(mark("{name} is empty (0 bytes)."), name="c.png")
    rows = [
        ["a.png", *"人入八儿大尺久卜几乂", "0.912345", *["0.010000"] * 9, "no", ""],
        ["b.png", *[""] * 22],
        ["c.png", *[""] * 21, str(error)],
    ]

    def work(_work: object) -> dict[str, int]:
        with (job.folder / TABLE).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
        write_faults(job.folder, [("c.png", error)])
        return {"images": 3, "faults": 1}

    job = Job.create(workspace, "predict", {}, "three files")
    assert run_work(job, work) == 0
    return job


def test_faults_are_told_in_the_language_of_the_reader(workspace: Workspace) -> None:
    job = finished_job(workspace)
    set_language_source(lambda: "zh_CN")
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    shown: pd.DataFrame = app.dataframe[0].value
    assert shown["error"].tolist() == ["", "没有找到墨迹", "c.png 是空的（0 字节）。"]
    assert shown["probability_1"].isna().tolist() == [False, True, True]
    app.button_group[0].set_value("faulty").run()
    assert app.dataframe[0].value.to_dict("records") == [{"path": "c.png", "error": "c.png 是空的（0 字节）。"}]
    table = list(csv.reader(io.StringIO(read_table(job.folder).to_csv(index=False))))
    assert table[0] == list(COLUMNS)
    assert table[1][11] == "0.912345", "as it was written"
    assert [row[-1] for row in table[1:]] == ["", "", "c.png 是空的（0 字节）。"]


def test_the_rows_that_were_chosen_are_shown_in_another_language_too(workspace: Workspace) -> None:
    finished_job(workspace)
    app = AppTest.from_function(page, default_timeout=30).run()
    app.button_group[0].set_value("faulty").run()
    set_language_source(lambda: "zh_CN")
    assert sound(app.run()).dataframe[0].value["path"].tolist() == ["c.png"]


def test_doubtful_is_what_the_answer_itself_doubts(workspace: Workspace) -> None:
    job = finished_job(workspace)
    app = AppTest.from_function(page, default_timeout=30).run()
    app.button_group[0].set_value("doubtful").run()
    assert app.dataframe[0].value["path"].tolist() == ["a.png", "b.png"], "sure, by its probability"
    read_table(job.folder).drop(columns="sure").to_csv(job.folder / TABLE, index=False)
    app = AppTest.from_function(page, default_timeout=30).run()
    app.button_group[0].set_value("doubtful").run()
    assert app.dataframe[0].value["path"].tolist() == ["b.png"], "of a table without the column there is no more"


def ended_job(workspace: Workspace, state: State) -> Job:
    """A job that wrote the table of one picture, or nothing, and ended as ``state`` says."""

    def work(working: Work) -> dict[str, int]:
        if state is State.FAILED:
            raise ImageError(mark("{name} is empty (0 bytes)."), name="c.png")
        (job.folder / TABLE).write_text(",".join(COLUMNS) + "\na.png,人" + 21 * "," + "\n", "utf-8")
        working.check()
        return {}

    job = Job.create(workspace, "predict", {}, "many")
    job.request_stop()
    run_work(job, work)
    assert job.status().state is state
    return job


@pytest.mark.parametrize("state", [State.FAILED, State.STOPPED])
def test_a_job_that_did_not_come_to_its_end_says_so_once(workspace: Workspace, state: State) -> None:
    ended_job(workspace, state)
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    assert app.session_state["runs"] == 1, "the page ran again and again"
    assert [each.value for each in app.error] == (
        [escape("c.png is empty (0 bytes).")] if state is State.FAILED else []
    )
    assert len(app.dataframe) == (state is State.STOPPED), "what was read is kept"
    assert app.markdown[0].value.startswith("**many**")


def test_the_old_text_that_a_stroke_on_its_way_tells_is_no_news(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    del workspace
    monkeypatch.setattr("pages.parts.recognise_writing._LATE_S", 600.0)  # however slow the machine
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    app.session_state["written"] = "大木"
    sound(app.run()).button(key="backspace").click()
    sound(app.run()).text_input(key="written-box").input("大木")
    assert sound(app.run()).text_input(key="written-box").value == "大"
    monkeypatch.setattr("pages.parts.recognise_writing._LATE_S", 0.0)  # typed again later on
    app.text_input(key="written-box").input("大木")
    assert sound(app.run()).text_input(key="written-box").value == "大木"


def test_what_of_a_list_the_model_lacks_is_told_under_it(workspace: Workspace) -> None:
    TaughtCharacters(workspace).add("☃", [draw("木", np.random.default_rng(0))])
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    app.session_state["kept-vocabulary"] = Vocabulary.LIST
    app.session_state["kept-listed"] = "一 二☃"
    told = "unknown to the model"
    assert not [each.value for each in sound(app.run()).caption if told in each.value]
    sound(app.text_area(key="widget-listed").input("一*二😀☃😁").run())
    (caption,) = (each.value for each in app.caption if told in each.value)
    assert caption == rf"3 of them are {told}: \*😀😁"


@pytest.mark.parametrize(("listed", "told"), [("一二", []), ("龘。", ["knows none of the characters that count"])])
def test_a_list_of_characters_that_the_model_lacks_is_told_beside_the_pad(
    workspace: Workspace, listed: str, told: list[str]
) -> None:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    drawing = Drawing()
    drawing.objects = [stroke_object(100, 200, 300, 205)]
    app.session_state["drawing-pad"] = drawing
    app.session_state["kept-vocabulary"] = Vocabulary.LIST
    app.session_state["kept-listed"] = listed
    app.run()
    assert not app.exception
    assert len(app.error) == len(told)
    assert all(part in each.value for part, each in zip(told, app.error, strict=True))


def test_what_was_typed_is_told_together_with_the_click_after_it(workspace: Workspace) -> None:
    del workspace
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    app.session_state["written"] = "大木"
    sound(app.run()).text_input(key="written-box").input("大木人口")
    sound(app.button(key="backspace").click().run())
    assert app.text_input(key="written-box").value == "大木人"


def stroke_object(left: int, top: int, right: int, bottom: int) -> dict[str, Any]:
    """A straight stroke as the pad's canvas tells it."""
    middle = [(left + right) / 2, (top + bottom) / 2]
    return {
        "type": "path",
        "path": [["M", left, top], ["Q", left, top, *middle], ["L", right, bottom]],
        "left": left,
        "top": top,
        "width": right - left,
        "height": bottom - top,
        "strokeWidth": 14,
        "originX": "left",
        "originY": "top",
    }


def page_of_a_pad() -> None:
    from pages.parts.ink_pad import show_ink_pad

    show_ink_pad()


def test_a_stroke_is_heard_before_the_page_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def canvas_of_a_page_that_is_left(key: str, on_change: Callable[[], object] = lambda: None, **_: object) -> None:
        st.session_state[key] = {"drawing": {"raw": {"objects": [stroke_object(100, 200, 300, 205)]}}}
        on_change()  # Streamlit calls it as the run begins, which may end right after that
        st.stop()

    monkeypatch.setattr("pages.parts.ink_pad.st_canvas", canvas_of_a_page_that_is_left)
    app = AppTest.from_function(page_of_a_pad).run()
    assert not app.exception
    assert len(app.session_state["drawing-pad"].strokes()) == 1


def uploaded(name: str, content: bytes, number: int) -> UploadedFile:
    return UploadedFile(UploadedFileRec(f"id{number}", name, "image/png", content), FileURLs())


def test_a_second_click_on_the_same_files_starts_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.parts.recognise_batch.launch_job", lambda _job: None)
    desk = cast("Desk", SimpleNamespace(space=workspace, model="builtin", preferences=PLAIN))
    names = ["image.png", "2-image.png", "image.png", "image.png"]
    files = [uploaded(name, b"%d" % number, number) for number, name in enumerate(names)]
    first = start_batch(desk, files)
    assert start_batch(desk, files) == first
    assert start_batch(desk, files[:2]) != first, "other files"
    with zipfile.ZipFile(next(first.folder.rglob("*.zip"))) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [b"0", b"1", b"2", b"3"]
        assert len(set(archive.namelist())) == 4, "none takes the name of another"


def test_zips_beside_each_other_and_pictures_are_read_as_what_they_hold(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.parts.recognise_batch.launch_job", lambda _job: None)
    desk = cast("Desk", SimpleNamespace(space=workspace, model="builtin", preferences=PLAIN))
    wood = png(draw("木", np.random.default_rng(0)))
    one, two = zipped({"1.png": wood}), zipped({"人/1.png": wood, "2.png": wood})
    both = [uploaded("a.zip", one, 0), uploaded("A.ZIP", two, 1)]
    again, loose = uploaded("pictures.zip", one, 2), uploaded("1.png", wood, 3)

    def paths(files: list[UploadedFile]) -> list[str]:
        job = start_batch(desk, files)
        assert run_command(workspace.root, "predict", "--job", job.id).returncode == 0
        table = read_table(job.folder)
        assert not table["error"].any()
        return table["path"].tolist()

    assert paths(both) == ["a.zip/1.png", "2-A.ZIP/2.png", "2-A.ZIP/人/1.png"]
    assert paths([again, loose, both[0]]) == ["1.png", "2-pictures.zip/1.png", "a.zip/1.png"]
    with pytest.raises(ArchiveError, match=r"b\.zip is damaged"):
        start_batch(desk, [loose, uploaded("b.zip", b"rubbish", 4)])


def page_of_characters() -> None:
    import streamlit as st

    from hanzi_core.bundle import BUILT_IN
    from hanzi_core.image.binarise import Polarity
    from hanzi_core.recognition import Preferences
    from hanzi_core.workspace import Workspace
    from pages.parts.recognise_desk import Desk
    from pages.parts.recognise_page import show_page
    from pages.parts.recognise_settings import load_recogniser

    desk = Desk(Workspace.open(), "builtin", load_recogniser(BUILT_IN, 0.0), Preferences())
    polarity = st.session_state.get("polarity", Polarity.FOUND)
    show_page(desk, st.session_state["gray"], st.session_state["digest"], polarity)


def opened_page(gray: np.ndarray) -> AppTest:
    """A page that was uploaded, as its part of the Recognise page shows it."""
    app = AppTest.from_function(page_of_characters, default_timeout=30)
    return look_at(app, gray, "one")


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def choose(app: AppTest, *rows: int) -> AppTest:
    """Tick rows of the table that is shown."""
    (key,) = (each for each in app.session_state if each.startswith(("page-table-", "corrections-")))
    app.session_state[key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return sound(app.run())


def read_as(app: AppTest, direction: Direction) -> AppTest:
    return sound(app.button_group(key="direction").set_value(direction).run())


def look_at(app: AppTest, gray: np.ndarray, digest: str) -> AppTest:
    app.session_state["gray"], app.session_state["digest"] = gray, digest
    return sound(app.run())


def test_rows_that_were_chosen_are_not_those_of_another_reading(workspace: Workspace) -> None:
    del workspace
    app = choose(opened_page(write_page(["大木人口", "日中十三"], seed=3)), 7)
    assert not app.button(key="page-correct-open").disabled
    read_as(app, Direction.COLUMNS)
    assert "page-correct-open" not in [each.key for each in app.button]


def alike(count: int = 4) -> np.ndarray:
    """A line of characters that are the same to the pixel, as on a screenshot."""
    return np.hstack([255 - np.pad(write("木", 0, 72)[0], 24)] * count)


def correct(app: AppTest, label: str) -> AppTest:
    """Say what the chosen character should be."""

    def opened() -> None:  # AppTest closes a dialog at each run
        app.button(key="page-correct-open").click()

    opened()
    sound(app.run()).text_input[0].input(label)
    opened()
    app.button(key="FormSubmitter:page-correct-Keep as correction").click()
    return sound(app.run())


def offered(app: AppTest) -> list[str]:
    app.button(key="page-correct-open").click()
    return list(sound(app.run()).button_group[-1].options)


def kept_labels(workspace: Workspace) -> list[str]:
    return [each.label for each in Corrections(workspace).all()]


def told(app: AppTest) -> list[str]:
    return [each.value for each in app.markdown if "Kept" in each.value]


def test_a_correction_belongs_to_its_box_and_not_to_all_that_look_the_same(workspace: Workspace) -> None:
    app = correct(choose(opened_page(alike()), 0), "末")
    assert app.text[0].value == "末木木木"
    choose(app, 3)
    assert told(app) == []
    correct(app, "本")
    choose(app, 0)
    assert "末" in told(app)[0]
    sound(app.button(key="page-correct-undo").click().run())
    assert (app.text[0].value, kept_labels(workspace), told(app)) == ("木木木本", ["本"], [])


def test_a_second_correction_of_a_box_takes_the_place_of_the_first(workspace: Workspace) -> None:
    app = choose(opened_page(alike()), 1)
    assert "木" not in offered(app)
    correct(app, "末")
    assert offered(app)[0] == "木"
    correct(app, "未")
    assert (app.text[0].value, kept_labels(workspace)) == ("木未木木", ["未"])
    sound(app.button(key="page-correct-undo").click().run())
    assert (app.text[0].value, kept_labels(workspace)) == ("木木木木", [])


def test_what_was_typed_for_one_box_is_not_offered_for_another(workspace: Workspace) -> None:
    del workspace
    app = opened_page(alike())
    asked = set()
    for row in range(2):
        offered(choose(app, row))
        asked |= {app.text_input[0].proto.id, app.button_group[-1].proto.id}
    assert len(asked) == 4


def test_what_was_deleted_among_the_corrections_is_no_longer_said_to_be_kept(workspace: Workspace) -> None:
    app = correct(choose(opened_page(alike()), 1), "末")
    Corrections(workspace).delete([each.id for each in Corrections(workspace).all()])
    sound(app.run())
    assert (app.text[0].value, told(app)) == ("木木木木", [])


def test_what_was_said_holds_whichever_way_the_page_is_read(workspace: Workspace) -> None:
    app = correct(choose(opened_page(alike()), 1), "末")
    assert read_as(app, Direction.COLUMNS).text[0].value == "木\n木\n末\n木"
    assert look_at(app, alike(2), "two").text[0].value == "木\n木"
    assert read_as(look_at(app, alike(), "one"), Direction.ROWS).text[0].value == "木末木木"
    assert kept_labels(workspace) == ["末"]


def test_what_cannot_be_taken_back_is_told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise WorkspaceError("No space is left.")

    app = correct(choose(correct(choose(opened_page(alike(2)), 0), "末"), 1), "本")
    with monkeypatch.context() as patch:
        patch.setattr("hanzi_core.recognition.corrections.rescan", refuse)
        app.button(key="page-correct-undo").click()
        assert "No space" in sound(app.run()).error[0].value
    (Corrections(workspace).folder / "manifest.parquet").write_bytes(b"rubbish")
    app.button(key="page-correct-undo").click()
    assert not sound(app.run()).error
    assert kept_labels(workspace) == ["末"], "the damaged list of pictures is made anew"


def press(app: AppTest, label: str) -> AppTest:
    (button,) = (each for each in app.button if each.label == label)
    return sound(button.click().run())


def test_mended_boxes_are_kept_while_the_page_is_read_otherwise_and_another_is_looked_at(workspace: Workspace) -> None:
    del workspace
    app = press(choose(opened_page(alike()), 0, 1), "Delete")
    assert app.text[0].value == "木木"
    assert len(read_as(app, Direction.ROWS).text[0].value) == 4
    assert len(look_at(app, alike(3), "two").text[0].value) == 3
    read_as(look_at(app, alike(), "one"), Direction.FOUND)
    assert app.text[0].value == "木木"
    press(app, "Begin anew")
    assert app.text[0].value == "木木木木"


def test_a_session_keeps_the_last_few_readings(workspace: Workspace) -> None:
    del workspace
    app = opened_page(alike(2))
    for number in range(5):
        look_at(app, alike(2), f"page {number}")
    assert [asked[0] for asked in app.session_state["page-readings"]] == [f"page {number}" for number in range(1, 5)]


def test_a_reading_does_not_hold_on_to_a_model_that_is_closed(workspace: Workspace) -> None:
    (reading,) = opened_page(alike(2)).session_state["page-readings"].values()
    models = [Recogniser.open(BUILT_IN)]
    reading.read(SimpleNamespace(space=workspace, reader=lambda: models[0], preferences=PLAIN))
    closed = weakref.ref(models.pop())
    gc.collect()
    assert closed() is None


def test_a_page_whose_boxes_are_all_deleted_can_be_begun_anew(workspace: Workspace) -> None:
    del workspace
    app = press(choose(opened_page(alike(2)), 0, 1), "Delete")
    assert press(app, "Begin anew").text[0].value == "木木"


def test_a_click_that_is_heard_twice_mends_once(workspace: Workspace) -> None:
    del workspace
    (reading,) = opened_page(alike()).session_state["page-readings"].values()
    boxes = list(reading.boxes)
    for _heard in range(2):
        reading.change(boxes[:2], [])
    assert reading.boxes == boxes[2:]


def test_a_box_of_one_pixel_is_not_cut(workspace: Workspace) -> None:
    del workspace
    app = opened_page(alike(2))
    (reading,) = app.session_state["page-readings"].values()
    for box, is_one in ((Box(0, 60, 60, 62, 61), False), (Box(0, 60, 60, 61, 61), True)):
        reading.boxes = [box]
        choose(app, 0)
        (cut,) = (each for each in app.button if each.label == "Cut in two")
        assert cut.disabled is is_one


def page_of_taught_characters() -> None:
    from hanzi_core.workspace import Workspace
    from pages.parts.recognise_taught import show_taught

    show_taught(Workspace.open())


def test_a_damaged_character_is_told_and_can_be_deleted(workspace: Workspace) -> None:
    taught = TaughtCharacters(workspace)
    sound_one = taught.add("日", [draw("日", np.random.default_rng(0))])
    for damage in ("", "{", '{"label": "☀"}'):
        damaged = taught.add("☀", [draw("日", np.random.default_rng(0))])
        damaged.drawings[0].write_bytes(b"rubbish")
        (taught.folder / damaged.id / "name.json").write_text(damage)
    app = sound(AppTest.from_function(page_of_taught_characters, default_timeout=30).run())
    assert [each.value for each in app.caption].count(
        "Damaged, and so not recognised: delete it, and teach it again."
    ) == 3
    for each in taught.all():
        if each.id != sound_one.id:
            sound(app.button(key=f"taught-delete-{each.id}").click().run())
    assert taught.all() == [sound_one]
    assert not app.caption


def page_of_corrections() -> None:
    from types import SimpleNamespace
    from typing import cast

    from hanzi_core.bundle import BUILT_IN
    from hanzi_core.workspace import Workspace
    from pages.parts.recognise_corrections import show_corrections
    from pages.parts.recognise_settings import load_recogniser

    desk = SimpleNamespace(space=Workspace.open(), recogniser=load_recogniser(BUILT_IN, 0.0), model="builtin")
    show_corrections(cast("Any", desk))


def opened_corrections(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Three of them."""
    monkeypatch.setattr(st, "page_link", lambda *_arguments, **_settings: None)  # needs the other pages
    card = Bundle.open(BUILT_IN).card
    for label in "木本末":
        Corrections(workspace).add(draw("木", np.random.default_rng(0)), label, [], card)
    return sound(AppTest.from_function(page_of_corrections, default_timeout=30).run())


def test_a_line_stands_between_the_tab_and_the_table_of_corrections(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a touch screen the buttons of a table stand above it: they were on the tab."""
    app = opened_corrections(workspace, monkeypatch)
    kinds = [app.main[place].type for place in (0, 1)]
    assert kinds == ["caption", "dataframe"]


def test_corrections_that_are_damaged_are_named_beside_the_list(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened_corrections(workspace, monkeypatch)
    assert not app.warning
    records = sorted((Corrections(workspace).folder / "records").iterdir())
    for number, record in enumerate(records, 1):
        record.write_bytes(b"")
        (warning,) = sound(app.run()).warning
        assert warning.value.count("json") == number
    assert not app.info, "something was corrected"


def test_corrections_that_were_chosen_are_not_those_of_a_list_that_has_changed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = choose(opened_corrections(workspace, monkeypatch), 0)
    corrections = Corrections(workspace)
    corrections.delete([corrections.all()[0].id])
    corrections.add(draw("木", np.random.default_rng(0)), "未", [], Bundle.open(BUILT_IN).card)
    sound(app.run())
    (delete,) = (each for each in app.button if each.label == "Delete the chosen")
    assert delete.disabled


def test_a_correction_whose_picture_is_damaged_can_be_deleted(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    corrections = Corrections(workspace)
    app = opened_corrections(workspace, monkeypatch)
    corrections.picture_path(corrections.all()[0]).write_bytes(b"rubbish")
    press(choose(app, 0), "Delete the chosen")
    assert kept_labels(workspace) == ["本", "木"]


def one_picture() -> None:
    """The part of the page that shows an upload, in a script of its own."""
    import streamlit as st

    from hanzi_core.bundle import BUILT_IN
    from hanzi_core.recognition import Preferences
    from hanzi_core.workspace import Workspace
    from pages.parts.recognise_desk import Desk
    from pages.parts.recognise_picture import show_picture
    from pages.parts.recognise_settings import load_recogniser

    desk = Desk(Workspace.open(), "builtin", load_recogniser(BUILT_IN, 0.0), Preferences())
    if not st.session_state.get("away"):
        show_picture(desk, st.session_state["data"], "picture.png")


def opened_picture(gray: np.ndarray) -> AppTest:
    app = AppTest.from_function(one_picture, default_timeout=30)
    app.session_state["data"] = cv2.imencode(".png", gray)[1].tobytes()
    return sound(app.run())


@pytest.mark.parametrize(("text", "several"), [("一", False), ("十", False), ("明天", True)])
def test_a_picture_of_one_character_is_told_from_a_page(workspace: Workspace, text: str, several: bool) -> None:
    del workspace
    assert opened_picture(write_page([text])).button_group[0].value is several


def test_what_was_said_of_a_picture_holds_after_a_look_elsewhere(workspace: Workspace) -> None:
    del workspace
    app = opened_picture(write_page(["木"]))
    sound(app.button_group[0].set_value(True).run())
    read_as(app, Direction.COLUMNS)
    for away in (True, False):
        app.session_state["away"] = away
        sound(app.run())
    assert [each.value for each in app.button_group] == [True, Direction.COLUMNS]


def test_a_correction_keeps_what_was_read(workspace: Workspace) -> None:
    """The ink that was found by hand, not the picture in whose shadow it lay."""
    shaded = (write_page(["永"], size_px=200) * np.linspace(0.3, 1, 636)).astype(np.uint8)
    app = opened_picture(shaded)
    sound(app.selectbox(key="widget-threshold").set_value(Threshold.ADAPTIVE).run())
    app.button(key="picture-correct-open").click()
    sound(app.run()).text_input[-1].input("水")
    app.button(key="picture-correct-open").click()
    app.button(key="FormSubmitter:picture-correct-Keep as correction").click()
    sound(app.run())
    (correction,) = Corrections(workspace).all()
    kept = cv2.imread(str(Corrections(workspace).picture_path(correction)), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(kept, 255 - binarise(shaded, Threshold.ADAPTIVE))


def test_what_was_not_among_the_candidates_can_be_written_once_it_is_kept(workspace: Workspace) -> None:
    del workspace
    app = opened_picture(write_page(["永"], size_px=200))
    app.button(key="picture-correct-open").click()
    sound(app.run()).text_input[-1].input("*")  # no Markdown either
    app.button(key="picture-correct-open").click()
    app.button(key="FormSubmitter:picture-correct-Keep as correction").click()
    written = sound(app.run()).button(key="picture-correct-write")
    assert written.label == r"Write \*"
    assert sound(written.click().run()).text_input(key="written-box").value == "*"


def test_why_is_told_of_the_first_candidate_and_not_of_another_that_the_model_knows(workspace: Workspace) -> None:
    gray = write_page(["永"], size_px=200)
    TaughtCharacters(workspace).add("☃", [gray] * 3)
    app = opened_picture(gray)
    sound(app.toggle(key="picture-why").set_value(True).run())
    assert app.caption[-1].value == "It is like the drawings that this character was taught by."
    assert not [each.value for each in app.markdown if "looks like" in each.value]


def test_why_stays_as_it_was_chosen_while_there_is_nothing_to_explain(workspace: Workspace) -> None:
    del workspace
    app = opened_picture(write_page(["永"], size_px=200))
    sound(app.toggle(key="picture-why").set_value(True).run())
    for away in (True, False):
        app.session_state["away"] = away
        sound(app.run())
    assert app.toggle(key="picture-why").value
