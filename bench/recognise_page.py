"""How long the Recognise page makes one wait, in a real Chromium, and what the server needs for it.

    python -m bench.recognise_page --workspace workspace [--strokes 20]

Starts servers of its own and prints: the time from the start of a server until its page can be drawn on and until the
first answer (beside the time that an empty page of Streamlit's takes on this machine at this moment), mouse-up to new
candidates (median and worst), our own part of it, and the server's memory with the model loaded. The browser runs
before the clock is started.
"""

import argparse
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, find_chromium

PROJECT = Path(__file__).parents[1]
PAD = "canvas.upper-canvas"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def serve(arguments: Sequence[str], port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", *arguments], cwd=PROJECT, stdout=subprocess.DEVNULL)


def wait_for_health(port: int) -> None:
    while True:
        try:
            urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1)
            return
        except OSError:
            time.sleep(0.02)


def open_cold(page: Page, arguments: Sequence[str], port: int, selector: str) -> tuple[subprocess.Popen[bytes], float]:
    """Start a server, open its page, and tell how long it took until ``selector`` was there."""
    started = time.perf_counter()
    server = serve(arguments, port)
    wait_for_health(port)
    page.goto(f"http://localhost:{port}")
    # Playwright's own waiting looks five times in a quarter of a second, and then every half second.
    while not page.locator(selector).is_visible():
        time.sleep(0.01)
    return server, time.perf_counter() - started


def empty_page_s(page: Page) -> float:
    """What a page with one line of text takes: what is Streamlit's, and this machine's at this moment."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "empty.py"
        script.write_text("import streamlit\n\nstreamlit.text('hello there')\n")
        port = free_port()
        command = ["streamlit", "run", str(script), f"--server.port={port}", "--server.headless=true"]
        server, elapsed_s = open_cold(page, command, port, "text=hello there")
        end(server)
    return elapsed_s


def end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait()


def draw_stroke(page: Page, random: np.random.Generator, strokes: int) -> tuple[float, float]:
    """Draw one stroke, after which there are ``strokes``: seconds from mouse-up to its candidates, and our own ms."""
    box = page.locator(PAD).bounding_box()
    assert box
    points = random.uniform(0.15, 0.85, (3, 2)) * [box["width"], box["height"]] + [box["x"], box["y"]]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()
    started = time.perf_counter()
    # The line comes last of all that is shown, and tells of how many strokes.
    words = f"{strokes} stroke{'s' if strokes > 1 else ''}, recognised in"
    page.wait_for_function(
        "words => document.querySelector('.st-key-answer')?.innerText.includes(words)", arg=words, polling=10
    )
    elapsed_s = time.perf_counter() - started
    told = page.locator(".st-key-answer").get_by_text(words).inner_text()
    return elapsed_s, float(told.split()[-2])


def draw_many(page: Page, random: np.random.Generator, count: int) -> tuple[list[float], list[float]]:
    """Seconds and our own milliseconds of each of ``count`` strokes; the pad is cleared after every eighth."""
    measured, strokes = [], 1
    for _ in range(count):
        if strokes == 8:
            page.get_by_role("button", name="Clear").click()
            page.get_by_text("Draw one character").wait_for()
            strokes = 0
        strokes += 1
        measured.append(draw_stroke(page, random, strokes))
        page.wait_for_timeout(200)
    seconds, ours_ms = zip(*measured, strict=True)
    return list(seconds), list(ours_ms)


def measure(page: Page, workspace: Path, strokes: int) -> None:
    empty_s = empty_page_s(page)
    port = free_port()
    command = ["hanzi_core", "--workspace", str(workspace), "serve", "--port", str(port)]
    server, pad_s = open_cold(page, command, port, PAD)
    try:
        print(f"cold start to an empty page of Streamlit's    {empty_s:6.2f} s")
        print(f"cold start to a pad that can be drawn on      {pad_s:6.2f} s  ({pad_s / empty_s:.2f} times as long)")
        random = np.random.default_rng(0)
        first_s, _ = draw_stroke(page, random, 1)
        print(f"first answer after that, mouse-up to candidates {first_s:4.2f} s")
        process = psutil.Process(server.pid)
        before = sum(process.cpu_times()[:2])
        waits, ours_ms = draw_many(page, random, strokes)
        busy_ms = (sum(process.cpu_times()[:2]) - before) * 1000 / strokes
        print(f"mouse-up to candidates, median of {len(waits):3d}         {statistics.median(waits):6.3f} s")
        print(f"                        worst                 {max(waits):6.3f} s")
        print(f"of which ours, median                         {statistics.median(ours_ms):6.1f} ms")
        print(f"server's processor time a stroke, all told     {busy_ms:5.0f} ms")
        memory_mib = process.memory_info().rss / 2**20
        print(f"server's memory, model loaded                 {memory_mib:6.0f} MiB")
    finally:
        end(server)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, default=Path("workspace"))
    parser.add_argument("--strokes", type=int, default=20)
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        measure(page, arguments.workspace.absolute(), arguments.strokes)
        browser.close()
    print(f"load of this machine meanwhile                {psutil.getloadavg()[0]:6.1f} on {psutil.cpu_count()} cores")


if __name__ == "__main__":
    main()
