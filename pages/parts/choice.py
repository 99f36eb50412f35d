"""A choice that is always in the address, so that a link or a reload shows the same thing."""

from collections.abc import Mapping

import streamlit as st

from pages.parts.own_address import PAGE


def choose(label: str, names: Mapping[str, str], parameter: str) -> str:
    """Let one of ``names`` (shown by its value) be chosen, and keep its key in the address as ``parameter``.

    ``st.selectbox(bind=…)`` drops the default from the address: a link to the newest run would show another tomorrow.
    It is there again when one comes back from another page, each page with its own.
    To choose from code, call :func:`show_next` before this.
    """
    keys = list(names)
    wanted = st.session_state.get(_wanted(parameter))
    page = st.session_state.get(PAGE, "")
    kept = f"{parameter}-of-{page}"
    # What was set on another page may still be there under the same name.
    is_of_page = st.session_state.get(f"{parameter}-page", page) == page
    now = st.session_state.get(parameter) if is_of_page else None
    offered = (wanted, now, st.query_params.get(parameter), st.session_state.get(kept), keys[0])
    selected = next(str(key) for key in offered if key in names)
    # A browser keeps the name that it has for a choice, unless the choice is set again.
    shown = st.session_state.get(parameter), st.session_state.get(f"{parameter}-shown")
    is_news = shown != (selected, names[selected])
    if is_news:
        st.session_state[parameter] = selected
        st.session_state[f"{parameter}-shown"] = names[selected]
    # News are told once: a picker that is folded away by then begins with the index of a later run.
    index = 0 if is_news else keys.index(selected)
    chosen = st.selectbox(label, keys, index, format_func=names.__getitem__, key=parameter)
    st.session_state[kept], st.session_state[f"{parameter}-page"] = chosen, page
    if wanted == chosen:
        del st.session_state[_wanted(parameter)]
    if st.query_params.get(parameter) != chosen:
        st.query_params[parameter] = chosen
    return chosen


def show_next(parameter: str, key: str) -> None:
    """Have :func:`choose` show ``key`` once it is there to be chosen.

    What is set for the widget itself would be lost if the page began anew before it came to the widget, as it does when
    a run ends at that moment: the browser would still tell what it had.
    """
    st.session_state[_wanted(parameter)] = key


def _wanted(parameter: str) -> str:
    return f"{parameter}-wanted"
