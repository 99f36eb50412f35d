"""What every page asks first: the workspace, and how to show what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from hanzi_core.errors import HanziError
from hanzi_core.workspace import Workspace


def workspace() -> Workspace:
    """The workspace of this server; a sentence and nothing more where it cannot be opened."""
    try:
        return Workspace.open()
    except HanziError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what a user can mend as one sentence; the rest of the page goes on."""
    try:
        yield
    except HanziError as error:
        st.error(str(error), icon=":material/error:")
