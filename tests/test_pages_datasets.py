"""The Datasets page with real collections: what each tab shows; its buttons are pressed in a real browser."""

import gc
import re
import time
import weakref
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hanzi_core.dataset import Dataset, Fault, ImportConfig, Source, SplitSettings
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.jobs.store import State
from hanzi_core.workspace import Workspace
from pages.parts.dataset_facts import source_of
from pages.parts.plain_text import escape
from pages.parts.starter import ASKED_FOR
from tests.collection import drawn, imported, png, record, write_files, write_zip
from tests.handwriting import write_collection
from tests.test_page_training import _navigation_is_known  # noqa: F401  without it a press is forgotten
from tests.test_pages import open_page, texts

TABS = ["Overview", "Pictures", "Faults", "Split", "Augmentation", "Write out"]


@pytest.fixture
def dataset(workspace: Workspace, tmp_path: Path) -> Dataset:
    folder = write_collection(tmp_path / "a", "人木日", 8)
    one = (folder / "人" / "0.png").read_bytes()
    return imported(workspace, write_files(folder, {"人/copy.png": one, "入/0.png": one, "人/broken.png": b"x"}))


def open_tab(name: str) -> AppTest:
    return run(open_page("datasets.py", dataset="set"), name)


def run(app: AppTest, tab: str) -> AppTest:
    """Draw the page anew; AppTest has no tabs to press, and forgets the open one at each run."""
    app.session_state["tab"] = tab
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize("name", TABS)
def test_every_tab_opens(dataset: Dataset, name: str) -> None:
    assert not open_tab(name).error or name == "Split"


def test_overview(dataset: Dataset) -> None:
    app = open_tab("Overview")
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Classes"] == "4"
    assert shown["Pictures"] == "26"
    assert shown["Largest to smallest"] == "9 : 1"
    next(each for each in app.text_input if each.label == "Find a character").set_value("木").run()
    assert "“木” has 8 pictures." in texts(app)
    next(each for each in app.text_input if each.label == "Find a character").set_value("*粗*").run()
    assert r"There is no class “\*粗\*”" in texts(app), "no Markdown"
    next(each for each in app.number_input if each.label == "Classes under … pictures").set_value(2).run()
    assert "1 of 4 classes has fewer than 2 pictures." in texts(app)


def test_faults_of_a_kind_are_excluded_and_come_back(dataset: Dataset) -> None:
    app = open_tab("Faults")
    kinds = next(each for each in app.selectbox if each.label == "Files with").options
    assert kinds == ["damaged picture · 1", "same picture under two characters · 3", "exact copy of another · 2"]
    dataset.exclude([Fault.TWO_LABELS], [])
    assert "3 pictures are excluded" in texts(open_tab("Faults"))


def test_a_class_without_test_pictures_is_told(dataset: Dataset) -> None:
    app = open_tab("Split")
    assert "1 class has too few pictures" in texts(app)


def test_writers_who_hang_together_are_no_lack_of_pictures(dataset: Dataset) -> None:
    dataset.split(SplitSettings(writer_pattern=r"(\.)png"))
    shown = texts(open_tab("Split"))
    assert "those who share a copy stay together" in shown and "too few pictures" not in shown


def test_a_split_that_was_made_is_the_one_that_is_shown(dataset: Dataset) -> None:
    """The figures of the earlier one stood above a form that was filled with the new one's name and pattern."""
    app = open_tab("Split")
    fields = {"Name of the split": "writers", "Writer pattern": r"(\d)\.png"}
    for label, value in fields.items():
        next(each for each in app.text_input if each.label == label and each.proto.form_id == "split").set_value(value)
    next(each for each in app.button if each.label == "Split").click()
    run(app, "Split")
    assert next(each for each in app.selectbox if each.label == "Split").value == "writers"


def test_a_split_without_a_report_can_be_made_anew(dataset: Dataset) -> None:
    dataset.change_description(splits={"lost": SplitSettings(name="lost").model_dump()})  # no column of the manifest
    app = open_tab("Split")
    assert "missing or damaged" in texts(app)
    assert "Split anew" in texts(app)


def test_a_picture_can_be_found(dataset: Dataset) -> None:
    app = open_tab("Pictures")
    next(each for each in app.text_input if each.label == "Character").set_value("鬱")
    run(app, "Pictures")
    assert "no class “鬱”" in texts(app)
    next(each for each in app.text_input if each.label == "Character").set_value("木")
    run(app, "Pictures")


def test_names_of_classes_and_files_are_short_and_no_markdown(workspace: Workspace, tmp_path: Path) -> None:
    files = {
        name: png(drawn("人", seed))
        for seed, name in enumerate(["*粗*/1.png", "*粗*/_2_.png", "*粗*/validation_0_3.png", f"{'x' * 80}/3.png"])
    }
    imported(workspace, write_files(tmp_path / "a", files))
    app = open_tab("Pictures")
    assert [image.caption for image in app.get("image")[0].proto.imgs] == [r"\*粗\* · 3", "xxxxxxx… · 1"]
    assert list(app.dataframe[0].value["Character"]) == ["*粗*", "x" * 80]
    next(each for each in app.text_input if each.label == "Character").set_value("*粗*")
    captions = [image.caption for image in run(app, "Pictures").get("image")[1].proto.imgs]
    assert captions == ["1", r"\_2\_", r"…idation\_0\_3"]
    assert "*粗*/validation_0_3.png" in set(app.dataframe[0].value["File"])


def test_a_name_that_is_too_long_for_a_phone_stands_in_full(workspace: Workspace, tmp_path: Path) -> None:
    name = "数据集" * 8
    imported(workspace, write_collection(tmp_path / "a", "人", 3), name)
    assert f"{name} · Read in place from" in texts(open_page("datasets.py", dataset=name))


def import_form() -> None:
    from hanzi_core.workspace import Workspace
    from pages.parts.dataset_import import show_import_form

    show_import_form(Workspace.open())


def test_an_import_waits_for_its_zip(workspace: Workspace, tmp_path: Path) -> None:
    app = AppTest.from_function(import_form).run()
    upload = app.button(key="import-upload")
    assert upload.disabled
    packed = write_zip(tmp_path / "a.zip", {"人/1.png": png(drawn("人", 1))})
    app.file_uploader[0].upload(packed.name, packed.read_bytes()).run()
    assert not app.button(key="import-upload").disabled


def test_a_path_that_was_left_empty_is_asked_for(workspace: Workspace) -> None:
    app = AppTest.from_function(import_form).run()
    app.button(key="import-path").click().run()
    assert [error.value for error in app.error] == [escape("Give the path of a folder or zip on the server.")]


@pytest.mark.parametrize(("path", "labels"), [("~数据", ""), (".", "~数据/labels.csv"), ("/$a$ *b* &lt; `c`", "")])
def test_a_path_that_is_not_there_is_told_letter_by_letter(workspace: Workspace, path: str, labels: str) -> None:
    app = AppTest.from_function(import_form).run()
    fields = {field.label: field for field in app.text_input}
    fields["Path on the server"].set_value(path)
    fields["Label list on the server, if it needs one"].set_value(labels)
    app.button(key="import-path").click().run()
    assert not app.exception
    told = f"Nothing is at {labels or path} on this server: check the path."
    assert [re.sub(r"\\(.)", r"\1", error.value) for error in app.error] == [told]
    assert not re.findall(r"(?<!\\)[$*&`_]", app.error[0].value), "each would act as a sign of Markdown"


def test_an_import_of_a_name_that_is_on_its_way_is_refused_at_once(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "人", "人", 3)
    config = ImportConfig(location=folder, name="mine").model_dump(mode="json")
    job = Job.create(workspace, "import", config, "mine")
    app = AppTest.from_function(import_form).run()
    packed = write_zip(tmp_path / "mine.zip", {"人/1.png": png(drawn("人", 1))})
    app.file_uploader[0].upload(packed.name, packed.read_bytes()).run()
    app.button(key="import-upload").click().run()
    assert not app.exception
    assert "on its way already" in app.error[0].value
    assert list_jobs(workspace, "import") == [job]
    assert not list(workspace.root.rglob("*.zip")), "it was copied before it was refused"


def test_what_is_brought_in_by_others_closes_no_form(workspace: Workspace, tmp_path: Path) -> None:
    app = open_page("datasets.py")
    assert app.expander[0].proto.expanded
    imported(workspace, write_collection(tmp_path / "a", "人", 3), "of others")
    assert app.run().expander[0].proto.expanded
    app.session_state[ASKED_FOR] = "mine"
    assert app.run().expander[0].proto.expanded
    imported(workspace, write_collection(tmp_path / "b", "人", 3), "mine")
    assert not app.run().expander[0].proto.expanded
    assert not open_page("datasets.py").expander[0].proto.expanded


def writing_form() -> None:
    from hanzi_core.dataset import list_datasets
    from hanzi_core.workspace import Workspace
    from pages.parts.dataset_write import show_writing_out

    space = Workspace.open()
    show_writing_out(list_datasets(space)[0], space)


def kept_forms() -> None:
    import streamlit as st

    from hanzi_core.dataset import list_datasets
    from hanzi_core.workspace import Workspace
    from pages.parts.dataset_import import show_import_form
    from pages.parts.dataset_write import show_writing_out

    space = Workspace.open()
    if not st.session_state.get("away"):
        show_import_form(space)
        for each in list_datasets(space):
            show_writing_out(each, space)


def test_what_is_half_filled_in_stays_while_another_page_is_looked_at(dataset: Dataset) -> None:
    app = AppTest.from_function(kept_forms).run()
    typed = {
        "starter-name": "甲",
        "zip-name": "乙",
        "path-place": "/丙",
        "path-writers": "(.)",
        "write-set-target": "/丁",
    }
    numbers = {"starter-count": 7, "zip-test": 20, "path-total": 3.0, "write-set-augmented": 2}
    for key, value in typed.items():
        app.text_input(key=key).set_value(value)
    for key, number in numbers.items():
        app.number_input(key=key).set_value(number)
    app.selectbox(key="write-set-preset").set_value("none").run()
    for away in (True, False):
        app.session_state["away"] = away
        app.run()
    assert not app.exception
    assert {key: app.text_input(key=key).value for key in typed} == typed
    assert {key: app.number_input(key=key).value for key in numbers} == numbers
    assert app.selectbox(key="write-set-preset").value == "none"


def test_a_target_in_nobodys_home_is_one_sentence(dataset: Dataset) -> None:
    app = AppTest.from_function(writing_form).run()
    app.text_input[0].set_value("~数据")
    app.button[0].click().run()
    assert not app.exception
    assert [error.value for error in app.error] == [escape("Nothing is at ~数据 on this server: check the path.")]


def test_a_target_that_was_left_empty_is_asked_for(dataset: Dataset) -> None:
    app = AppTest.from_function(writing_form).run()
    app.button[0].click().run()
    assert [error.value for error in app.error] == [escape("Give the folder to write to.")]


def test_everything_excluded_is_told(dataset: Dataset) -> None:
    dataset.exclude([], dataset.manifest()["path"])
    assert "Every picture is excluded" in texts(open_tab("Overview"))
    for name in TABS:
        open_tab(name)


def test_a_source_that_has_gone_is_one_sentence(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "a").rename(tmp_path / "b")
    app = open_tab("Pictures")
    assert "Nothing is at" in texts(app)


def press(app: AppTest, label: str) -> AppTest:
    return next(each for each in app.button if each.label == label).click().run()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("dataset.json", "{", "“set” is damaged"),
        ("dataset.json", '{"splits": {"default": {}}}', "“set” is damaged"),
        ("manifest.parquet", "x", "is missing or damaged"),
        ("manifest.parquet", "", "is missing or damaged"),
    ],
)
def test_a_damaged_dataset_can_be_deleted(dataset: Dataset, name: str, content: str, says: str) -> None:
    (dataset.folder / name).unlink()
    if content:
        (dataset.folder / name).write_text(content)
    app = open_tab("Pictures")
    assert says in texts(app)
    press(app, "Delete this dataset")
    assert not dataset.folder.exists()


def wait_for_the_end(workspace: Workspace, kind: str) -> None:
    deadline = time.monotonic() + 60
    while list_jobs(workspace, kind)[0].status().state.is_active and time.monotonic() < deadline:
        time.sleep(0.2)


def test_why_an_import_failed_is_told(dataset: Dataset, workspace: Workspace, tmp_path: Path) -> None:
    app = open_page("datasets.py", dataset="set")
    (write_collection(tmp_path / "b", "人", 1) / "人" / "0.png").write_bytes(b"x")
    next(each for each in app.text_input if each.label == "Path on the server").set_value(str(tmp_path / "b"))
    app.button(key="import-path").click().run()
    wait_for_the_end(workspace, "import")
    assert list_jobs(workspace, "import")[0].status().state is State.FAILED
    assert str(list_jobs(workspace, "import")[0].status().changes[-1]) in texts(app.run()).replace("\\", "")


def test_a_name_that_is_taken_is_told_before_anything_is_read(
    dataset: Dataset, workspace: Workspace, tmp_path: Path
) -> None:
    app = AppTest.from_function(import_form).run()
    next(each for each in app.text_input if each.label == "Path on the server").set_value(str(tmp_path / "a"))
    next(each for each in app.text_input if each.key == "path-name").set_value("set")
    app.button(key="import-path").click().run()
    assert "There is already a dataset “set”" in app.error[0].value
    assert not list_jobs(workspace, "import")


def test_why_a_scan_failed_is_told(dataset: Dataset, workspace: Workspace, tmp_path: Path) -> None:
    app = open_page("datasets.py", dataset="set")
    (tmp_path / "a").rename(tmp_path / "b")
    press(app, "Scan again")
    wait_for_the_end(workspace, "scan")
    assert "Nothing is at" in texts(app.run())
    assert "Nothing is at" not in texts(open_page("datasets.py", dataset="set")), "others did not ask"


def test_an_upload_is_kept_and_goes_with_its_dataset(workspace: Workspace, tmp_path: Path) -> None:
    files = {f"人/{seed}.png": png(drawn("人", seed)) for seed in range(3)}
    uploaded = imported(workspace, write_zip(tmp_path / "mine.zip", files), take=True)
    app = open_tab("Pictures")
    assert "Kept in the workspace: `mine.zip`" in texts(app)
    assert "What was uploaded, corrected or written" in texts(app)
    opened = weakref.ref(source_of(uploaded))
    press(app, "Delete this dataset")
    gc.collect()
    assert opened() is None, "the disk gets back what an open file takes once that is closed"


def test_a_dataset_that_is_deleted_while_it_is_shown_is_one_sentence(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Dataset.source

    def delete_first(self: Dataset) -> Source:
        if dataset.folder.exists():
            dataset.delete()
        return source(self)

    monkeypatch.setattr(Dataset, "source", delete_first)
    assert "“set” was deleted while it was in use" in texts(open_tab("Pictures"))


def test_seven_thousand_classes_are_quick(workspace: Workspace, tmp_path: Path) -> None:
    pictures = [drawn("人", seed, 16) for seed in range(20)]
    records = (record(chr(0x4E00 + number), pictures[number % 20]) for number in range(7000))
    (tmp_path / "many.gnt").write_bytes(b"".join(records))
    imported(workspace, tmp_path / "many.gnt")
    app = open_tab("Overview")
    for name in TABS:
        started = time.process_time()
        run(app, name)
        assert time.process_time() - started < 4  # of the processor, once; a second look is kept
        assert all(len(table.value) <= 100 for table in app.dataframe)
    assert len(run(app, "Split").dataframe[-1].value) == 100  # of 7,000 classes that lack pictures
