"""A click that comes while a run of the page is ending: Streamlit's two runs at once lost one now and then."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, free_port
from tests.conftest import PROJECT

pytestmark = pytest.mark.browser

# A run that takes its time without asking whether it is wanted still.
SCRIPT = """
import time
from pathlib import Path
import streamlit as st

runs = Path({runs!r})
st.button("Press")
with runs.open("a") as file:
    print("begins", file=file)
time.sleep(2)
with runs.open("a") as file:
    print("ends", file=file)
st.write("there")
"""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def server(tmp_path: Path, runs: Path) -> Iterator[Server]:
    """A slow page with the settings of the dashboard."""
    script = tmp_path / "slow.py"
    script.write_text(SCRIPT.format(runs=str(runs)))
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    process = subprocess.Popen([*command, "--server.headless", "true"], cwd=PROJECT)
    server = Server(process, f"http://localhost:{port}")
    server.wait()
    yield server
    server.kill()


def test_a_run_ends_before_the_next_begins(page: Page, server: Server, runs: Path) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Press").click()
    expect(page.get_by_text("there")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    assert runs.read_text().split() == ["begins", "ends"] * 2
