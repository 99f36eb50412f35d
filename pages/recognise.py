"""Recognise: draw a character or upload a picture, and read what it is."""

from pathlib import Path

import streamlit as st

from hanzi_core.bundle import CARD, Bundle, find_bundles
from hanzi_core.image.decode import decode
from hanzi_core.language import gettext as _
from hanzi_core.recognition import Recogniser
from pages.parts.candidates import show_candidates
from pages.parts.choice import choose
from pages.parts.ink_pad import show_ink_pad
from pages.parts.session import errors_shown, workspace


@st.cache_resource(show_spinner=False, max_entries=4)
def load_recogniser(folder: Path, _changed: float) -> Recogniser:
    """One recogniser a server and bundle; a bundle that was written anew is loaded anew."""
    return Recogniser.open(folder)


def choose_model(bundles: dict[str, Path]) -> Path:
    """The folder of the bundle that is to answer."""
    names = {key: Bundle.open(folder).card.name for key, folder in bundles.items()}
    return bundles[choose(_("Model"), names, "model")]


def show_upload(recogniser: Recogniser) -> None:
    """A picture from a file, what the model saw of it, and the candidates."""
    file = st.file_uploader(
        _("Picture of one character"), type=["png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff"]
    )
    if file is None:
        return
    with errors_shown():
        picture = decode(file.getvalue(), file.name)
        seen = recogniser.see(picture)
        left, right = st.columns(2)
        left.image([picture, seen], caption=[_("Your picture"), _("What the model sees")], width=160)
        with right:
            show_candidates(recogniser.recognise_seen(seen))


space = workspace()
st.title(_("Recognise"))
bundles = find_bundles(space)
if not bundles:
    st.info(
        _("There is no model yet. Bring in a dataset, train a model on it, and draw here; or open a model bundle."),
        icon=":material/info:",
    )
    st.page_link("pages/datasets.py", label=_("1. Bring in a dataset"), icon=":material/photo_library:")
    st.page_link("pages/training.py", label=_("2. Train a model"), icon=":material/model_training:")
    st.stop()

with errors_shown():
    folder = choose_model(bundles)
    recogniser = load_recogniser(folder, (folder / CARD).stat().st_mtime)
    draw, upload = st.tabs([_("Draw"), _("Upload")])
    with draw:
        pad, answer = st.columns(2)
        with pad:
            drawing = show_ink_pad()
        with answer:
            if drawing is None:
                st.caption(_("Draw one character; the answer comes after each stroke."))
            else:
                show_candidates(recogniser.recognise(drawing))
    with upload:
        show_upload(recogniser)
