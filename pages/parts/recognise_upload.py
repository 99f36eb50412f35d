"""Recognising pictures: from files, the clipboard or the camera; one character, a page of them, or many files."""

from functools import partial
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from hanzi_core.image.decode import EXTENSIONS
from hanzi_core.language import gettext as _
from pages.parts.paste_picture import paste_picture
from pages.parts.plain_text import escape
from pages.parts.recognise_batch import show_batch
from pages.parts.recognise_desk import Desk
from pages.parts.recognise_picture import show_picture
from pages.parts.streamlit_words import file_uploader

_TYPES = [each.removeprefix(".") for each in EXTENSIONS]
_FILES = "upload-files"
_PASTED = "upload-pasted"
_SHOT = "camera"
_LATEST = "upload-latest"
_KEPT = "upload-kept"
_KEPT_BYTES = 64 * 2**20
"""More than that is not kept while another page is open, where the uploader lets go of its files."""
_NAMED = 3
"""Files that are named of those that were kept."""


def take_files() -> None:
    """The uploader, which keeps its files as long as it is drawn."""
    file_uploader(
        _("Pictures, or a zip of them"),
        [*_TYPES, "zip"],
        _FILES,
        accept_multiple_files=True,
        on_change=partial(_came, _FILES),
    )


def show_upload(desk: Desk) -> None:
    """The other ways in, and what became of what came last."""
    with st.container(horizontal=True, vertical_alignment="center"):
        paste_picture("paste", _take_pasted)
        camera = st.toggle(_("Camera"), key="upload-camera")
    shot = None
    if camera:
        # No wider, or the answer is off the screen.
        label = _("Hold the writing before the camera")
        shot = st.camera_input(label, key=_SHOT, width=480, on_change=partial(_came, _SHOT))
    files = _files()
    there: dict[str, Any] = {_SHOT: shot, _FILES: files, _PASTED: st.session_state.get(_PASTED)}
    latest = st.session_state.get(_LATEST, _FILES)
    if not there[latest]:
        latest = next((name for name, brought in there.items() if brought), None)
    if latest == _SHOT and shot:
        show_picture(desk, shot.getvalue(), shot.name)
    elif latest == _PASTED:
        show_picture(desk, there[_PASTED], _("the pasted picture"))
    elif len(files) == 1 and not files[0].name.lower().endswith(".zip"):
        show_picture(desk, files[0].getvalue(), files[0].name)
    else:
        show_batch(desk, files)


def _files() -> list[UploadedFile]:
    """What the uploader holds, or held before another page was open."""
    files: list[UploadedFile] = st.session_state[_FILES]
    if files:
        st.session_state[_KEPT] = files if sum(file.size for file in files) <= _KEPT_BYTES else []
        return files
    kept: list[UploadedFile] = st.session_state.get(_KEPT, [])
    if kept:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(escape(", ".join(file.name for file in kept[:_NAMED])) + ("" if len(kept) <= _NAMED else " …"))
            st.button(_("Put away"), icon=":material/close:", key="upload-put-away", on_click=_came, args=[_FILES])
    return kept


def _take_pasted(picture: bytes) -> None:
    st.session_state[_PASTED] = picture
    _came(_PASTED)


def _came(way: str) -> None:
    """What came last is what is shown; files put a pasted picture away, which nothing else could."""
    st.session_state[_LATEST] = way
    if way == _FILES:
        st.session_state[_PASTED] = None
        st.session_state[_KEPT] = []
