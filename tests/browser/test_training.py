"""The training page in a real browser: live figures, titles, toasts, comparing, a phone, two servers at once."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hanzi_core.jobs import Job, Progress, State, list_jobs
from hanzi_core.jobs.process import ProcessId
from hanzi_core.language import Sentence
from hanzi_core.workspace import Workspace
from tests.browser.conftest import Starter, free_port, start_server, window
from tests.runs import make_dataset, make_run

pytestmark = pytest.mark.browser

STEPS = 40


class Trainer:
    """Writes what a run writes, at a pace that a test can follow; this process stands for the run's own."""

    def __init__(self, workspace: Workspace, title: str, accuracy: float = 0.9) -> None:
        self.job = make_run(workspace, epochs=4)
        self.job.describe(title=title)
        self._accuracy, self._step = accuracy, 0
        self._over = threading.Event()
        self.change(State.RUNNING, "Working.")

    def change(self, state: State, words: str) -> None:
        """Come to ``state``."""
        process = ProcessId.own() if state.is_active else None
        self.job.write_status(self.job.stored_status().to(state, Sentence(words), process=process))

    def go_on(self, steps: int) -> None:
        """Take ``steps`` steps."""
        for _ in range(steps):
            self._step += 1
            share = self._step / STEPS
            figures = {"loss": 2 - share, "accuracy": share * self._accuracy, "top_5": share, "learning_rate": 1e-3}
            where = {"time": time.time(), "epoch": 4 * share, "step": self._step, "images_per_s": 321.0}
            load = {"cpu_load": 0.9, "memory_bytes": 2**30}
            self.job.history.append({"kind": "step", **where, **figures, **load})
            if self._step % (STEPS // 4) == 0:
                validation = {f"val_{name}": figures[name] for name in ("loss", "accuracy", "top_5")}
                self.job.history.append({"kind": "epoch", **where, **figures, **validation, "elapsed_s": self._step})
        self.job.write_progress(
            Progress(phase="Training", done=self._step, total=STEPS, rate_per_s=1.0, remaining_s=STEPS - self._step)
        )

    def finish(self) -> None:
        """Come to the end."""
        self.change(State.FINISHED, "Finished.")


@pytest.fixture
def trainer(workspace: Workspace, tmp_path: Path) -> Iterator[Trainer]:
    make_dataset(workspace, tmp_path / "three")
    trainer = Trainer(workspace, "slow and steady")
    yield trainer
    for job in list_jobs(workspace):
        if job.status().state.is_active:
            job.write_status(job.stored_status().to(State.STOPPED, Sentence("The test is over."), process=None))


def metric(page: Page, name: str):
    return page.get_by_test_id("stMetric").filter(has_text=name)


def test_a_run_is_seen_live_and_its_end_is_told(
    page: Page, chromium: Browser, serve: Starter, workspace: Workspace, trainer: Trainer
) -> None:
    server = serve(workspace)
    trainer.go_on(10)
    page.goto(f"{server.url}/training?run={trainer.job.id}")
    expect(metric(page, "Best in validation")).to_contain_text("22.5%")
    expect(page.get_by_text("epoch 2 of 4, 0%")).to_be_visible()
    expect(page).to_have_title("25% · running · slow and steady")
    expect(page.locator("link[rel~=icon]")).to_have_attribute("href", re.compile("^data:"))  # from no foreign host
    trainer.change(State.STOPPING, "Saving.")
    expect(page.get_by_role("combobox", name="Run")).to_have_value(re.compile("slow and steady · stopping"))
    trainer.change(State.RUNNING, "Working.")
    trainer.go_on(15)
    expect(page.get_by_text("epoch 3 of 4, 50%")).to_be_visible()
    expect(metric(page, "Images/s")).to_contain_text("321")
    expect(metric(page, "Time left")).to_contain_text("0:15")
    expect(page).to_have_title("62% · running · slow and steady")
    page.get_by_role("radio", name="Speed and load").click()
    expect(page.locator(".js-plotly-plot").filter(has_text="Load")).to_be_visible()
    page.get_by_role("radio", name="Top-5 and learning rate").click()
    expect(page.locator(".js-plotly-plot").filter(has_text="Learning rate")).to_be_visible()
    trainer.job.log_path.write_text("".join(f"line {number}.\n" for number in range(100)))
    page.get_by_text("Log, life and settings").click()
    expect(page.get_by_role("rowheader", name="Batch size")).to_be_visible()
    log = page.get_by_test_id("stExpanderDetails").get_by_test_id("stVerticalBlock").filter(has_text="line 99.").last
    at_its_end = "box => box.scrollHeight - box.clientHeight - box.scrollTop < 20 && box.scrollTop > 500"
    page.wait_for_function(at_its_end, arg=log.element_handle())  # the newest line is seen
    with trainer.job.log_path.open("a") as more:
        more.write("a line that comes later\n" * 20)
    expect(log).to_contain_text("a line that comes later")
    page.wait_for_function(at_its_end, arg=log.element_handle())
    page.get_by_text("Name, notes and tags").click()
    notes = page.get_by_role("textbox", name="Notes")
    notes.press_sequentially("half a thought")
    with window(chromium) as other:  # on quite another page, the end is told all the same
        other.goto(f"{server.url}/models")
        expect(other.get_by_role("heading", name="Models", level=1)).to_be_visible()
        other.wait_for_timeout(4000)
        trainer.go_on(15)
        trainer.finish()
        expect(other.get_by_test_id("stToast")).to_contain_text("“slow and steady”: finished")
    expect(page).to_have_title("finished · slow and steady")
    expect(page.get_by_role("combobox", name="Run")).to_have_value(re.compile("slow and steady · finished"))
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    expect(notes).to_have_value("half a thought")


def test_a_phone_shows_it_whole_and_a_link_shows_the_same(
    chromium: Browser, serve: Starter, workspace: Workspace, trainer: Trainer
) -> None:
    server = serve(workspace)
    trainer.go_on(20)
    Trainer(workspace, "another").go_on(10)
    with window(chromium, width=390, height=844) as phone:
        phone.goto(f"{server.url}/training?run={trainer.job.id}&lang=zh_CN")
        expect(phone.get_by_text("第 3/4 轮，0%")).to_be_visible()
        expect(phone.locator(".js-plotly-plot").first).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
        link = phone.url
        assert f"run={trainer.job.id}" in link
    with window(chromium) as desk:
        desk.goto(link)
        expect(desk.get_by_text("第 3/4 轮，0%")).to_be_visible()


def test_a_run_that_was_started_is_shown_and_tells_for_whom_it_waits(
    page: Page, serve: Starter, workspace: Workspace, trainer: Trainer
) -> None:
    trainer.go_on(10)
    page.goto(f"{serve(workspace).url}/training?run={trainer.job.id}")
    page.get_by_text("New run").click()
    page.get_by_role("textbox", name="Name").first.fill("next in line")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("Its turn comes after: “slow and steady”")).to_be_visible()
    expect(page.get_by_role("button", name="Start training")).to_be_hidden()
    expect(page).to_have_title("queued · next in line")
    page.get_by_text("New run").click()
    expect(page.get_by_role("textbox", name="Name").first).to_have_value("")


def test_runs_are_laid_over_each_other(page: Page, serve: Starter, workspace: Workspace, trainer: Trainer) -> None:
    other = Trainer(workspace, "quick", accuracy=0.5)
    other.go_on(STEPS)
    other.finish()
    trainer.go_on(10)
    page.goto(f"{serve(workspace).url}/training?view=several")
    best = page.get_by_role("row", name="Best in validation, %").get_by_role("cell")
    expect(best).to_have_text(["50", "22.5"])
    trainer.go_on(30)
    expect(best).to_have_text(["50", "90"])  # the page follows by itself
    trainer.finish()
    expect(page.get_by_text("slow and steady · finished")).to_be_visible()
    charts = page.locator(".js-plotly-plot")
    for name in ("slow and steady", "quick"):
        expect(charts.first.locator(".legendtext", has_text=name)).to_be_visible()
    expect(page.get_by_text("Settings, those that differ first")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.get_by_role("radio", name="Minutes of training").click()
    expect(charts.first.locator(".xtitle")).to_have_text("Minutes of training")
    expect(page).to_have_url(re.compile("compare="))


def test_two_servers_on_one_workspace_agree(
    page: Page, chromium: Browser, serve: Starter, workspace: Workspace, trainer: Trainer
) -> None:
    first = serve(workspace)
    second = start_server(workspace.root, free_port())
    try:
        trainer.go_on(10)
        page.goto(f"{first.url}/training?run={trainer.job.id}")
        expect(page).to_have_title("25% · running · slow and steady")
        with window(chromium) as other:
            other.goto(f"{second.url}/training?run={trainer.job.id}")
            expect(other).to_have_title("25% · running · slow and steady")
            other.get_by_role("button", name="Stop").click()
            expect(page.get_by_role("button", name="End at once")).to_be_visible()
        assert trainer.job.stop_requested()
        first.kill()
        with window(chromium) as other:
            other.goto(f"{second.url}/training?run={trainer.job.id}")
            expect(other.get_by_role("button", name="End at once")).to_be_visible()
    finally:
        second.kill()


def test_names_tags_clone_and_trash(page: Page, serve: Starter, workspace: Workspace, trainer: Trainer) -> None:
    trainer.go_on(STEPS)
    trainer.finish()
    page.goto(f"{serve(workspace).url}/training?run={trainer.job.id}")
    page.get_by_text("Name, notes and tags").click()
    page.get_by_role("textbox", name="Tags").fill("good")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("combobox", name="Run")).to_have_value(re.compile("slow and steady #good"))
    page.get_by_role("button", name="Clone").click()
    expect(page.get_by_text("With the settings of “slow and steady”.")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Delete")).to_be_hidden()
    expect(page.get_by_test_id("stToast").filter(has_text="is in the trash")).to_be_visible()
    page.get_by_text("Notices and trash", exact=True).click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("The trash is empty.")).to_be_visible()
    assert Job.find(workspace, trainer.job.id).tags == ("good",)
