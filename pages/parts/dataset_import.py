"""Bring in a dataset: an upload, or a folder, zip or .gnt files that are already on the server."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from hanzi_core.cli.datasets import check_is_new
from hanzi_core.cli.perform import begun, read_config, start
from hanzi_core.dataset import ImportConfig, SplitSettings
from hanzi_core.dataset.archive import ZipLimits
from hanzi_core.dataset.importing import usual_name
from hanzi_core.dataset.labels import EXTENSIONS
from hanzi_core.dataset.source import open_source
from hanzi_core.dataset.upload import kept_uploads, sweep_uploads
from hanzi_core.jobs import Job
from hanzi_core.language import gettext as _
from hanzi_core.workspace import Workspace, check_name, named_path
from pages.parts.choice import show_next
from pages.parts.dataset_split import ask_shares
from pages.parts.job_panel import follow
from pages.parts.plain_text import show_error
from pages.parts.session import choices_kept, errors_shown, first
from pages.parts.starter import ASKED_FOR, show_last_synthesis, show_starter_form
from pages.parts.streamlit_words import file_uploader


def show_import_form(space: Workspace) -> None:
    """The ways in; what is filled in stays while another page is looked at, but for a file."""
    st.caption(
        _("One folder a character, named by it: 人/1.png, 人/2.png, 木/1.png … PNG, JPEG, GIF, BMP, WebP or TIFF.")
    )
    st.caption(
        _("Folders named by numbers or files in one folder need a list: CSV, JSON or TXT of folder or file, label.")
    )
    # So short that all three are seen on a phone.
    upload, on_server, written = st.tabs([_("Upload a zip"), _("On this server"), _("Simulated hand")])
    with choices_kept("starter-", "zip-", "path-"):
        with written:
            show_starter_form(space)
            show_last_synthesis(space)
        with upload:
            _show_upload_form(space)
        with on_server:
            _show_server_form(space)


def _show_upload_form(space: Workspace) -> None:
    """What is to be sent stands first: one that is still on its way cannot be imported."""
    types = ["zip", *(ending.removeprefix(".") for ending in EXTENSIONS)]
    label = _("Zip file, and a label list if it needs one")
    files = file_uploader(label, types, "dataset-zip", accept_multiple_files=True)
    name = st.text_input(_("Name"), key="zip-name", placeholder=_("that of the file"))
    more = _ask_more("zip")
    if st.button(_("Import"), icon=":material/download:", disabled=not files, key="import-upload"):
        with errors_shown():
            _import_uploads(space, files, name, _checked(more))


def _show_server_form(space: Workspace) -> None:
    st.caption(_("A folder, a zip or .gnt files; they are read in place and left as they are."))
    location = st.text_input(_("Path on the server"), placeholder="/data/characters", key="path-place").strip()
    label = _("Label list on the server, if it needs one")
    labels = st.text_input(label, placeholder="/data/labels.csv", key="path-labels").strip()
    name = st.text_input(_("Name"), key="path-name", placeholder=_("that of the folder"))
    more = _ask_more("path")
    begin = st.button(_("Import"), icon=":material/download:", key="import-path")
    if begin and not location:
        show_error(_("Give the path of a folder or zip on the server."))
    elif begin:
        with errors_shown():
            settings = _checked(more)
            place = open_source(location, settings["limits"]).location
            label_list = named_path(labels) if labels else None
            values = {"location": place, "name": name or usual_name(place), "label_list": label_list, **settings}
            _show_when_there(_start(space, values))


class _Settings(TypedDict):
    """What of an import most people leave as it is."""

    split: SplitSettings
    limits: ZipLimits


def _ask_more(key: str) -> dict[str, dict[str, object]]:
    """The fields for :class:`_Settings`, closed until they are asked for; their values."""
    usual = ZipLimits()
    with st.expander(_("More: split, writers, limits for a zip")):
        split = ask_shares(SplitSettings(), key)
        left, right = st.columns(2)
        total_gib = left.number_input(
            _("A zip may unpack to, GiB"),
            1.0,
            100_000.0,
            step=1.0,
            format="%.0f",
            help=_("What would unpack to more is refused: it may be made to fill the disk."),
            key=first(f"{key}-total", usual.total_gib),
        )
        ratio = right.number_input(
            _("A file in it may shrink to one in"),
            2.0,
            100_000.0,
            step=10.0,
            format="%.0f",
            help=_("A file that is packed tighter is refused; a picture packs to a tenth at best."),
            key=first(f"{key}-ratio", usual.ratio),
        )
    return {"split": split, "limits": {"total_gib": total_gib, "ratio": ratio}}


def _checked(more: dict[str, dict[str, object]]) -> _Settings:
    return {
        "split": read_config(SplitSettings, more["split"]),
        "limits": read_config(ZipLimits, more["limits"]),
    }


def _import_uploads(space: Workspace, files: Sequence[UploadedFile], name: str, settings: _Settings) -> None:
    """Start the import of one zip among ``files``, with the list beside it."""
    zips = [file for file in files if file.name.lower().endswith(".zip")]
    lists = [file for file in files if file not in zips]
    if len(zips) != 1 or len(lists) > 1:
        show_error(_("Upload one zip, and one label list at most."))
        return
    name = name or Path(zips[0].name).stem
    check_is_new(space, name)
    sweep_uploads(space)
    with kept_uploads(space, [(file.name, file) for file in (*zips, *lists)]) as (location, *label_list):
        open_source(location, settings["limits"])  # one that is not to be trusted is refused at once
        taken = {"location": location, "label_list": label_list[0] if label_list else None, "take": True}
        job = _start(space, {**taken, "name": name, **settings})
    _show_when_there(job)


def _start(space: Workspace, values: dict[str, object]) -> Job:
    """Start an import that is not on its way yet."""
    name = check_name(str(values["name"]))
    config = read_config(ImportConfig, {**values, "name": name})
    if twin := begun(space, "import", config, name):
        return twin
    check_is_new(space, name)
    return start(space, "import", config, name)


def _show_when_there(job: Job) -> None:
    """Show the new dataset as soon as it is there, or why it is not."""
    show_next("dataset", job.title)
    st.query_params["dataset"] = job.title
    st.session_state[ASKED_FOR] = job.title
    follow(job)
    st.rerun()
