"""Recognise: draw a character or upload a picture, and read what it is."""

from functools import partial

import streamlit as st

from hanzi_core.bundle import find_bundles
from hanzi_core.language import gettext as _
from hanzi_core.recognition.prototypes import TaughtCharacters
from pages.parts.plain_text import show_error
from pages.parts.recognise_corrections import show_corrections
from pages.parts.recognise_desk import Desk
from pages.parts.recognise_draw import show_draw
from pages.parts.recognise_settings import choose_pad, choose_preferences, choose_recogniser
from pages.parts.recognise_style import show_style
from pages.parts.recognise_taught import show_taught
from pages.parts.recognise_upload import show_upload, take_files
from pages.parts.session import errors_shown, workspace
from pages.parts.tabs import show_tabs

space = workspace()
show_style()
header = st.container(horizontal=True, vertical_alignment="center", wrap=False)
header.title(_("Recognise"))
complaints = st.container()
bundles = find_bundles(space)
if not bundles:
    st.info(
        _("There is no model yet. Bring in a dataset, train a model on it, and draw here; or open a model bundle."),
        icon=":material/info:",
    )
    st.page_link("pages/datasets.py", label=_("1. Bring in a dataset"), icon=":material/photo_library:")
    st.page_link("pages/training.py", label=_("2. Train a model"), icon=":material/model_training:")
    st.stop()

with header.popover(_("Settings"), icon=":material/tune:"):
    chosen = choose_recogniser(bundles, complaints)
    known = chosen[1].bundle.labels if chosen else ()
    preferences = choose_preferences([*known, *(each.label for each in TaughtCharacters(space).all())])
    choose_pad()
if chosen is None:
    show_error(_("No model can be loaded."))
    st.stop()
desk = Desk(space, *chosen, preferences)

with errors_shown():
    # A drawing that is not seen need not be recognised.
    shows = {
        _("Draw"): partial(show_draw, desk),
        _("Upload"): partial(show_upload, desk),
        _("Teach"): partial(show_taught, space),
        _("Corrections"): partial(show_corrections, desk),
    }
    show_tabs(shows, key="recognise-way", always={_("Upload"): take_files})
