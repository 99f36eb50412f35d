"""Recognising pictures: from files, the clipboard or the camera; one character, a page of them, or many files."""

import streamlit as st

from hanzi_core.image.decode import EXTENSIONS
from hanzi_core.language import gettext as _
from hanzi_core.recognition import Preferences, Recogniser
from hanzi_core.workspace import Workspace
from pages.parts.paste_picture import paste_picture
from pages.parts.recognise_batch import show_batch
from pages.parts.recognise_picture import show_picture

_TYPES = [each.removeprefix(".") for each in EXTENSIONS]


def show_upload(space: Workspace, model: str, recogniser: Recogniser, preferences: Preferences) -> None:
    """The ways in, and what became of what came."""
    files = st.file_uploader(
        _("Pictures, or a zip of them"),
        type=[*_TYPES, "zip"],
        accept_multiple_files=True,
        key="upload-files",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        pasted = paste_picture("paste")
        camera = st.toggle(_("Camera"), key="upload-camera")
    shot = st.camera_input(_("Hold the writing before the camera"), key="camera") if camera else None
    if shot:
        show_picture(shot.getvalue(), shot.name, recogniser, preferences)
    elif len(files) == 1 and not files[0].name.lower().endswith(".zip"):
        show_picture(files[0].getvalue(), files[0].name, recogniser, preferences)
    elif pasted and not files:
        show_picture(pasted, _("the pasted picture"), recogniser, preferences)
    else:
        show_batch(space, files, model, preferences)
