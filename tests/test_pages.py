"""Each page as Streamlit itself runs it, without a browser: whatever the workspace holds, no exception reaches it."""

import ast
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hanzi_core.bundle import BUILT_IN, Bundle, write_description
from hanzi_core.bundle_archive import archive_bundle
from hanzi_core.dataset import Dataset
from hanzi_core.jobs import Job
from hanzi_core.workspace import ENVIRONMENT_VARIABLE, Workspace
from tests.conftest import Command
from tests.handwriting import write_collection

PROJECT = Path(__file__).parents[1]
PAGES = sorted(path.name for path in (PROJECT / "pages").glob("[a-z]*.py"))


def open_page(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=30)
    app.query_params.update(query)
    return app.switch_page(f"pages/{name}").run()


def texts(app: AppTest) -> str:
    kinds = (app.title, app.info, app.error, app.warning, app.success, app.markdown, app.caption)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_an_empty_workspace(workspace: Workspace, name: str, language: str) -> None:
    app = open_page(name, lang=language)
    assert not app.exception
    assert len(app.title) == 1


@pytest.mark.parametrize("name", PAGES)
def test_a_workspace_with_a_run(trained: Workspace, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(trained.root))
    app = open_page(name)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("name", PAGES)
def test_no_text_but_the_first_stands_alone_in_a_page(name: str) -> None:
    body = ast.parse((PROJECT / "pages" / name).read_text("utf-8")).body
    alone = [each for each in body[1:] if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)]
    assert not alone, "Streamlit would show it"


def test_a_newcomer_is_told_where_to_begin(workspace: Workspace) -> None:
    assert "no dataset yet" in texts(open_page("datasets.py"))
    assert "nothing to train on yet" in texts(open_page("training.py"))


def test_a_run_that_was_deleted_is_told(trained: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(trained.root))
    app = open_page("training.py", run="train-19990101-000000-dead")
    assert not app.exception
    assert "no longer there" in texts(app)


def test_the_evaluation_shows_the_figures_of_its_run(
    trained: Workspace, finished_run: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(trained.root))
    app = open_page("evaluation.py", model=finished_run.id)
    shown = {metric.label: metric.value for metric in app.metric}
    dataset = Dataset.find(trained, "ten")
    assert shown["Pictures"] == str((dataset.parts("default") == "test").sum())
    assert shown["Top-1"].endswith("%")


def test_the_built_in_model_is_evaluated_like_any_other(workspace: Workspace, tmp_path: Path, command: Command) -> None:
    collection = write_collection(tmp_path / "two", "人木", 12)
    (collection / "木").rename(collection / "𪚥")  # 64 strokes: the model has no such class
    assert command("dataset", "import", str(collection)).returncode == 0
    app = open_page("evaluation.py", model="builtin")
    assert not app.exception
    assert [(box.label, box.value) for box in app.selectbox[:2]] == [("Model", "builtin"), ("Dataset", "two")]
    assert "Evaluate" in {button.label for button in app.button}
    done = command("evaluate", "builtin", "--dataset", "two")
    assert done.returncode == 0 and "50.00% of them have a class in this model" in done.stdout
    app = open_page("evaluation.py", model="builtin")
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["With a class of the model"] == "50.00%"
    assert not app.info
    write_collection(collection.parent / "two", "大", 9)
    assert command("dataset", "scan", "two").returncode == 0
    app = open_page("evaluation.py", model="builtin")
    assert "has changed since these figures were made" in texts(app)
    assert "Evaluate again" in {button.label for button in app.button}


def test_a_name_from_elsewhere_is_shown_and_does_not_act(workspace: Workspace) -> None:
    card = Bundle.open(BUILT_IN).card.model_copy(update={"name": "![](http://host/spy.png)"})
    folder = workspace.root / "models" / "foreign"
    folder.mkdir(parents=True)
    write_description(folder, card, ("*人*", "`木`"))
    app = open_page("models.py")
    assert not app.exception
    assert "spy" in texts(app) and "![](" not in texts(app)
    assert "\\*人\\* \\`木\\`" in texts(app)


def test_a_model_that_was_brought_in_can_go_and_no_other(trained: Workspace, workspace: Workspace) -> None:
    shutil.copytree(trained.root, workspace.root, dirs_exist_ok=True)
    shutil.copytree(BUILT_IN, workspace.models / "brush")
    app = open_page("models.py")
    assert not app.exception and not app.error
    assert [button.key for button in app.button if button.label == "Delete this model"] == ["delete-brush"]


def model_import() -> None:
    from hanzi_core.workspace import Workspace
    from pages.parts.model_import import show_model_import

    show_model_import(Workspace.open())


def test_a_model_is_brought_in_once_its_file_is_here(workspace: Workspace) -> None:
    app = AppTest.from_function(model_import, default_timeout=30).run()
    assert app.button[0].disabled
    app.file_uploader[0].upload("brush.zip", archive_bundle(BUILT_IN)).run()
    app.button[0].click().run()
    assert not app.exception and not app.error
    assert [folder.name for folder in workspace.models.iterdir()] == ["brush"]


@pytest.mark.parametrize(
    ("page", "kinds"), [("datasets.py", "ZIP, CSV, TSV, JSON, TXT"), ("models.py", "ZIP"), ("recognise.py", "PNG, JPG")]
)
def test_an_uploader_tells_in_chinese_what_it_takes(workspace: Workspace, page: str, kinds: str) -> None:
    app = open_page(page, lang="zh_CN")
    styles = [str(each.proto.body) for each in app.get("html")]
    assert any(f"每个文件最多 2 GB · {kinds}" in style for style in styles)


def run_watch() -> None:
    from pages.parts.run_notice import watch_runs

    watch_runs()


def test_a_workspace_that_goes_under_an_open_page_is_no_traceback(workspace: Workspace) -> None:
    """The look for ended runs comes every two seconds, with nothing of the page around it that says what is wrong."""
    app = AppTest.from_function(run_watch, default_timeout=30).run()
    assert not app.exception
    shutil.rmtree(workspace.root)
    workspace.root.touch()
    assert not app.run().exception


def test_a_damaged_workspace_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "ws"))
    broken = Workspace.open().datasets / "broken"
    broken.mkdir()
    (broken / "dataset.json").write_text("{")
    app = open_page("datasets.py")
    assert not app.exception
    assert "import it again" in texts(app)


def test_the_hand_writes_what_is_asked(workspace: Workspace) -> None:
    app = open_page("hand.py")
    assert not app.exception
    app.text_input[0].set_value("あ").run()
    assert not app.exception
    assert "あ" in texts(app)
