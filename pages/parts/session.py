"""What every page asks first: the workspace, and how to show what went wrong."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from hanzi_core.errors import HanziError
from hanzi_core.workspace import Workspace
from pages.parts.plain_text import show_error


def workspace() -> Workspace:
    """The workspace of this server; a sentence and nothing more where it cannot be opened."""
    _enter_through_app()
    try:
        return Workspace.open()
    except HanziError as error:
        show_error(error)
        st.stop()


def _enter_through_app() -> None:
    """Run ``app.py`` first, if this page was run without it.

    Streamlit 1.67 takes ``pages/`` for an app of the old kind until ``st.navigation`` has been called once. A link
    straight to a page, the first thing that a fresh server is asked for, so came without language and navigation.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def first(key: str, value: Any) -> str:
    """The key of a widget that begins with ``value`` where nothing was chosen: one of :func:`choices_kept`."""
    st.session_state.setdefault(key, value)
    return key


def first_of(key: str, choices: Iterable[Any], wanted: Any) -> str:
    """The same for a widget that begins with ``wanted``, if it is one of its ``choices``, else with their first."""
    there = list(choices)
    return first(key, wanted if wanted in there else there[0])


@contextmanager
def choices_kept(*prefixes: str) -> Iterator[None]:
    """Keep what is chosen in widgets whose keys begin so: Streamlit forgets those of a page that is left.

    It is set anew each time, or a list would go on showing its choice in the language that it was chosen in. So none of
    these widgets may be given a value of its own: they begin with :func:`first`.
    """
    kept = st.session_state.setdefault("kept-choices", {})
    for key, value in kept.items():
        if key.startswith(prefixes):
            st.session_state[key] = st.session_state.get(key, value)
    yield
    kept.update({str(key): value for key, value in st.session_state.items() if str(key).startswith(prefixes)})


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what a user can mend as one sentence; the rest of the page goes on."""
    try:
        yield
    except HanziError as error:
        show_error(error)
