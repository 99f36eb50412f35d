"""Hanzi Workbench: page set-up, language and navigation."""

import streamlit as st

from hanzi_core.language import LANGUAGES, match_language, set_language_source
from hanzi_core.language import gettext as _
from pages.parts.run_notice import watch_runs

set_language_source(lambda: st.session_state.get("lang") or match_language(st.context.locale))

st.set_page_config(page_title="Hanzi Workbench", page_icon=":material/stylus:", layout="wide")

with st.sidebar:
    st.segmented_control(
        _("Language"),
        list(LANGUAGES),
        default=match_language(st.context.locale),
        format_func=lambda code: LANGUAGES[code],
        key="lang",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )

st.navigation(
    [
        st.Page("pages/recognise.py", title=_("Recognise"), icon=":material/stylus:", default=True),
        st.Page("pages/datasets.py", title=_("Datasets"), icon=":material/photo_library:"),
        st.Page("pages/training.py", title=_("Training"), icon=":material/model_training:"),
        st.Page("pages/evaluation.py", title=_("Evaluation"), icon=":material/grid_on:"),
        st.Page("pages/models.py", title=_("Models"), icon=":material/deployed_code:"),
    ]
).run()
watch_runs()
