"""Let the simulated hand fill up the classes that have too few pictures, or take that away again."""

import pandas as pd
import streamlit as st

from hanzi_core.cli.perform import read_config, start
from hanzi_core.cli.synthesise import StarterConfig
from hanzi_core.dataset import Dataset
from hanzi_core.dataset.written import are_written
from hanzi_core.language import gettext as _
from hanzi_core.language import sentences
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.workspace import Workspace
from pages.parts.dataset_facts import all_counts_of, manifest_of
from pages.parts.hand_style import STYLE_NAMES
from pages.parts.plain_text import escape
from pages.parts.session import errors_shown
from pages.parts.starter import show_last_synthesis


def show_top_up(dataset: Dataset, space: Workspace) -> None:
    """What is lacking, the form that has it written, and a button against what was."""
    with st.expander(_("Fill up rare classes"), icon=":material/edit:", key="top-up"):
        st.caption(
            _(
                "The simulated hand writes what a class lacks. Its pictures are marked as synthetic: "
                "they are trained on, and never part of validation or test. Your own files stay as they are."
            )
        )
        left, right = st.columns(2)
        wanted = left.number_input(_("Pictures a character, at least"), 2, 10_000, 20, key="top-up-count")
        style = right.selectbox(
            _("Style"), list(STYLE_NAMES), 4, format_func=lambda key: _(STYLE_NAMES[key]), key="top-up-style"
        )
        lacking = _show_lacking(all_counts_of(dataset), wanted)
        if st.button(_("Write what is lacking"), type="primary", icon=":material/edit:", disabled=not lacking):
            _start(dataset, space, {"per_class": wanted, "style": style, "unknown": "skip"})
        written = int(are_written(manifest_of(dataset)["path"]).sum())
        text = _("Remove the {count} that were written").format(count=f"{written:,}")
        # One that was broken off has left what no manifest counts.
        text = text if written else _("Remove what was written")
        if dataset.written.is_dir() and st.button(text, icon=":material/delete:"):
            _start(dataset, space, {}, remove=True)
        show_last_synthesis(space, dataset.name)


def _show_lacking(counts: pd.Series, wanted: int) -> int:
    """Say how much is lacking and what of it the library cannot write; the pictures that it can."""
    library = StrokeLibrary.load()
    small = counts[counts < wanted]
    known = small[[label in library for label in small.index]]
    lacking = int((wanted - known).sum())
    text = _("No class lacks any.")
    if lacking:
        text = _("{classes} classes lack {pictures} pictures.").format(
            classes=f"{len(known):,}", pictures=f"{lacking:,}"
        )
    if unknown := [str(label) for label in small.index if label not in library]:
        lacks = _("The stroke library lacks: {skipped}").format(skipped=escape(" ".join(unknown[:20])))
        text = sentences(text, lacks)
    st.markdown(text)
    return lacking


def _start(dataset: Dataset, space: Workspace, synthesis: dict[str, object], remove: bool = False) -> None:
    with errors_shown():
        values = {"top_up": dataset.name, "synthesis": synthesis, "remove": remove}
        start(space, "synthesise", read_config(StarterConfig, values), dataset.name)
        st.rerun()
