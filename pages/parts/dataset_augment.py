"""What training may do to a picture: sliders, an original beside its variants, and presets to keep them by."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.dataset import Dataset
from hanzi_core.dataset.pack import sample_pictures
from hanzi_core.image.augment import Augmentation, augment
from hanzi_core.image.normalise import normalise
from hanzi_core.image.presets import BUILT_IN, delete_preset, list_presets, save_preset
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace
from pages.parts.dataset_facts import counts_of, source_of, usable_rows
from pages.parts.plain_text import escape
from pages.parts.session import choices_kept, errors_shown
from pages.parts.setting_names import preset_name

VARIANTS = 12
TILE_PX = 96

SLIDERS = {
    "rotation_deg": (mark("Rotation, ± degrees"), 45.0, 1.0),
    "shear_deg": (mark("Slant, ± degrees"), 45.0, 1.0),
    "shift": (mark("Shift, ± share of the side"), 0.5, 0.01),
    "zoom": (mark("Zoom, ± share"), 0.5, 0.01),
    "contrast": (mark("Contrast, ± share"), 0.9, 0.05),
    "brightness": (mark("Brightness, ± share"), 0.9, 0.05),
}


def show_augmentation(dataset: Dataset, space: Workspace) -> None:
    """Choose a preset, change it, see what it does, keep it."""
    presets = list_presets(space)
    with choices_kept("preset"):
        chosen = st.selectbox(_("Preset"), list(presets), format_func=preset_name, key="preset", width=260)
    augmentation = _sliders(chosen, presets[chosen])
    picture = _choose_picture(dataset)
    if picture is not None:
        _show_variants(picture, augmentation)
    _show_keeping(space, chosen, augmentation)


def _sliders(preset: str, start: Augmentation) -> Augmentation:
    columns = st.columns(3)
    values = {}
    for place, (name, (label, most, step)) in enumerate(SLIDERS.items()):
        # The key holds the preset: choosing another one puts every slider to its values.
        key = f"{name}-{preset}-{getattr(start, name)}"
        values[name] = columns[place % 3].slider(_(label), 0.0, most, float(getattr(start, name)), step, key=key)
    return Augmentation(**values)


def _choose_picture(dataset: Dataset) -> NDArray[np.uint8] | None:
    counts = counts_of(dataset)
    if counts.empty:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(_("Character"), list(counts.index), key="augmented-character", width=160)
        number = st.number_input(_("Picture"), 1, int(counts[label]), 1, width=140)
        st.button(_("Other variants"), icon=":material/casino:", on_click=_throw_again)
    rows = usable_rows(dataset)
    path = rows.loc[rows["label"] == label, "path"].iloc[number - 1]
    (picture,) = sample_pictures(source_of(dataset), [path])
    if picture is None:
        st.warning(_("{path} can no longer be read: the source has changed.").format(path=escape(path)))
        return None
    return normalise(picture)


def _throw_again() -> None:
    st.session_state["augmentation-seed"] = st.session_state.get("augmentation-seed", 0) + 1


def _show_variants(picture: NDArray[np.uint8], augmentation: Augmentation) -> None:
    random = np.random.default_rng(st.session_state.get("augmentation-seed", 0))
    variants = [augment(picture, augmentation, random) for _place in range(VARIANTS)]
    captions = [_("Original"), *("" for _variant in variants)]
    st.image([picture, *variants], caption=captions, width=TILE_PX)


def _show_keeping(space: Workspace, chosen: str, augmentation: Augmentation) -> None:
    with st.form("preset-form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        suggestion = "" if chosen in BUILT_IN else chosen
        name = st.text_input(_("Name of the preset"), suggestion, width=260)
        if st.form_submit_button(_("Save preset"), icon=":material/save:"):
            with errors_shown():
                kept = save_preset(space, name, augmentation)
                st.toast(_("“{name}” can be chosen for training.").format(name=escape(kept)))
                st.rerun()
    if chosen not in BUILT_IN and st.button(_("Delete this preset"), icon=":material/delete:"):
        with errors_shown():
            delete_preset(space, chosen)
            st.rerun()
