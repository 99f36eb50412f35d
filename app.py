"""Hanzi Workbench: page set-up, language and navigation."""

import streamlit as st

from hanzi_core.language import LANGUAGES, match_language, set_language_source
from hanzi_core.language import gettext as _
from pages.parts.finger_on_chart import let_fingers_scroll
from pages.parts.icon import ICON
from pages.parts.kept_clicks import keep_clicks
from pages.parts.kept_replies import keep_replies
from pages.parts.own_address import own_address
from pages.parts.page_change import guard_page_change
from pages.parts.page_style import show_page_style
from pages.parts.run_notice import watch_runs
from pages.parts.streamlit_words import translate_streamlit

LANGUAGE = "lang"


def reader_language() -> str:
    """The language that the reader chose, else the link's, else the browser's."""
    if st.session_state.get(LANGUAGE) in LANGUAGES:
        return str(st.session_state[LANGUAGE])
    asked = st.query_params.get(LANGUAGE)
    return asked if asked in LANGUAGES else match_language(st.context.locale)


set_language_source(reader_language)
keep_replies()
keep_clicks()

st.set_page_config(page_title="Hanzi Workbench", page_icon=ICON, layout="wide")

st.session_state[LANGUAGE] = reader_language()
with st.sidebar:
    st.segmented_control(
        _("Language"), list(LANGUAGES), format_func=LANGUAGES.__getitem__, key=LANGUAGE, label_visibility="collapsed"
    )
if reader_language() != match_language(st.context.locale):
    st.query_params[LANGUAGE] = reader_language()  # a link shows what its sender saw
else:
    st.query_params.pop(LANGUAGE, None)
show_page_style()
translate_streamlit()
guard_page_change()
let_fingers_scroll()

page = st.navigation(
    [
        st.Page("pages/recognise.py", title=_("Recognise"), icon=":material/stylus:", default=True),
        st.Page("pages/datasets.py", title=_("Datasets"), icon=":material/photo_library:"),
        st.Page("pages/hand.py", title=_("Handwriting"), icon=":material/draw:"),
        st.Page("pages/training.py", title=_("Training"), icon=":material/model_training:"),
        st.Page("pages/evaluation.py", title=_("Evaluation"), icon=":material/grid_on:"),
        st.Page("pages/models.py", title=_("Models"), icon=":material/deployed_code:"),
    ]
)
with own_address(page.url_path, LANGUAGE):
    page.run()
watch_runs()
