"""``python -m pages.parts.server run app.py …``: Streamlit, which makes ready for the first answer while the first
browser is still loading itself; a second of the two that a cold start would take otherwise.

Runs that wait in the queue go on though nobody opens a page: the machine may have been restarted.
"""

import gc
import threading
import time
from contextlib import suppress

from streamlit import runtime
from streamlit.web.cli import main

_LOOK_S = 0.02


def _make_ready() -> None:
    """Import what drawing needs, and load the model that answers unless another is chosen."""
    while not runtime.exists():  # elements of ours can be declared to a running Streamlit only
        time.sleep(_LOOK_S)
    import pandas  # noqa: F401, PLC0415  the canvas looks at what it is given for tables

    import pages.parts.recognise_draw  # noqa: F401, PLC0415
    from hanzi_core.bundle import BUILT_IN, CARD  # noqa: PLC0415
    from hanzi_core.errors import BundleError, HanziError  # noqa: PLC0415
    from hanzi_core.jobs.queue import keep_watched  # noqa: PLC0415
    from hanzi_core.workspace import Workspace  # noqa: PLC0415
    from pages.parts.recognise_settings import load_recogniser  # noqa: PLC0415

    with suppress(BundleError, OSError):  # the page says so to whoever opens it
        load_recogniser(BUILT_IN, (BUILT_IN / CARD).stat().st_mtime)
    with suppress(HanziError, OSError):
        keep_watched(Workspace.open())
    _keep_for_good()


def _keep_for_good() -> None:
    """Take what is loaded out of the garbage collections: Streamlit makes a full one after each run of each page."""
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    threading.Thread(target=_make_ready, daemon=True).start()
    main()
