"""One picture: what was taken as ink, what the model saw, and what it says; or a page of characters."""

import hashlib

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.image.binarise import (
    POLARITY_NAMES,
    THRESHOLD_NAMES,
    Polarity,
    Threshold,
    binarise,
)
from hanzi_core.image.segment import Page, find_characters
from hanzi_core.language import gettext as _
from hanzi_core.recognition.photo import Read, open_picture
from hanzi_core.recognition.reading import shows_several
from pages.parts.candidates import show_candidates
from pages.parts.ink_pad import SIDE_PX
from pages.parts.recognise_correct import show_correct
from pages.parts.recognise_desk import Desk
from pages.parts.recognise_page import DIRECTION, show_page
from pages.parts.recognise_settings import kept_choice
from pages.parts.recognise_why import show_why
from pages.parts.recognise_writing import show_writing, write
from pages.parts.session import choices_kept, errors_shown, first

_SHOWN_PX = 200
_SEVERAL = "several-"


@st.cache_data(max_entries=8, show_spinner=False)
def _read(data: bytes, name: str) -> NDArray[np.uint8]:
    return open_picture(data, name)


@st.cache_data(max_entries=8, show_spinner=False)
def _find(gray: NDArray[np.uint8], *, polarity: Polarity = Polarity.FOUND) -> Page:
    return find_characters(gray, polarity=polarity)


@st.fragment
def show_picture(desk: Desk, data: bytes, name: str) -> None:
    """The picture as one character or as a page, whichever it seems to be; it can be said."""
    with errors_shown(), choices_kept(_SEVERAL, DIRECTION):
        gray = _read(data, name)
        digest = hashlib.blake2b(data, digest_size=6).hexdigest()
        with st.container(horizontal=True):
            several = st.segmented_control(
                _("What it shows"),
                [False, True],
                format_func=lambda many: _("Several characters") if many else _("One character"),
                required=True,
                key=first(f"{_SEVERAL}{digest}", _shows_several(desk, gray, digest)),
            )
            polarity = _choose_polarity() if several else Polarity.FOUND
        if several:
            show_page(desk, gray, digest, polarity)
        else:
            show_writing()
            _show_character(desk, gray, digest)


def _shows_several(desk: Desk, gray: NDArray[np.uint8], digest: str) -> bool:
    """What is taken to be shown until it is said: once a picture, for it is read both ways."""
    key = f"shows-several-{digest}"
    if key not in st.session_state:
        st.session_state[key] = shows_several(desk.reader(), _find(gray), desk.preferences)
    return bool(st.session_state[key])


def _choose_polarity() -> Polarity:
    return st.selectbox(
        _("Ink"),
        format_func=lambda choice: _(POLARITY_NAMES[choice]),
        **kept_choice("polarity", list(Polarity), Polarity.FOUND),
        width=180,
    )


def _choose_threshold() -> tuple[Threshold, int]:
    threshold = st.selectbox(
        _("Threshold"),
        format_func=lambda choice: _(THRESHOLD_NAMES[choice]),
        **kept_choice("threshold", list(Threshold), Threshold.OTSU),
        width=260,
    )
    level = 128
    if threshold is Threshold.MANUAL:
        level = st.slider(_("Level"), 1, 254, 128, key="level", width=220)
    return threshold, level


def _show_character(desk: Desk, gray: NDArray[np.uint8], digest: str) -> None:
    """The views, and beside them what it says, or above where there is no room: below them it is off the screen."""
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=SIDE_PX):
            views = st.container(horizontal=True, wrap=False, key="views")
            with st.expander(_("How the ink is found"), icon=":material/contrast:"):
                polarity = _choose_polarity()
                threshold, level = _choose_threshold()
        side = st.container(key="picture-answer", width="stretch")
    as_it_is = threshold is Threshold.OTSU and polarity is Polarity.FOUND
    read = desk.read(gray, _find) if as_it_is else _read_ink(desk, binarise(gray, threshold, polarity, level))
    ink = binarise(read.picture) if as_it_is else 255 - read.picture
    found = read.answer
    for picture, caption in (
        (gray, _("The picture")),
        (255 - ink, _("Taken as ink")),
        (cv2.resize(found.seen, (_SHOWN_PX, _SHOWN_PX), interpolation=cv2.INTER_NEAREST), _("What the model saw")),
    ):
        views.image(_fitted(picture), caption=caption, width="stretch")
    with side:
        may_be_several = len(_find(gray).boxes) > 1
        doubt = _("Not sure. It may be one of these, none, or several: say so above.") if may_be_several else ""
        show_candidates(found, write, "picture-", doubt)
        show_correct(desk, read.picture, found, place=digest, key="picture-", write=write)
        show_why(desk, found, "picture-")


def _read_ink(desk: Desk, ink: NDArray[np.uint8]) -> Read:
    """What is said of the ink as it was found by hand; that is what a correction keeps, and training will see."""
    picture = 255 - ink
    return Read(picture, desk.answer(desk.recogniser.see(picture)))


def _fitted(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in a square of paper, so that three stand side by side."""
    scale = 2 * _SHOWN_PX / max(gray.shape)
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    square = np.full((2 * _SHOWN_PX, 2 * _SHOWN_PX), int(np.median(gray)), np.uint8)
    top, left = (square.shape[0] - small.shape[0]) // 2, (square.shape[1] - small.shape[1]) // 2
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return square
