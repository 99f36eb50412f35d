"""``make tensorboard`` answers with the figures of the runs, and draws their networks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hanzi_core.jobs import Job
from hanzi_core.workspace import ENVIRONMENT_VARIABLE, Workspace
from tests.browser.conftest import free_port
from tests.conftest import PROJECT
from tests.errands import until

START_LIMIT_S = 120
pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="there is no make")


@pytest.fixture
def address(trained: Workspace, tmp_path: Path) -> Iterator[str]:
    """Of a TensorBoard that was started as the README says; the environment counts as installed."""
    port = free_port()
    command = ["make", "-o", ".venv/run-ready", "tensorboard", f"TENSORBOARD_PORT={port}"]
    command.append(f"BIN={Path(sys.executable).parent}")
    environment = {**os.environ, ENVIRONMENT_VARIABLE: str(trained.root)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield f"http://localhost:{port}/data"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def ask(url: str) -> Any:
    """The answer, ``None`` while there is nobody to give one."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.loads(answer.read())
    except OSError:
        return None


def test_make_tensorboard_answers(address: str, finished_run: Job) -> None:
    run = f"{finished_run.id}/events"
    until(lambda: run in (ask(f"{address}/plugin/scalars/tags") or {}), START_LIMIT_S)
    tags = ask(f"{address}/plugin/scalars/tags")[run]
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "val_top_5"} <= set(tags)
    until(lambda: run in (ask(f"{address}/plugin/graphs/info") or {}), START_LIMIT_S)
    graphs = ask(f"{address}/plugin/graphs/info")
    assert graphs[run]["run_graph"], "the network can be drawn"
