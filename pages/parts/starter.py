"""Ask the simulated hand for a dataset, and tell how far it is."""

import time

import streamlit as st

from hanzi_core.cli.datasets import check_is_new
from hanzi_core.cli.perform import read_config, resume, start
from hanzi_core.cli.synthesise import StarterConfig, give_up, summary
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.jobs.store import State
from hanzi_core.language import gettext as _
from hanzi_core.language import mark, sentences
from hanzi_core.strokes.character_sets import HSK_SIZES, WHOLE_LIBRARY, characters_named
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.synthesis import MIXED, SynthesisConfig
from hanzi_core.workspace import Workspace, check_name
from pages.parts.hand_style import STYLE_NAMES
from pages.parts.plain_text import escape
from pages.parts.session import errors_shown, first

Adjustment = dict[str, float | tuple[float, float]]

ASKED_FOR = "dataset-asked-for"
"""In the session: the new dataset that was asked for last."""
OWN = "own"
TOLD_S = 600.0
"""For so long after it was written everybody is told of a dataset."""
BYTES_PER_PICTURE = 4300
"""Of a PNG file, measured over all styles: 0.6 to 5 kB, of which a disk gives away 4,096 bytes or 8,192."""

SETS = {
    OWN: mark("My own"),
    **{f"common-{size}": mark("The {size} most frequent, as in HSK {level}") for size in HSK_SIZES},
    "gb2312-1": mark("GB 2312, level 1 (3,755)"),
    "gb2312-2": mark("GB 2312, level 2 (3,008)"),
    "big5-1": mark("Big5, level 1 (5,105)"),
    WHOLE_LIBRARY: mark("All that the library has (9,574)"),
}


def show_starter_form(space: Workspace, style: str = "", adjust: Adjustment | None = None) -> None:
    """Ask what to write, say what it comes to, and start; by the hand of ``style``, or ask for one."""
    left, right = st.columns(2)
    name = left.text_input(_("Name of the dataset"), key="starter-name")
    chosen = right.selectbox(_("Characters"), list(SETS), format_func=_set_name, key="starter-set")
    text = st.text_area(_("My own characters"), key="starter-own", height=90) if chosen == OWN else chosen
    left, right = st.columns(2)
    per_class = left.number_input(_("Pictures a character"), 1, 10_000, key=first("starter-count", 20))
    if not style:
        style = right.selectbox(
            _("Style"),
            list(STYLE_NAMES),
            format_func=lambda key: _(STYLE_NAMES[key]),
            key=first("starter-style", MIXED),
        )
    characters: list[str] = []
    with errors_shown():
        characters = _characters_to_write(text)
    if characters:
        _show_size(len(characters), per_class)
    ready = bool(characters and name.strip())
    hint = None if ready else _("Give it a name and characters first.")
    if st.button(_("Write"), type="primary", icon=":material/edit:", disabled=not ready, help=hint):
        values = {"characters": text, "per_class": per_class, "style": style, "adjust": adjust or {}, "unknown": "skip"}
        with errors_shown():
            _start(space, check_name(name), read_config(SynthesisConfig, values))


def _set_name(key: str) -> str:
    sizes = [f"common-{size}" for size in HSK_SIZES]
    if key not in sizes:
        return _(SETS[key])
    level = "7–9" if key == sizes[-1] else str(1 + sizes.index(key))
    return _(SETS[key]).format(size=f"{HSK_SIZES[sizes.index(key)]:,}", level=level)


def _characters_to_write(text: str) -> list[str]:
    """Those that the library has; none where some are missing and the rest is not wanted either."""
    wanted, library = characters_named(text), StrokeLibrary.load()
    unknown = [character for character in wanted if character not in library]
    if not unknown:
        return wanted
    shown = " ".join(unknown[:20])
    st.warning(_("The stroke library lacks: {skipped}").format(skipped=escape(shown)), icon=":material/warning:")
    rest = [character for character in wanted if character in library]
    return rest if rest and st.checkbox(_("Write the others"), key=first("starter-others", True)) else []


def _show_size(characters: int, per_class: int) -> None:
    pictures = characters * per_class
    text = _("{characters} characters, {pictures} pictures, about {size} MB.")
    size = f"{pictures * BYTES_PER_PICTURE / 1e6:,.1f}"
    st.caption(text.format(characters=f"{characters:,}", pictures=f"{pictures:,}", size=size))


def _start(space: Workspace, name: str, synthesis: SynthesisConfig) -> None:
    check_is_new(space, name)
    start(space, "synthesise", read_config(StarterConfig, {"name": name, "synthesis": synthesis}), name)
    st.session_state[ASKED_FOR] = name
    st.rerun()


def show_last_synthesis(space: Workspace, topped_up: str = "") -> None:
    """What the newest one has come to, of new datasets or of one that is topped up, and a button to go on."""
    jobs = [job for job in list_jobs(space, "synthesise") if job.config.get("top_up") == topped_up]
    for job in jobs[:1]:
        status = job.status()
        if status.state is State.FINISHED:
            if time.time() - status.changes[-1].time < TOLD_S:
                _show_outcome(job)
        elif not status.state.is_active:
            _show_end(space, job, str(status.changes[-1]))


def _show_outcome(job: Job) -> None:
    skipped = (job.result() or {})["skipped"]
    told = [summary(job)]
    if skipped:
        told.append(_("The stroke library lacks: {skipped}").format(skipped=skipped))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success(f"**{escape(job.title)}** · {escape(sentences(*told))}", icon=":material/check:")
        if name := job.config["name"]:
            st.page_link(
                "pages/datasets.py",
                label=_("Open the dataset"),
                icon=":material/photo_library:",
                query_params={"dataset": name},
            )


def _show_end(space: Workspace, job: Job, reason: str) -> None:
    st.error(f"**{escape(job.title)}** · {escape(reason)}", icon=":material/error:")
    with st.container(horizontal=True):
        go_on = st.button(
            _("Go on"), icon=":material/play_arrow:", help=_("What is written is kept."), key=f"go-on-{job.id}"
        )
        # What was written for a dataset that is there is its own, and taken away where it is filled up.
        discard = bool(job.config["name"]) and st.button(
            _("Give up"), icon=":material/delete:", help=_("What is written is deleted."), key=f"give-up-{job.id}"
        )
    with errors_shown():
        if go_on:
            resume(space, job)
            st.rerun()
        if discard:
            give_up(space, job)
            st.rerun()
