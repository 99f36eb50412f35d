"""How long each part of the Datasets page makes one wait, in a real Chromium, with thousands of classes.

    python -m bench.datasets_page [--images 28000] [--classes 7000] [--keep FOLDER]

Generates a collection with copies and damaged files among its pictures, imports it, starts a server and presses one
part of the page after the other. Seconds are those from the press until the server's script has ended and what was
asked for is on the screen; each part is pressed first when nothing of it is known yet, and a second time. To hold:
every action under 2 s. ``--keep`` leaves collection and workspace there, and takes them as they are the next time.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Locator, Page, sync_playwright

from bench.datasets import write_folder
from bench.recognise_page import end, free_port, serve, wait_for_health
from hanzi_core.dataset import Dataset, ImportConfig, import_dataset
from hanzi_core.workspace import Workspace
from tests.browser.chromium import ARGUMENTS, find_chromium

LIMIT_S = 2.0
NAME = "bench"
COPIES = 2000
DAMAGED = 300

Action = tuple[str, Callable[[Page], None], Callable[[Page], Locator]]
"""What is done, how, and what shows that it has been done."""


def collection(place: Path, images: int, classes: int) -> Workspace:
    """A workspace with the dataset; generated and imported where there is none."""
    workspace, folder = Workspace.open(place / "workspace"), place / "raw"
    if not folder.exists():
        write_folder(folder, images, classes)
        for number in range(COPIES):
            label = folder / chr(0x4E00 + number % classes)
            shutil.copy2(label / f"{number % classes}.png", label / f"copy{number}.png")
        for number in range(DAMAGED):
            (folder / chr(0x4E00 + number % classes) / f"damaged{number}.png").write_bytes(b"no picture")
    if not (workspace.datasets / NAME).exists():
        import_dataset(workspace, ImportConfig(location=folder, name=NAME), lambda _phase, _done, _total: None)
    return workspace


def tab(name: str, shown: Callable[[Page], Locator]) -> Action:
    return name, lambda page: page.get_by_role("tab", name=name).click(), shown


def type_into(label: str, text: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        field = page.get_by_role("textbox", name=label, exact=True)
        field.fill(text)
        field.press("Enter")

    return act


def press(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name, exact=True).first.click()


def turn_to(number: int) -> Callable[[Page], None]:
    return lambda page: page.get_by_test_id("stPagination").get_by_text(str(number), exact=True).first.click()


def text(words: str) -> Callable[[Page], Locator]:
    return lambda page: page.get_by_text(words).first


def shown(test_id: str) -> Callable[[Page], Locator]:
    return lambda page: page.get_by_test_id(test_id).first


OVERVIEW = text("Ink coverage, %")
"""The last of its charts."""

ACTIONS: list[Action] = [
    tab("Pictures", shown("stImage")),
    ("Pictures: turn the page", turn_to(2), shown("stImage")),
    ("Pictures: one character", type_into("Character", "一"), text("Mean of")),
    ("Pictures: several characters", type_into("Character", "一丁七"), text("丁 ·")),
    ("Pictures: all again", type_into("Character", ""), shown("stImage")),
    tab("Faults", shown("stDataFrame")),
    ("Faults: turn the page", turn_to(2), shown("stDataFrame")),
    tab("Split", text("Split anew")),
    ("Split: divide anew", press("Split"), text("Split anew")),
    tab("Augmentation", shown("stImage")),
    ("Augmentation: other variants", press("Other variants"), shown("stImage")),
    tab("Write out", text("Folder to make")),
    tab("Overview", OVERVIEW),
    ("Overview: find a character", type_into("Find a character", "一"), text("“一” has")),
]


@contextmanager
def served(workspace: Workspace) -> Iterator[str]:
    port = free_port()
    server = serve(["hanzi_core", "--workspace", str(workspace.root), "serve", "--port", str(port)], port)
    try:
        wait_for_health(port)
        yield f"http://localhost:{port}/datasets?dataset={NAME}"
    finally:
        end(server)


def seconds(page: Page, act: Callable[[Page], object], sign: Callable[[Page], Locator]) -> float:
    """How long ``act`` takes until the script has run to its end and its sign is there."""
    started = time.perf_counter()
    act(page)
    page.wait_for_timeout(50)  # the browser tells the server, and the script begins
    page.locator('[data-test-script-state="notRunning"]').wait_for(state="attached")
    sign(page).wait_for()
    page.wait_for_function("[...document.images].every(image => image.complete)")
    return time.perf_counter() - started


def measure(page: Page, url: str) -> None:
    """Everything twice: as the first who asks, and as one who comes back."""
    print(f"| the page opened | {seconds(page, lambda page: page.goto(url), OVERVIEW):.2f} | |")
    first = [seconds(page, act, sign) for _, act, sign in ACTIONS]
    again = [seconds(page, act, sign) for _, act, sign in ACTIONS]
    for (name, _, _), one, two in zip(ACTIONS, first, again, strict=True):
        print(f"| {name} | {one:.2f} | {two:.2f} |", flush=True)
    slow = [name for (name, _, _), *both in zip(ACTIONS, first, again, strict=True) if max(both) > LIMIT_S]
    print(f"over {LIMIT_S:g} s: {', '.join(slow) or 'none'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=28_000)
    parser.add_argument("--classes", type=int, default=7000)
    parser.add_argument("--keep", type=Path, help="Work here and leave everything [default: a temporary folder].")
    options = parser.parse_args()
    os.environ["LANGUAGE"] = "en"
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        workspace = collection((options.keep or Path(temporary)).absolute(), options.images, options.classes)
        rows = len(Dataset.find(workspace, NAME).manifest(["path"]))
        print(f"{rows:,} files, {options.classes:,} classes\n\n| press | first, s | again, s |\n|---|---:|---:|")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
        page.set_default_timeout(60_000)
        with served(workspace) as url:
            measure(page, url)
        browser.close()
    print(f"load of this machine meanwhile {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} cores")


if __name__ == "__main__":
    main()
