"""Datasets: bring a collection in, see what is in it and what is wrong with it, divide it."""

from functools import partial
from pathlib import Path

import streamlit as st

from hanzi_core.cli.datasets import ScanConfig
from hanzi_core.cli.perform import start
from hanzi_core.dataset import Dataset, Part, list_datasets
from hanzi_core.dataset.manifest import SYNTHETIC
from hanzi_core.dataset.store import PICTURES, UPLOAD
from hanzi_core.jobs import list_jobs
from hanzi_core.language import gettext as _
from hanzi_core.workspace import Workspace
from pages.parts.choice import choose
from pages.parts.dataset_augment import show_augmentation
from pages.parts.dataset_facts import delete_dataset, wholly_synthetic
from pages.parts.dataset_faults import show_faults
from pages.parts.dataset_import import show_import_form
from pages.parts.dataset_overview import show_overview
from pages.parts.dataset_pictures import show_pictures
from pages.parts.dataset_split import show_split
from pages.parts.dataset_write import show_writing_out
from pages.parts.job_panel import failed_here, follow, watch_until_done
from pages.parts.plain_text import escape
from pages.parts.session import errors_shown, workspace
from pages.parts.starter import ASKED_FOR
from pages.parts.tabs import show_tabs

KINDS = ("import", "scan", "materialise", "synthesise")
# A field on a phone shows but the beginning of a name that is longer: 40 letters, or 13 characters of Chinese.
_LONG_NAME_BYTES = 40


def show_dataset(dataset: Dataset, space: Workspace) -> None:
    """One dataset, from the overview down to its files; only the open tab is worked out."""
    show_head(dataset, space)
    shows = {
        _("Overview"): partial(show_overview, dataset, space),
        _("Pictures"): partial(show_pictures, dataset),
        _("Faults"): partial(show_faults, dataset),
        _("Split"): partial(show_split, dataset),
        _("Augmentation"): partial(show_augmentation, dataset, space),
        _("Write out"): partial(show_writing_out, dataset, space),
    }
    show_tabs(shows, key="tab")


def where_from(dataset: Dataset) -> str:
    """Where its pictures are, in a sentence."""
    description = dataset.description
    location = description["location"]
    if location == PICTURES and wholly_synthetic(dataset):
        return _(SYNTHETIC)
    if location in (PICTURES, UPLOAD):
        taken = Path(description.get("taken_from") or location).name
        return _("Kept in the workspace: {name}").format(name=f"`{taken}`")
    return str(_("Read in place from {location}").format(location=f"`{location}`"))


def show_head(dataset: Dataset, space: Workspace) -> None:
    """Where it is, and what can be done with all of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        with errors_shown(), dataset.in_use():  # also a damaged one can be deleted
            is_long = len(dataset.name.encode()) > _LONG_NAME_BYTES
            st.caption(f"{escape(dataset.name)} · {where_from(dataset)}" if is_long else where_from(dataset))
        # With the very parameters of this page they would be taken for left over from it.
        for page, label, icon, more in (
            ("training", _("Train on it"), ":material/model_training:", {"view": "one"}),
            ("evaluation", _("Evaluate on it"), ":material/grid_on:", {"part": Part.TEST.value}),
        ):
            parameters = {"dataset": dataset.name, **more}
            st.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=parameters)
        if st.button(_("Scan again"), icon=":material/refresh:", help=_("Reads only what has changed.")):
            follow(start(space, "scan", ScanConfig(dataset=dataset.name), dataset.name))
            st.rerun()
        with st.popover(_("Delete"), icon=":material/delete:"):
            st.write(_("Manifest, splits and packs go; the pictures that were read in place stay."))
            st.write(_("What was uploaded, corrected or written by the simulated hand goes with it."))
            if st.button(_("Delete this dataset"), type="primary"):
                delete_dataset(dataset)
                st.rerun()


space = workspace()
st.title(_("Datasets"))
for kind in KINDS:
    for job in list_jobs(space, kind):
        if job.status().state.is_active or failed_here(job):
            watch_until_done(job)

datasets = {dataset.name: dataset for dataset in list_datasets(space)}
# Open until the first one is there that this session has asked for: another's would close what is being filled in.
is_open = st.session_state.setdefault("import-open", not datasets) and st.session_state.get(ASKED_FOR) not in datasets
with st.expander(_("Bring in a dataset"), expanded=is_open, icon=":material/add:"):
    show_import_form(space)

if datasets:
    name = choose(_("Dataset"), {name: name for name in datasets}, "dataset")
    with errors_shown(), datasets[name].in_use():
        show_dataset(datasets[name], space)
else:
    st.info(
        _("There is no dataset yet. Bring in a zip or a folder with one folder a character."), icon=":material/info:"
    )
