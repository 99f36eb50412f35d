"""The choice that is always in the address."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from pages.parts.choice import choose, show_next

    names = {key: key.upper() for key in st.session_state.get("keys", ("a", "b"))}
    if st.session_state.pop("begin", False):
        show_next("run", "new")
        if st.session_state.pop("cut short", False):
            st.stop()
    choose("Run", names, "run")


def opened() -> AppTest:
    app = AppTest.from_function(page, default_timeout=30).run()
    app.selectbox[0].select("b").run()
    assert app.query_params["run"] == "b"
    return app


def test_what_is_to_be_shown_next_is_shown_once_it_is_there() -> None:
    app = opened()
    app.session_state["begin"] = True
    app.run()
    assert app.selectbox[0].value == "b", "it is not there yet"
    app.session_state["keys"] = ("a", "b", "new")
    app.run()
    assert app.selectbox[0].value == "new"
    assert app.query_params["run"] == "new"
    app.selectbox[0].select("a").run()
    assert app.run().selectbox[0].value == "a", "shown once, it may be left"


def test_it_is_shown_although_the_page_began_anew_in_between() -> None:
    app = opened()
    app.session_state["keys"] = ("a", "b", "new")
    app.session_state["begin"] = app.session_state["cut short"] = True
    app.run()
    assert not app.selectbox
    assert app.run().selectbox[0].value == "new"
