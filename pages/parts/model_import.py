"""Bring in a model bundle from a zip file."""

import tempfile
from pathlib import Path

import streamlit as st

from hanzi_core.bundle import find_bundles
from hanzi_core.bundle_archive import bring_in_bundle
from hanzi_core.language import gettext as _
from hanzi_core.workspace import Workspace, writing
from pages.parts.model_card import names_to_choose
from pages.parts.plain_text import escape
from pages.parts.session import errors_shown
from pages.parts.streamlit_words import file_uploader


def show_model_import(space: Workspace) -> None:
    """The form, which can be sent once the file is here; the new model appears in the list."""
    file = file_uploader(_("Model bundle (zip)"), ["zip"], "model-zip")
    with st.form("model-import", border=False):
        name = st.text_input(_("Name"), placeholder=_("that of the file"))
        begin = st.form_submit_button(_("Bring in"), icon=":material/download:", disabled=file is None)
    if begin and file is not None:
        with errors_shown(), tempfile.TemporaryDirectory() as place:
            archive = Path(place) / Path(file.name).name
            with writing(archive):
                archive.write_bytes(file.getvalue())
            brought = bring_in_bundle(space, archive, name or Path(file.name).stem)
            told = _("“{model}” is there: it can be chosen on every page that asks for a model.")
            called = names_to_choose(find_bundles(space))[brought.folder.name]
            st.toast(told.format(model=escape(called)), icon=":material/check:", duration="long")
            st.rerun()
