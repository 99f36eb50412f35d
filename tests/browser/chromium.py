"""The Chromium that tests and benchmarks drive."""

import shutil

# The headless shell draws and runs scripts as the others do, and needs half the processor to open a page.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Without these a Chromium in a closed network asks for Google's hosts again and again.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def find_chromium() -> str:
    """Path of the first of :data:`NAMES` that there is."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, "no Chromium: make test installs it or says how"
    return path
