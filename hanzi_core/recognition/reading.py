"""Reading several characters: the text of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import cv2

from hanzi_core.image.segment import Box, Page, merge_boxes
from hanzi_core.recognition.preferences import Preferences
from hanzi_core.recognition.recogniser import Answer, Reader

UNREAD = "□"
"""Stands for a box in which nothing was recognised."""


_PARTS = 4
"""At most so many boxes may be the parts of one character."""


@dataclass(frozen=True)
class ReadCharacter:
    """A character of a page: where it stands, and what it may be."""

    box: Box
    answer: Answer
    said: str = ""
    """What it is as a person said; empty where nobody did."""

    @property
    def label(self) -> str:
        """What was said that it is, else the best candidate."""
        return self.said or (self.answer.candidates[0].label if self.answer.candidates else UNREAD)

    @property
    def probability(self) -> float:
        """Of the best candidate, 0 to 1."""
        return self.answer.candidates[0].probability if self.answer.candidates else 0.0


def shows_several(reader: Reader, page: Page, preferences: Preferences) -> bool:
    """Whether a picture seems to show several characters: by where its boxes lie, and in doubt by reading it both ways.

    A few boxes are one character where together they are read for sure and one by one they are not.
    """
    boxes = list(page.boxes)
    # What hangs together is one character, though it be cut for its width.
    if len(boxes) < 2 or cv2.connectedComponents(page.ink)[0] == 2:
        return False
    whole = merge_boxes(boxes)
    height, width = whole.bottom - whole.top, whole.right - whole.left
    # Two boxes in a square may as well be the halves of one character.
    if len(boxes) < _PARTS and max(width, height) <= 1.5 * min(width, height):
        return False
    if len(boxes) > _PARTS:
        return True
    (one,) = read_page(reader, page, [whole], preferences)
    return not one.answer.is_sure or all(each.answer.is_sure for each in read_page(reader, page, boxes, preferences))


def read_page(
    reader: Reader, page: Page, boxes: Sequence[Box], preferences: Preferences, count: int = 10
) -> list[ReadCharacter]:
    """Read the characters in ``boxes`` of ``page``, which may be others than those that were found."""
    seen = [reader.see(page.cut(box)) for box in boxes]
    answers = reader.answer(seen, preferences, count)
    return [ReadCharacter(box, answer) for box, answer in zip(boxes, answers, strict=True)]


def text_of(characters: Sequence[ReadCharacter]) -> str:
    """The text in reading order, a line of text for each line or column of the page."""
    lines = groupby(characters, key=lambda each: each.box.line)
    return "\n".join("".join(each.label for each in line) for _number, line in lines)
