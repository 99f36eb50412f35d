"""Recognising pictures: from files, the clipboard or the camera; one character, a page of them, or many files."""

import streamlit as st

from hanzi_core.image.decode import EXTENSIONS
from hanzi_core.language import gettext as _
from pages.parts.paste_picture import paste_picture
from pages.parts.recognise_batch import show_batch
from pages.parts.recognise_desk import Desk
from pages.parts.recognise_picture import show_picture

_TYPES = [each.removeprefix(".") for each in EXTENSIONS]


def show_upload(desk: Desk) -> None:
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
    # No wider, or the answer is off the screen.
    shot = st.camera_input(_("Hold the writing before the camera"), key="camera", width=480) if camera else None
    if shot:
        show_picture(desk, shot.getvalue(), shot.name)
    elif len(files) == 1 and not files[0].name.lower().endswith(".zip"):
        show_picture(desk, files[0].getvalue(), files[0].name)
    elif pasted and not files:
        show_picture(desk, pasted, _("the pasted picture"))
    else:
        show_batch(desk, files)
