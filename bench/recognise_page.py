"""How long the Recognise page makes one wait, in a real Chromium, and what the server needs for it.

    python -m bench.recognise_page --workspace workspace [--strokes 20]

Starts a server of its own, draws stroke after stroke, and prints: time to the first page and answer after a cold start,
mouse-up to new candidates (median and worst), our own part of it, and the server's memory with the model loaded.
"""

import argparse
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

PROJECT = Path(__file__).parents[1]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def serve(workspace: Path) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "hanzi_core", "--workspace", str(workspace), "serve", "--port", str(port)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL), f"http://localhost:{port}"


def wait_for_health(url: str) -> None:
    while True:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
            return
        except OSError:
            time.sleep(0.02)


def answer_text(page: Page) -> str:
    shown = page.locator(".st-key-answer")
    return shown.inner_text() if shown.count() else ""


def draw_stroke(page: Page, random: np.random.Generator) -> float:
    """Draw one stroke, and return the seconds from mouse-up to candidates that differ from those before."""
    box = page.locator("canvas.upper-canvas").bounding_box()
    assert box
    before = answer_text(page)
    points = random.uniform(0.15, 0.85, (3, 2)) * [box["width"], box["height"]] + [box["x"], box["y"]]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()
    started = time.perf_counter()
    page.wait_for_function(
        "before => { const shown = document.querySelector('.st-key-answer');"
        " return shown && shown.innerText !== before && shown.querySelector('[class*=st-key-best]'); }",
        arg=before,
        polling=10,
    )
    return time.perf_counter() - started


def measure(page: Page, url: str, started: float, strokes: int) -> None:
    page.goto(url)
    page.locator("canvas.upper-canvas").wait_for()
    print(f"cold start to a pad that can be drawn on  {time.perf_counter() - started:6.2f} s")
    random = np.random.default_rng(0)
    first = draw_stroke(page, random)
    print(f"first answer, mouse-up to candidates      {first:6.2f} s")
    waits, ours = [], []
    for number in range(strokes):
        if number % 8 == 7:
            page.get_by_role("button", name="Clear").click()
            page.get_by_text("Draw one character").wait_for()
        waits.append(draw_stroke(page, random))
        caption = page.get_by_text("Recognised in").inner_text()
        ours.append(float(caption.split()[2]))
    print(f"mouse-up to candidates, median of {len(waits):3d}     {statistics.median(waits):6.3f} s")
    print(f"                        worst             {max(waits):6.3f} s")
    print(f"of which ours, median                     {statistics.median(ours):6.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path("workspace"))
    parser.add_argument("--strokes", type=int, default=20)
    arguments = parser.parse_args()
    started = time.perf_counter()
    server, url = serve(arguments.workspace.absolute())
    try:
        wait_for_health(url)
        print(f"server up after                           {time.perf_counter() - started:6.2f} s")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            measure(browser.new_page(viewport={"width": 1280, "height": 900}), url, started, arguments.strokes)
            browser.close()
        memory_mib = psutil.Process(server.pid).memory_info().rss / 2**20
        print(f"server's memory, model loaded             {memory_mib:6.0f} MiB")
        print(f"load of this machine meanwhile            {psutil.getloadavg()[0]:6.1f} on {psutil.cpu_count()} cores")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
