"""The address of each page for itself: Streamlit's Back changes the page and leaves the parameters of the last one."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

PAGE = "page"
"""Key of the session under which is kept which page is shown."""
_LEFT = "page-and-parameters"


@contextmanager
def own_address(page: str, common: str) -> Iterator[None]:
    """Show ``page`` without the parameters of the page before it, save ``common``, which belongs to all.

    They came by Back if they are the same to the last one: the Recognise page answered by the model that had been
    evaluated. A link to a page has others or none.
    """
    before, parameters = st.session_state.get(_LEFT, (page, {}))
    if before != page and st.query_params.to_dict() == parameters:
        st.query_params.from_dict({name: value for name, value in parameters.items() if name == common})
    st.session_state[PAGE] = page
    try:
        yield
    finally:  # also where the page stops or begins anew
        st.session_state[_LEFT] = page, st.query_params.to_dict()
