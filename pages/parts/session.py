"""What every page asks first: the workspace, and how to show what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from hanzi_core.errors import HanziError
from hanzi_core.workspace import Workspace


def workspace() -> Workspace:
    """The workspace of this server; a sentence and nothing more where it cannot be opened."""
    _enter_through_app()
    try:
        return Workspace.open()
    except HanziError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def _enter_through_app() -> None:
    """Run ``app.py`` first, if this page was run without it.

    Streamlit 1.67 takes ``pages/`` for an app of the old kind until ``st.navigation`` has been called once. A link
    straight to a page, the first thing that a fresh server is asked for, so came without language and navigation.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what a user can mend as one sentence; the rest of the page goes on."""
    try:
        yield
    except HanziError as error:
        st.error(str(error), icon=":material/error:")
