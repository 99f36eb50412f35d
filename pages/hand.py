"""Handwriting: what the simulated hand writes, and datasets made by it."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.jobs import list_jobs
from hanzi_core.language import gettext as _
from hanzi_core.strokes.style import HandStyle, style_named
from hanzi_core.strokes.synthesis import write_character
from hanzi_core.workspace import Workspace
from pages.parts.hand_style import adjust_style, choose_preset
from pages.parts.job_panel import watch_until_done
from pages.parts.picture_address import picture_address
from pages.parts.session import choices_kept, errors_shown, first, workspace
from pages.parts.starter import show_last_synthesis, show_starter_form

HANDS = 40
FIRST = "永"
TILE_PX = 58  # at least: 8 in a row beside the sliders, 5 on a phone, so that no row has a gap


def show_hands(character: str, style: HandStyle, seed: int) -> None:
    """The character as forty writers would write it."""
    pictures = write_character(character, [style], HANDS, np.random.default_rng(seed))
    tiles = "".join(_tile(picture, f"{character} {number}") for number, picture in enumerate(pictures, 1))
    columns = f"repeat(auto-fill,minmax({TILE_PX}px,1fr))"
    st.html(f'<div style="display:grid;grid-template-columns:{columns};gap:6px">{tiles}</div>')


def _tile(picture: NDArray[np.uint8], text: str) -> str:
    """A picture in a square of its own paper."""
    paper = int(np.median(np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])))
    look = f"width:100%;aspect-ratio:1;object-fit:contain;border-radius:6px;background:rgb({paper},{paper},{paper})"
    return f'<img src="{picture_address(picture)}" style="{look}" alt="{text}">'


def show_page(space: Workspace) -> None:
    """Forty hands beside the sliders that shape them, and the form that lets them write a dataset."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(horizontal=True, width="content"):  # their labels in line, though one is less high
            asked = st.text_input(_("Character"), max_chars=1, width=110, key=first("hand-character", FIRST))
            character = asked.strip() or FIRST
            preset = choose_preset()
        if st.button(_("Other writers"), icon=":material/casino:"):
            st.session_state["hand-seed"] = st.session_state.get("hand-seed", 0) + 1
    hands, sliders = st.columns([2, 1], gap="medium")
    with sliders:
        changes = adjust_style(preset)
    with hands, errors_shown():
        show_hands(character, style_named(preset, **changes), st.session_state.get("hand-seed", 0))
    st.subheader(_("Make a dataset"))
    st.caption(_("By the hand above. Its pictures are marked as synthetic, for good."))
    show_starter_form(space, preset, changes)
    for job in list_jobs(space, "synthesise"):
        if job.status().state.is_active:
            watch_until_done(job)
    show_last_synthesis(space)


space = workspace()
st.title(_("Handwriting"))
st.caption(_("A simulated hand writes 9,574 characters from their strokes, never twice alike."))
with choices_kept("hand-", "starter-"):
    show_page(space)
