"""Write a split out for other tools, as a job."""

import streamlit as st

from hanzi_core.cli.perform import read_config, start
from hanzi_core.dataset import Dataset
from hanzi_core.dataset.materialise import MaterialiseConfig
from hanzi_core.image.presets import list_presets
from hanzi_core.jobs import list_jobs
from hanzi_core.jobs.store import State
from hanzi_core.language import gettext as _
from hanzi_core.workspace import Workspace, named_path
from pages.parts.plain_text import show_error
from pages.parts.session import choices_kept, errors_shown, first, first_of
from pages.parts.setting_names import preset_name


def show_writing_out(dataset: Dataset, space: Workspace) -> None:
    """The form, and what became of the last time."""
    st.caption(
        _("Folders train, val and test with a folder a character, and labels.txt, labels.json and labels.py. ")
        + _("Each has a folder for every class, so that other tools number them alike; some may be empty. ")
        + _("Files are hard links where the disk allows, and copies elsewhere.")
    )
    with choices_kept("write-"):
        _show_form(dataset, space)
    _show_last(dataset, space)


def _show_form(dataset: Dataset, space: Workspace) -> None:
    """Each dataset has its own, or a folder that is meant for one would be offered for another."""
    presets, splits, key = list_presets(space), list(dataset.splits()), f"write-{dataset.name}"
    place = f"/data/{dataset.name}-split"
    target = st.text_input(_("Folder to make, on this server"), placeholder=place, key=f"{key}-target")
    left, middle, right = st.columns(3)
    split = left.selectbox(_("Split"), splits, key=first_of(f"{key}-split", splits, "default"))
    label = _("Augmented files a training picture")
    augmented = middle.number_input(label, 0, 100, key=first(f"{key}-augmented", 0))
    preset = right.selectbox(
        _("Augmentation"), list(presets), format_func=preset_name, key=first(f"{key}-preset", "classic")
    )
    begin = st.button(_("Write the folders"), type="primary", icon=":material/drive_file_move:")
    if begin and not target.strip():
        show_error(_("Give the folder to write to."))
    elif begin:
        with errors_shown():
            values = {
                "dataset": dataset.name,
                "target": named_path(target.strip()),
                "split": split,
                "augmented": augmented,
                "augmentation": presets[preset],
            }
            start(space, "materialise", read_config(MaterialiseConfig, values), dataset.name)
            st.rerun()


def _show_last(dataset: Dataset, space: Workspace) -> None:
    jobs = [job for job in list_jobs(space, "materialise") if job.config.get("dataset") == dataset.name]
    if not jobs:
        return
    status, result = jobs[0].status(), jobs[0].result()
    if status.state is State.FINISHED and result:
        text = _("{files} files of {classes} classes; {linked} by link, {augmented} augmented.").format(**result)
        st.success(f"`{jobs[0].config['target']}` · {text}", icon=":material/check:")
    elif not status.state.is_active:
        show_error(status.changes[-1])
