"""The whole way in a real browser: bring in, split, train, watch, evaluate, draw, read."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from hanzi_core.dataset import Dataset
from hanzi_core.jobs import Job, State, list_jobs
from hanzi_core.workspace import Workspace
from tests.browser.conftest import Starter, open_page
from tests.browser.pad import best, draw
from tests.handwriting import write_collection

pytestmark = pytest.mark.browser

TRAINING_LIMIT_S = 480


def wait_for(question: Callable[[], bool], what: str, limit_s: float = 120) -> None:
    deadline = time.monotonic() + limit_s
    while not question():
        assert time.monotonic() < deadline, f"waited {limit_s} s for {what}"
        time.sleep(0.25)


def bring_in(page: Page, zip_path: Path, name: str) -> None:
    open_page(page, "Datasets")
    page.locator("input[type=file]").set_input_files(zip_path)
    expect(page.get_by_text(zip_path.name)).to_be_visible()
    page.get_by_label("Name").first.fill(name)
    page.get_by_role("button", name="Import").first.click()
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()


def start_training(page: Page, workspace: Workspace, epochs: int) -> Job:
    open_page(page, "Training")
    expander = page.get_by_test_id("stExpander").filter(has_text="New run").locator("details").first
    expect(expander).to_be_visible()
    if expander.get_attribute("open") is None:
        page.get_by_text("New run").click()
    for setting, value in (("Epochs", epochs), ("Batch size", 16)):
        field = page.get_by_role("spinbutton", name=setting, exact=True)
        field.fill(str(value))
        field.press("Enter")
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    before = len(list_jobs(workspace, "train"))
    page.get_by_role("button", name="Start training").click()
    wait_for(lambda: len(list_jobs(workspace, "train")) > before, "the run to be made")
    job = list_jobs(workspace, "train")[0]
    expect(page).to_have_url(re.compile(f"run={job.id}"))
    return job


def look_at_dataset(page: Page, pictures: int) -> None:
    figures = page.get_by_test_id("stMetric")
    expect(figures.filter(has_text="Classes")).to_contain_text("10")
    expect(figures.filter(has_text="Pictures")).to_contain_text(str(pictures))
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.get_by_role("tab", name="Pictures").click()
    expect(page.get_by_test_id("stImage").first).to_be_visible()
    page.get_by_role("tab", name="Faults").click()
    expect(page.get_by_role("button", name="Download this list")).to_be_visible()


def split_anew(page: Page, dataset: Dataset, seed: int) -> None:
    page.get_by_role("tab", name="Split").click()
    expect(page.get_by_text("Every class is in every part that was asked for.")).to_be_visible()
    page.get_by_role("spinbutton", name="Seed").fill(str(seed))
    page.get_by_role("button", name="Split", exact=True).click()
    wait_for(lambda: dataset.splits()["default"].seed == seed, "the new split")


def watch_through_reload_and_crash(page: Page, serve: Starter, workspace: Workspace, job: Job) -> None:
    """Watch a run to its end, while the page is loaded again and the server is killed under it."""
    expect(page.get_by_text("running").first).to_be_visible()
    wait_for(lambda: len(job.history.rows()) > 0, "the first row of the history", 120)
    expect(page.get_by_test_id("stMetric").filter(has_text="Images/s")).not_to_contain_text("–")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    process = job.process()
    assert process
    page.reload()
    expect(page.get_by_test_id("stMetric").filter(has_text="Epoch")).to_be_visible()
    serve.kill_all()
    server = serve(workspace)
    assert job.status().state is State.FINISHED or process.is_running()
    page.goto(f"{server.url}/training?run={job.id}")
    expect(page.get_by_test_id("stMetric").filter(has_text="Epoch")).to_be_visible()
    wait_for(lambda: not job.status().state.is_active, "the end of the run", TRAINING_LIMIT_S)
    assert job.status().state is State.FINISHED, job.log_tail()
    expect(page.get_by_text("finished").first).to_be_visible()


def see_confusions(page: Page, workspace: Workspace, job: Job) -> None:
    page.get_by_role("link", name="See what it confuses").click()
    top_1 = page.get_by_test_id("stMetric").filter(has_text="Top-1").first
    expect(top_1).to_be_visible()
    evaluation = next(each for each in list_jobs(workspace, "evaluate") if each.config["model"] == job.id)
    figures = evaluation.result()
    parts = Dataset.find(workspace, "ten").parts("default")
    assert figures and figures["images"] == (parts == "test").sum() > 0
    expect(top_1).to_contain_text(f"{figures['top_1']:.2%}")


def test_from_a_zip_to_a_character_read(page: Page, serve: Starter, workspace: Workspace, tmp_path: Path) -> None:
    collection = write_collection(tmp_path / "ten", count=24)
    (collection / "人" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n rubbish")
    zip_path = Path(shutil.make_archive(str(tmp_path / "ten"), "zip", collection))
    page.goto(serve(workspace).url)
    bring_in(page, zip_path, "ten")
    look_at_dataset(page, pictures=240)
    split_anew(page, Dataset.find(workspace, "ten"), seed=3)
    job = start_training(page, workspace, epochs=24)
    watch_through_reload_and_crash(page, serve, workspace, job)
    see_confusions(page, workspace, job)
    open_page(page, "Recognise")
    page.goto(re.sub(r"\?.*", "", page.url) + f"?model={job.id}")
    draw(page, "木")
    expect(best(page, "木")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Draw one character")).to_be_visible()
    draw(page, "口")
    expect(best(page, "口")).to_be_visible()


def test_a_link_to_a_page_is_the_first_thing_a_fresh_server_is_asked_for(
    page: Page, serve: Starter, workspace: Workspace
) -> None:
    page.goto(serve(workspace).url + "/training?lang=zh_CN")
    expect(page.get_by_role("heading", name="训练", level=1)).to_be_visible()
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name="数据集")).to_be_visible()
    expect(page).to_have_url(re.compile("lang=zh_CN"))


@pytest.fixture
def long_run(workspace: Workspace, command: Callable[..., object], tmp_path: Path) -> Job:
    """A run that would take an hour, just begun."""
    command("dataset", "import", str(write_collection(tmp_path / "three", "人木口", 12)), "--name", "three")
    command("train", "--dataset", "three", "--epochs", "5000", "--batch-size", "8", "--detach")
    job = list_jobs(workspace, "train")[0]
    wait_for(lambda: any(row["kind"] == "epoch" for row in job.history.rows()), "the first epoch", 180)
    return job


def test_stop_kill_and_a_folder_that_vanishes(page: Page, serve: Starter, workspace: Workspace, long_run: Job) -> None:
    server = serve(workspace)
    page.goto(f"{server.url}/training?run={long_run.id}")
    page.get_by_role("button", name="Stop").click()
    wait_for(lambda: long_run.status().state is State.STOPPED, "the run to stop", 30)
    expect(page.get_by_text("stopped", exact=True).first).to_be_visible()
    expect(page.get_by_role("link", name="Draw and recognise")).to_be_visible()  # what it had learned is kept

    second = start_training(page, workspace, epochs=5000)
    wait_for(lambda: second.stored_status().state is State.RUNNING, "the second run", 60)
    process = second.process()
    assert process
    psutil.Process(process.pid).kill()
    expect(page.get_by_text("lost", exact=True).first).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("stAlert").get_by_text("Its process ended without a word")).to_be_visible()

    long_run.folder.rename(workspace.root / "away")
    page.goto(f"{server.url}/training?run={long_run.id}")
    expect(page.get_by_text("is no longer there")).to_be_visible()
