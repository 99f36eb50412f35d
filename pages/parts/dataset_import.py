"""Bring in a dataset: an upload, or a folder or zip that is already on the server."""

import shutil
import tempfile
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from hanzi_core.cli.perform import read_config, start
from hanzi_core.dataset import ImportConfig
from hanzi_core.dataset.source import open_source
from hanzi_core.jobs import list_jobs
from hanzi_core.jobs.store import State
from hanzi_core.language import gettext as _
from hanzi_core.workspace import Workspace, check_name, writing
from pages.parts.session import errors_shown

UPLOAD_PREFIX = ".upload-"


def show_import_form(space: Workspace) -> None:
    """Both ways in, and what became of the last one if it failed."""
    st.caption(
        _("One folder a character, named by it: 人/1.png, 人/2.png, 木/1.png … PNG, JPEG, GIF, BMP, WebP or TIFF.")
    )
    upload, on_server = st.tabs([_("Upload a zip"), _("Folder or zip on this server")])
    with upload, st.form("upload", border=False):
        file = st.file_uploader(_("Zip file"), type="zip")
        name = st.text_input(_("Name"), key="upload-name", placeholder=_("that of the file"))
        if st.form_submit_button(_("Import"), icon=":material/download:") and file is not None:
            with errors_shown():
                _start(space, _keep(space, file), name or Path(file.name).stem, take=True)
    with on_server, st.form("on-server", border=False):
        location = st.text_input(_("Path on the server"), placeholder="/data/characters")
        name = st.text_input(_("Name"), key="path-name", placeholder=_("that of the folder"))
        if st.form_submit_button(_("Import"), icon=":material/download:") and location:
            with errors_shown():
                place = open_source(location.strip()).location
                _start(space, place, name or place.stem, take=False)
    _show_last_failure(space)


def _keep(space: Workspace, file: UploadedFile) -> Path:
    """The upload as a file in the workspace, until the import moves it into the dataset.

    Raises:
        HanziError: no space left; it is no zip, or not one to be trusted. Nothing stays behind.
    """
    with (
        writing(space.datasets),
        tempfile.NamedTemporaryFile(dir=space.datasets, prefix=UPLOAD_PREFIX, suffix=".zip", delete=False) as kept,
    ):
        try:
            shutil.copyfileobj(file, kept)
            kept.flush()
            open_source(kept.name)
        except BaseException:
            Path(kept.name).unlink(missing_ok=True)
            raise
    return Path(kept.name)


def _start(space: Workspace, location: Path, name: str, take: bool) -> None:
    values = {"location": location, "name": check_name(name), "take": take}
    job = start(space, "import", read_config(ImportConfig, values), name)
    st.session_state["dataset"] = name
    st.session_state["import-shown"] = job.id
    st.rerun()


def _show_last_failure(space: Workspace) -> None:
    """Why the import that this session started came to nothing."""
    shown = st.session_state.get("import-shown")
    for job in list_jobs(space, "import"):
        if job.id == shown:
            status = job.status()
            if status.state in (State.FAILED, State.LOST):
                st.error(str(status.changes[-1]), icon=":material/error:")
