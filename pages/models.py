"""Models: every bundle that can answer, with its card; take one along, bring one in."""

import streamlit as st

from hanzi_core.bundle import find_bundles
from hanzi_core.language import gettext as _
from pages.parts.model_card import show_model
from pages.parts.model_import import show_model_import
from pages.parts.session import workspace

space = workspace()
st.title(_("Models"))
bundles = find_bundles(space)
if not bundles:
    st.info(_("There is no model yet. Every finished run leaves one."), icon=":material/info:")
    st.page_link("pages/training.py", label=_("Train one"), icon=":material/model_training:")
with st.expander(_("Bring in a model"), icon=":material/add:"):
    show_model_import(space)
for key, folder in bundles.items():
    show_model(space, key, folder)
