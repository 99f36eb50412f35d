import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from hanzi_core.jobs import kill, list_jobs
from hanzi_core.workspace import Workspace
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.pad import canvas
from tests.conftest import PROJECT

START_LIMIT_S = 60
ARTIFACTS = PROJECT / "test-artifacts"

WIDTHS = {"desktop": (1280, 800), "tablet": (820, 1180), "phone": (390, 844)}

# Of the canvas 0.13: told to show another drawing and taken off the page at once, it still draws, on what is gone.
# Nobody sees it, and nothing of ours comes after it.
CANVAS_IS_GONE = "Cannot read properties of undefined (reading 'clearRect')"

# The machines that run this are slow and shared: what is asked is that it comes, not when.
expect.set_options(timeout=90_000)


@dataclass
class Server:
    """A real dashboard, started as the README says."""

    process: subprocess.Popen[bytes]
    url: str

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def start_server(root: Path, port: int) -> Server:
    command = [sys.executable, "-m", "hanzi_core", "--workspace", str(root), "serve", "--port", str(port)]
    with (root / "server.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log, env={**os.environ, "LANGUAGE": "en"})
    url = f"http://localhost:{port}"
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
            return Server(process, url)
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise AssertionError((root / "server.log").read_text())


class Starter:
    """Starts servers on a workspace, one after the other on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.servers: list[Server] = []

    def __call__(self, workspace: Workspace) -> Server:
        self.servers.append(start_server(workspace.root, self.port))
        return self.servers[-1]

    def kill_all(self) -> None:
        for server in self.servers:
            server.kill()


@pytest.fixture
def serve() -> Iterator[Starter]:
    """Starts a server; it is ended with the test."""
    starter = Starter()
    yield starter
    starter.kill_all()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


def open_page(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


@contextmanager
def window(chromium: Browser, width: int = 1280, height: int = 900, **options: object) -> Iterator[Page]:
    """A page that fails the test if a script of it fails."""
    context = chromium.new_context(viewport={"width": width, "height": height}, **{"locale": "en-GB", **options})  # type: ignore[arg-type]
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_default_timeout(90_000)
    try:
        yield page
    finally:
        context.close()
    assert [fault for fault in faults if fault != CANVAS_IS_GONE] == []


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A desktop window."""
    with window(chromium) as page:
        yield page


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Server]]:
    """A server that tests use one after the other, as people do: to start one for each would take most of the time."""
    workspace = Workspace.open(tmp_path_factory.mktemp("lasting"))
    server = start_server(workspace.root, free_port())
    yield workspace, server
    server.kill()


@pytest.fixture
def place(lasting: tuple[Workspace, Server], tmp_path: Path) -> Workspace:
    """The workspace of the lasting server, emptied: the built-in model answers."""
    workspace, _server = lasting
    for job in list_jobs(workspace):
        kill(job)
    for folder in filter(Path.is_dir, workspace.root.iterdir()):
        folder.rename(tmp_path / f"before-{folder.name}")  # a process that still ends may write into it
    return Workspace.open(workspace.root)


@pytest.fixture
def address(lasting: tuple[Workspace, Server], place: Workspace) -> str:
    """Of the server on :func:`place`."""
    return lasting[1].url


@pytest.fixture(params=["desktop", pytest.param("tablet", marks=pytest.mark.long), "phone"])
def screen(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page at each width; a script's fault, a console error or a sideways scroll fails the test."""
    width, height = WIDTHS[request.param]
    touch = request.param != "desktop"
    faults: list[str] = []
    with window(chromium, width, height, has_touch=touch, is_mobile=touch) as page:
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(address)
        canvas(page).wait_for()
        yield page
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The fonts and the statistics of a closed network are not ours to mend.
    assert [fault for fault in faults if "ERR_NAME_NOT_RESOLVED" not in fault and "ERR_INTERNET" not in fault] == []


@pytest.fixture
def desktop(chromium: Browser, address: str) -> Iterator[Page]:
    with window(chromium) as page:
        page.goto(address)
        canvas(page).wait_for()
        yield page


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what a window shows at the moment that its test fails, before the server is ended."""
    report = yield
    if report.when == "call" and report.failed and isinstance(item, pytest.Function):
        ARTIFACTS.mkdir(exist_ok=True)
        for name, value in item.funcargs.items():
            if isinstance(value, Page):
                value.screenshot(path=ARTIFACTS / f"{item.name}-{name}.png", full_page=True)
    return report
