"""Tabs that cost only what is seen."""

from collections.abc import Callable, Mapping

import streamlit as st


def show_tabs(shows: Mapping[str, Callable[[], None]], key: str) -> None:
    """Tabs by their titles, of which only the open one is worked out.

    Args:
        shows: What each title shows.
        key: Of the choice in the session.
    """
    for tab, show in zip(st.tabs(list(shows), key=key, on_change="rerun"), shows.values(), strict=True):
        if tab.open:
            with tab:
                show()
