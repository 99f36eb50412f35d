"""A picture of one character, also a photo: the sheet alone, and where it is not read for sure, its ink alone.

A shadow or ruling counts as ink for the normalisation, which sees one level for the whole picture. A page has its light
evened out and its ruling removed; so has a photo of one character, where that makes a doubtful answer a sure one.
Right of 40 photos by the simulated hand: light that falls to 0.6 of itself 30 for 5, to 0.45 22 for 3, ruled 34 for 8,
plain 38 as before. Where a shadow or a frame darkens the edge, paper seems to be ink, and both ways are tried: in the
shadow of a hand 38 for 0, of a lens 38 for 10, framed 31 for 0. What was read for sure stays as it was, and so do
scans: of 150 pictures of each collection, enlarged, as many are right.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hanzi_core.image.binarise import Polarity, may_be_dark_ink
from hanzi_core.image.decode import decode
from hanzi_core.image.segment import Page, find_characters, merge_boxes, shrink
from hanzi_core.image.sheet import LEAST_PHOTO_PX, straighten_sheet
from hanzi_core.recognition.preferences import Preferences
from hanzi_core.recognition.recogniser import Answer, Reader


class Find(Protocol):
    """Whoever finds the characters of a page: :func:`find_characters`, or what keeps the pages that it found."""

    def __call__(self, gray: NDArray[np.uint8], *, polarity: Polarity = Polarity.FOUND) -> Page:
        """See :func:`find_characters`."""


@dataclass(frozen=True)
class Read:
    """What is said of a picture, and of what: the picture itself, or its ink alone."""

    picture: NDArray[np.uint8]
    answer: Answer


def open_picture(data: bytes, name: str) -> NDArray[np.uint8]:
    """The picture in a file, ``uint8 (height, width)``, as :func:`shrink` leaves it.

    Of a sheet on a desk the sheet alone, or the desk would count as ink.

    Raises:
        ImageError: it cannot be read.
    """
    return shrink(straighten_sheet(decode(data, name))[0])


def inks_alone(gray: NDArray[np.uint8], find: Find = find_characters) -> list[NDArray[np.uint8]]:
    """Dark ink on white, evenly lit and without ruling; none of what is no photo, or holds no ink.

    Two of a photo on which a shadow or a frame may hide that its ink is dark.
    """
    if max(gray.shape) < LEAST_PHOTO_PX:
        return []
    polarities = [Polarity.FOUND, Polarity.DARK] if may_be_dark_ink(gray) else [Polarity.FOUND]
    pages = [find(gray, polarity=polarity) for polarity in polarities]
    return [page.cut(merge_boxes(list(page.boxes))) for page in pages if page.boxes]


def read_photos(
    reader: Reader,
    pictures: Sequence[NDArray[np.uint8]],
    preferences: Preferences,
    count: int = 10,
    *,
    each: Callable[..., Iterable] = map,
    find: Find = find_characters,
) -> list[Read]:
    """The answer to each picture of one character, ``uint8 (height, width)``.

    Args:
        reader: Who answers.
        pictures: As :func:`open_picture` gives them.
        preferences: Of whoever asks.
        count: Candidates of each.
        each: ``map``, or that of a pool.
        find: As :func:`find_characters`; a page that has looked already need not look again, for half a second.
    """
    answers = reader.answer(list(each(reader.see, pictures)), preferences, count)
    found = [Read(picture, answer) for picture, answer in zip(pictures, answers, strict=True)]
    doubtful = [number for number, answer in enumerate(answers) if not answer.is_sure]
    inks = each(partial(inks_alone, find=find), [pictures[number] for number in doubtful])
    clear = [(number, ink) for number, some in zip(doubtful, inks, strict=True) for ink in some]
    again = reader.answer([reader.see(ink) for _, ink in clear], preferences, count)
    for (number, ink), answer in zip(clear, again, strict=True):
        before = found[number].answer
        if answer.is_sure and not (before.is_sure and before.assurance >= answer.assurance):
            found[number] = Read(ink, answer)
    return found
