"""Handwriting: what the simulated hand writes, and datasets made by it."""

import base64

import cv2
import numpy as np
import streamlit as st

from hanzi_core.cli.perform import read_config, start
from hanzi_core.cli.synthesise import StarterConfig
from hanzi_core.jobs import list_jobs
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.strokes.style import PRESETS, HandStyle, style_named
from hanzi_core.strokes.synthesis import SynthesisConfig, write_character
from hanzi_core.workspace import Workspace
from pages.parts.job_panel import watch_until_done
from pages.parts.session import errors_shown, workspace

HANDS = 40
PRESET_NAMES = {
    "neat": mark("Neat"),
    "everyday": mark("Everyday"),
    "running": mark("Running"),
    "brush": mark("Brush"),
}
SETS = {"gb2312-1": mark("GB 2312, level 1 (3,755)"), "gb2312-2": mark("GB 2312, level 2 (3,008)")}


def choose_style() -> HandStyle:
    """A preset, and what the sliders make of it."""
    name = st.segmented_control(
        _("Style"), list(PRESETS), default="everyday", format_func=lambda key: _(PRESET_NAMES[key]), required=True
    )
    preset = PRESETS[name]
    with st.expander(_("Adjust the hand")):
        changes: dict[str, float | tuple[float, float]] = {
            "sloppiness": st.slider(_("Sloppiness"), 0.0, 3.0, preset.sloppiness, key=f"sloppiness-{name}"),
            "joins": st.slider(_("Joined strokes"), 0.0, 1.0, preset.joins, key=f"joins-{name}"),
            "smoothing": st.slider(_("Speed"), 0.0, 1.0, preset.smoothing, key=f"smoothing-{name}"),
            "pen_width": st.slider(_("Width of the pen"), 0.01, 0.25, preset.pen_width, key=f"pen-{name}"),
            "slant": st.slider(_("Slant"), 0.0, 0.5, preset.slant, key=f"slant-{name}"),
        }
    return style_named(name, **changes)


def show_hands(character: str, style: HandStyle) -> None:
    """The character as forty writers would write it."""
    pictures = write_character(character, style, HANDS, np.random.default_rng(0))
    cells = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()}" '
        'style="width:88px;height:88px;object-fit:contain" alt="">'
        for picture in pictures
    )
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:4px">{cells}</div>')


def show_starter_form(space: Workspace) -> None:
    """Ask what to write, and start writing it."""
    with st.form("starter"):
        name = st.text_input(_("Name of the dataset"))
        chosen = st.selectbox(_("Characters"), ["", *SETS], format_func=lambda key: _(SETS.get(key, mark("My own"))))
        own = st.text_input(_("My own characters"))
        style = st.selectbox(_("Style"), list(PRESETS), index=1, format_func=lambda key: _(PRESET_NAMES[key]))
        per_class = st.number_input(_("Pictures a character"), 1, 10_000, 20)
        if st.form_submit_button(_("Write"), icon=":material/edit:") and name:
            values = {"characters": chosen or own, "per_class": per_class, "style": style, "unknown": "skip"}
            synthesis = read_config(SynthesisConfig, values)
            start(space, "synthesise", read_config(StarterConfig, {"name": name, "synthesis": synthesis}), name)


space = workspace()
st.title(_("Handwriting"))
st.caption(_("A simulated hand writes 9,574 characters from their strokes, never twice alike."))
character = st.text_input(_("Character"), "永", max_chars=1)
with errors_shown():
    show_hands(character or "永", choose_style())
st.subheader(_("Make a dataset"))
with errors_shown():
    show_starter_form(space)
for job in list_jobs(space, "synthesise")[:1]:
    if job.status().state.is_active:
        watch_until_done(job)
