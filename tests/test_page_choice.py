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


def two_pages() -> None:
    import streamlit as st

    from pages.parts.choice import choose
    from pages.parts.own_address import own_address

    with own_address(st.session_state["at"], "lang"):
        if st.session_state["at"] != "models":
            choose("Model", {"a": "A", "b": "B", "c": "C"}, "model")


def go_to(app: AppTest, name: str, address: dict[str, list[str]]) -> str | None:
    app.session_state["at"] = name
    app.query_params = address
    app.run()
    return app.selectbox[0].value if app.selectbox else None


def test_each_page_has_its_own_choice_and_has_it_again() -> None:
    app = AppTest.from_function(two_pages, default_timeout=30)
    assert go_to(app, "recognise", {}) == "a"
    assert go_to(app, "evaluation", {"model": ["b"]}) == "b", "a link says so"
    assert go_to(app, "models", {}) is None
    assert go_to(app, "recognise", {}) == "a"
    assert go_to(app, "evaluation", {}) == "b", "though the other page's is still in the session"


def test_back_leaves_the_parameters_of_the_last_page_behind() -> None:
    app = AppTest.from_function(two_pages, default_timeout=30)
    go_to(app, "recognise", {"lang": ["zh_CN"]})
    go_to(app, "evaluation", {"model": ["b"], "lang": ["zh_CN"]})
    assert go_to(app, "recognise", {"model": ["b"], "lang": ["zh_CN"]}) == "a"
    assert app.query_params["lang"] == "zh_CN"
    assert go_to(app, "evaluation", {"model": ["c"]}) == "c", "a link that says something else"
