"""Tabs that cost only what is seen, and stay as they are while another page is open."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import streamlit as st

from pages.parts.session import choices_kept

Show = Callable[[], None]
_NONE: Mapping[str, Show] = MappingProxyType({})


def show_tabs(shows: Mapping[str, Show], key: str, always: Mapping[str, Show] = _NONE) -> None:
    """Tabs by their titles, of which only the open one is worked out.

    Args:
        shows: What each title shows.
        key: Of the choice in the session.
        always: What a tab begins with though it is closed: widgets that would else lose what they hold.
    """
    with choices_kept(key):
        _keep_open(list(shows), key)
        tabs = st.tabs(list(shows), key=key, on_change="rerun")
    for tab, (title, show) in zip(tabs, shows.items(), strict=True):
        with tab:
            if title in always:
                always[title]()
            if tab.open:
                show()


def _keep_open(titles: list[str], key: str) -> None:
    """The same tab stays open when the titles come in another language."""
    before = st.session_state.get(f"{key}-titles", titles)
    st.session_state[f"{key}-titles"] = titles
    if before != titles and st.session_state.get(key) in before:
        st.session_state[key] = titles[before.index(st.session_state[key])]
