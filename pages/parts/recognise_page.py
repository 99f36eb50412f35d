"""A page of characters: boxes that can be mended, the text, and a table."""

import weakref
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from hanzi_core.image.binarise import Polarity
from hanzi_core.image.segment import (
    DIRECTION_NAMES,
    Box,
    Direction,
    Page,
    find_characters,
    merge_boxes,
    split_box,
)
from hanzi_core.language import gettext as _
from hanzi_core.recognition.reading import ReadCharacter, read_page, text_of
from pages.parts.copy_button import show_copy_button
from pages.parts.picture_address import picture_address
from pages.parts.recognise_correct import Place, kept_at, show_correct
from pages.parts.recognise_desk import Desk
from pages.parts.session import first
from pages.parts.tables import share_column, table_height

_BOX_COLOUR = (178, 58, 46)
_DOUBT_COLOUR = (225, 150, 0)
_CHOSEN_COLOUR = (30, 100, 220)
_DIGIT_PX = 21
"""Height of a digit of OpenCV's font at scale 1."""
_NUMBER_SHARE = 0.25
"""Of a character's side."""
_TABLE_PX = 380
"""At most so high."""

DIRECTION = "direction"
"""Key of the choice in the session."""
_READINGS_LIMIT = 4
"""Of a session: a page of 1,600 pixels a side takes 5 MB."""

_Asked = tuple[str, Direction, Polarity]
"""Digest of the picture, and how it is to be read."""


@dataclass
class _Reading:
    """A page as this session has it: its boxes may have been mended, and it is read again only if they were."""

    asked: _Asked
    page: Page
    boxes: list[Box]
    read_with: object = None
    characters: tuple[ReadCharacter, ...] = ()
    version: int = 0
    """Of the table: its selection is dropped when the boxes change."""

    def change(self, chosen: list[Box], put: list[Box]) -> None:
        """Put boxes in the place of the chosen ones."""
        if not set(chosen) <= set(self.boxes):
            return  # heard twice
        place = self.boxes.index(chosen[0])
        rest = [box for box in self.boxes if box not in chosen]
        self._set([*rest[:place], *put, *rest[place:]])

    def begin_anew(self) -> None:
        """Have the boxes that were found."""
        self._set(list(self.page.boxes))

    def _set(self, boxes: list[Box]) -> None:
        self.boxes = boxes
        self.version += 1

    def read(self, desk: Desk) -> tuple[ReadCharacter, ...]:
        """What stands in the boxes, or what was said that it is."""
        reader = desk.reader()
        # Weakly, or a session would hold on to a model that everybody else has closed.
        asked = (weakref.ref(reader), desk.preferences, tuple(self.boxes))
        if self.read_with != asked:
            self.characters = tuple(read_page(reader, self.page, self.boxes, desk.preferences))
            self.read_with = asked
        kept = [kept_at(desk.space, self.place(box)) for box in self.boxes]
        return tuple(
            replace(each, said=correction.label if correction else "")
            for each, correction in zip(self.characters, kept, strict=True)
        )

    def place(self, box: Box) -> Place:
        """Of the character in ``box``: the same, whichever way the page is read."""
        digest, _direction, polarity = self.asked
        return digest, polarity, box.left, box.top, box.right, box.bottom


def show_page(desk: Desk, gray: NDArray[np.uint8], digest: str, polarity: Polarity) -> None:
    """Find, read and show the characters in ``gray``."""
    st.segmented_control(
        _("Read as"),
        list(Direction),
        format_func=lambda choice: _(DIRECTION_NAMES[choice]),
        required=True,
        key=first(DIRECTION, Direction.FOUND),
    )
    direction = st.session_state[DIRECTION]
    reading = _reading(gray, (digest, direction, polarity))
    if not reading.page.boxes:
        st.info(_("No ink found: draw or upload one dark character on light paper, or the other way round."))
        return
    characters = reading.read(desk)
    _show_text(text_of(characters))
    with st.container(horizontal=True, gap="medium"):
        picture = st.container(width="stretch", key="page-picture")
        with st.container(width=400):
            chosen = _show_table(reading, characters)
            _show_tools(reading, chosen)
            if len(chosen) == 1:
                one = characters[chosen[0]]
                show_correct(desk, reading.page.cut(one.box), one.answer, place=reading.place(one.box), key="page-")
    picture.image(_draw_boxes(reading.page, characters, chosen), width="stretch")


def _reading(gray: NDArray[np.uint8], asked: _Asked) -> _Reading:
    """The reading of this session that was asked for, or a new one; the last few are kept."""
    kept: dict[_Asked, _Reading] = st.session_state.setdefault("page-readings", {})
    reading = kept.pop(asked, None)
    if reading is None:
        page = find_characters(gray, asked[1], asked[2])
        reading = _Reading(asked, page, list(page.boxes))
    kept[asked] = reading
    if len(kept) > _READINGS_LIMIT:
        del kept[next(iter(kept))]
    return reading


def _show_text(text: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="page-text"):
        st.text(text, width="stretch")
        show_copy_button(text, key="copy-page")


def _show_table(reading: _Reading, characters: tuple[ReadCharacter, ...]) -> list[int]:
    table = pd.DataFrame(
        {
            "number": range(1, len(characters) + 1),
            "picture": [picture_address(255 - each.answer.seen) for each in characters],
            "label": [each.label for each in characters],
            "probability": [None if each.said else each.probability for each in characters],
            "others": [" ".join(other.label for other in each.answer.candidates[1:4]) for each in characters],
        }
    )
    shown = st.dataframe(
        table,
        hide_index=True,
        height=table_height(len(table), _TABLE_PX),
        on_select="rerun",
        selection_mode="multi-row",
        key="-".join(["page-table", *reading.asked, str(reading.version)]),
        column_config={
            "number": st.column_config.NumberColumn("#", width=36),
            "picture": st.column_config.ImageColumn(_("Seen"), width=46),
            "label": st.column_config.TextColumn(_("Character"), width=70),
            "probability": share_column(_("Probability"), 100),
            "others": st.column_config.TextColumn(_("Or"), width=72),
        },
    )
    return sorted(row for row in shown.selection.rows if row < len(characters))


def _show_tools(reading: _Reading, chosen: list[int]) -> None:
    boxes = [reading.boxes[number] for number in chosen]
    with st.container(horizontal=True, key="page-tools"):
        st.button(
            _("Merge"),
            icon=":material/merge:",
            disabled=len(boxes) < 2,
            on_click=lambda: reading.change(boxes, [merge_boxes(boxes)]),
        )
        st.button(
            _("Cut in two"),
            icon=":material/content_cut:",
            disabled=len(boxes) != 1 or _is_one_pixel(boxes[0]),
            on_click=lambda: reading.change(boxes, list(split_box(reading.page.ink, boxes[0], reading.page.direction))),
        )
        st.button(_("Delete"), icon=":material/delete:", disabled=not boxes, on_click=lambda: reading.change(boxes, []))
        st.button(
            _("Begin anew"),
            icon=":material/restart_alt:",
            disabled=reading.boxes == list(reading.page.boxes),
            on_click=reading.begin_anew,
        )
    st.caption(_("Choose rows of the table to merge, cut or delete their boxes, or one to correct it."))


def _is_one_pixel(box: Box) -> bool:
    return box.right - box.left == box.bottom - box.top == 1


def _draw_boxes(page: Page, characters: tuple[ReadCharacter, ...], chosen: list[int]) -> NDArray[np.uint8]:
    """The page with a box and a number about each character, both by their size: a full page is not to be covered."""
    picture = cv2.cvtColor(page.picture, cv2.COLOR_GRAY2RGB)
    sides = [max(each.box.bottom - each.box.top, each.box.right - each.box.left) for each in characters]
    side = float(np.median(sides or [0]))
    thick = max(1, round(min(max(picture.shape) / 600, side / 30)))
    scale = max(0.3, _NUMBER_SHARE * side / _DIGIT_PX)
    for number, each in enumerate(characters):
        colour = _BOX_COLOUR if each.said or each.answer.is_sure else _DOUBT_COLOUR
        if number in chosen:
            colour = _CHOSEN_COLOUR
        box = each.box
        cv2.rectangle(picture, (box.left - 2, box.top - 2), (box.right + 1, box.bottom + 1), colour, thick)
        cv2.putText(
            picture,
            str(number + 1),
            (box.left, max(round(_DIGIT_PX * scale), box.top - 3 - thick)),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            colour,
            max(1, round(1.5 * scale)),
            cv2.LINE_AA,
        )
    return picture
