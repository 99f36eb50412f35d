"""What a person gave, and what went wrong with it, shown as it is: Streamlit takes what it shows for Markdown."""

import streamlit as st


def escape(text: str) -> str:
    """Keep Markdown's signs in a name that somebody typed from acting."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+-.!|<>~$:&" else sign for sign in text)


def show_error(told: object) -> None:
    """What is wrong, letter by letter: a path in it may hold signs of Markdown, and two ``$`` make a formula."""
    st.error(escape(str(told)), icon=":material/error:")
