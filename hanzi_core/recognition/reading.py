"""Reading several characters: the text of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from hanzi_core.image.segment import Box, Page
from hanzi_core.recognition.preferences import Preferences
from hanzi_core.recognition.recogniser import Answer, Reader

UNREAD = "□"
"""Stands for a box in which nothing was recognised."""


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
