"""Find the characters on a line, a column or a page, also on a photo of ruled or squared paper that lies askew.

The sheet is cut out of what lies around it, the light evened out, the page turned straight, ruling removed; what is
left falls into lines, and each line into characters: of all ways to group its pieces, the one whose characters are most
nearly square and best set apart.
"""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from hanzi_core.image.binarise import Polarity, even_light, has_light_ink, may_be_dark_ink
from hanzi_core.image.sheet import Matrix, straighten_sheet
from hanzi_core.language import mark

_WORKING_SIZE_PX = 1600
"""A photo is shrunk to this: characters of a full page still have 40 pixels."""

_WORKING_PX = _WORKING_SIZE_PX * 800
"""But no further than to so many: of a scroll or a long screenshot the longer side says nothing of its characters."""

_STEEPEST_DEG = 8.0
_LEAST_TURN_DEG = 0.1
_LEAST_CONTRAST = 40
_WIDEST = 1.45
"""A character is at most this many times as wide as the line is high."""

_LEVEL = 2.0
"""A stroke at least this many times as wide as high may be 一, or a rule: its height tells nothing of a character's."""

_FEW = 8
"""Pieces of ink that may be a single character: of these, one that is far longer than the others is its long stroke."""

_LONG = 2.5
"""Times the height of a line: a rule that begins behind a word on it; a dash is two characters long."""


_LEAST_INKED = 0.6
"""Of a ruling. Level strokes of many small characters make a run as long: 0.29 to 0.44 of it is ink, by brush up to
0.55; of ruling on photos it is 0.95 to 1."""

_FAR_MORE = 3
"""Times as many characters must show in dark ink where light ink was found at first: chalk leaves one or two."""

_LEAST_CHARACTER = 1 / 80
"""Of the page's longer side: what is smaller is the grain of a board."""

_COLUMNS_CLEARER = 1.4
"""Columns must be set apart by this many times as much as lines would be: where both are, most people write lines."""


class Direction(StrEnum):
    """How a page is read; see :data:`DIRECTION_NAMES`."""

    FOUND = "found"
    ROWS = "rows"
    COLUMNS = "columns"


DIRECTION_NAMES = {
    Direction.FOUND: mark("Found by itself"),
    Direction.ROWS: mark("Lines, left to right"),
    Direction.COLUMNS: mark("Columns, right to left"),
}


@dataclass(frozen=True, order=True)
class Box:
    """A character's place: pixels of the page's picture, ends exclusive, and the number of its line."""

    line: int
    left: int
    top: int
    right: int
    bottom: int


Band = tuple[tuple[int, int], int]
"""A line of text: its first and last row (exclusive), and the height of its characters, in pixels."""


@dataclass(frozen=True)
class Page:
    """A page turned straight, with the places of its characters in reading order."""

    picture: NDArray[np.uint8]
    """Dark ink on even white paper, ``uint8 (height, width)``."""
    ink: NDArray[np.uint8]
    """The same binarised and without ruling: ink 255."""
    boxes: tuple[Box, ...]
    direction: Direction
    matrix: Matrix = field(default_factory=lambda: np.eye(3), compare=False)
    """From pixels of the photo to those of ``picture``."""

    def cut(self, box: Box) -> NDArray[np.uint8]:
        """One character as dark ink on white, without ruling and without its neighbours."""
        region = slice(box.top, box.bottom), slice(box.left, box.right)
        # One pixel around the ink keeps the soft edges of its strokes.
        near = cv2.dilate(self.ink[region], np.ones((3, 3), np.uint8)) > 0
        return cv2.copyMakeBorder(
            np.where(near, self.picture[region], np.uint8(255)), 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=255
        )


def find_characters(
    gray: NDArray[np.uint8], direction: Direction = Direction.FOUND, polarity: Polarity = Polarity.FOUND
) -> Page:
    """The page in ``gray`` ``uint8 (height, width)``; without boxes where there is no ink."""
    full, shrunk = gray.shape, shrink(gray)
    page = _page(shrunk, full, direction, polarity)
    if polarity is Polarity.FOUND and may_be_dark_ink(shrunk):
        dark = _page(shrunk, full, direction, Polarity.DARK)
        side = max(dark.picture.shape)
        characters = [
            box for box in dark.boxes if max(box.right - box.left, box.bottom - box.top) >= side * _LEAST_CHARACTER
        ]
        if len(characters) >= _FAR_MORE * max(1, len(page.boxes)):
            return dark
    return page


def _page(shrunk: NDArray[np.uint8], full: tuple[int, ...], direction: Direction, polarity: Polarity) -> Page:
    """The page in ``shrunk``, which was ``full`` high and wide."""
    gray, matrix = straighten_sheet(shrunk) if polarity is not Polarity.LIGHT else (shrunk, np.eye(3))
    matrix = matrix @ np.diag([shrunk.shape[1] / full[1], shrunk.shape[0] / full[0], 1.0])
    if has_light_ink(gray, polarity):
        gray = 255 - gray
    even = even_light(gray)
    angle = _skew_deg(_threshold(even))
    turn = _turning(even.shape, angle if abs(angle) >= _LEAST_TURN_DEG else 0.0)
    picture, matrix = _turn(even, turn), np.vstack([turn, [0, 0, 1]]) @ matrix
    ink = _without_rules(_without_specks(_without_ruling(_threshold(picture))))
    if not ink.any():
        return Page(picture, ink, (), Direction.ROWS, matrix)
    found = _direction(ink) if direction is Direction.FOUND else direction
    flat = ink if found is Direction.ROWS else ink.T
    boxes = [
        _tight(ink, line, span, band, found)
        for line, (band, height) in enumerate(_in_order(_wide_bands(flat), found))
        for span in _characters(flat[band[0] : band[1]], height)
    ]
    return Page(picture, ink, tuple(boxes), found, matrix)


def split_box(ink: NDArray[np.uint8], box: Box, direction: Direction = Direction.ROWS) -> tuple[Box, Box]:
    """Cut a box in two where its ink is thinnest, across its longer side; in the order in which they are read."""
    part = ink[box.top : box.bottom, box.left : box.right] > 0
    wide = part.shape[1] >= part.shape[0]
    place = _thinnest(part.sum(axis=0 if wide else 1))
    if wide:
        middle = box.left + place
        left, right = _replace(box, right=middle), _replace(box, left=middle)
        return (right, left) if direction is Direction.COLUMNS else (left, right)
    middle = box.top + place
    return _replace(box, bottom=middle), _replace(box, top=middle)


def merge_boxes(boxes: list[Box]) -> Box:
    """The box around ``boxes``, in the line of the first."""
    return Box(
        min(box.line for box in boxes),
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _replace(box: Box, **ends: int) -> Box:
    values = {"line": box.line, "left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom}
    return Box(**{**values, **ends})


def shrink(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture ``(height, width)`` no larger than is of use: 60 megapixels would fill a server."""
    scale = max(_WORKING_SIZE_PX / max(gray.shape), math.sqrt(_WORKING_PX / gray.size))
    return gray if scale >= 1 else _scaled(gray, scale)


def _scaled(gray: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = (max(1, round(side * scale)) for side in gray.shape)
    return cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA)


def _threshold(even: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink 255 on evenly lit paper: all that has a third of the darkness of full ink, and stands out of the grain."""
    if int(even.max()) - int(even.min()) < _LEAST_CONTRAST:
        return np.zeros_like(even)
    otsu, _ = cv2.threshold(even, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    paper = even[even > otsu]
    # Otsu alone would lose the strokes of a fine pen beside those of a thick one, which are several times as dark.
    full = float(np.median(even[even <= otsu]))
    level = float(np.median(paper)) - max((float(np.median(paper)) - full) / 3, 4 * float(paper.std()))
    return np.where(even <= max(level, min(otsu, 200)), np.uint8(255), np.uint8(0))


def _turning(shape: tuple[int, ...], angle_deg: float) -> Matrix:
    """Counter-clockwise about the middle, ``float64 (2, 3)``."""
    return cv2.getRotationMatrix2D((shape[1] / 2, shape[0] / 2), angle_deg, 1.0)


def _turn(gray: NDArray[np.uint8], turn: Matrix) -> NDArray[np.uint8]:
    return cv2.warpAffine(gray, turn, gray.shape[::-1], flags=cv2.INTER_LINEAR, borderValue=255)


def _skew_deg(ink: NDArray[np.uint8]) -> float:
    """The turn that makes the page straight: at it the rows and columns of ink stand out most (Postl 1986).

    Ink is first smeared to blobs of about a character: the horizontal strokes of handwriting rise by some degrees, and
    would have the page turned until they lie level.
    """
    if (ruled := _skew_of_ruling(ink)) is not None:
        return ruled
    small = _smeared(ink)
    best = 0.0
    for reach, step in ((_STEEPEST_DEG, 1.0), (0.75, 0.25)):
        angles = best + np.arange(-reach, reach + step / 2, step)
        best = float(angles[int(np.argmax([_sharpness(small, angle) for angle in angles]))])
    # Single characters have no skew to find: a turn must make a clear difference.
    return best if _sharpness(small, best) > 1.02 * _sharpness(small, 0.0) else 0.0


def _skew_of_ruling(ink: NDArray[np.uint8]) -> float | None:
    """The same told by ruling, which is exact; ``None`` on plain paper (lines by Hough, as in Matas et al. 2000)."""
    small = cv2.threshold(_scaled(ink, min(1.0, 800 / max(ink.shape))), 60, 255, cv2.THRESH_BINARY)[1]
    reach = max(40, max(small.shape) // 2)
    lines = cv2.HoughLinesP(small, 1, np.pi / 1440, reach // 2, minLineLength=reach, maxLineGap=8)
    if lines is None:
        return None
    x1, y1, x2, y2 = lines.reshape(-1, 4).T.astype(np.float64)
    angles = (np.degrees(np.arctan2(y2 - y1, x2 - x1)) + 45) % 90 - 45
    angles = angles[np.abs(angles) <= _STEEPEST_DEG]
    return float(np.median(angles)) if len(angles) >= 3 else None


def _smeared(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink at 400 pixels a side, each of its pieces blurred to about the extent of a character."""
    scale = min(1.0, 400 / max(ink.shape))
    small = _scaled(ink, scale)
    count, _, stats, _ = cv2.connectedComponentsWithStats(cv2.threshold(small, 60, 255, cv2.THRESH_BINARY)[1])
    if count < 2:
        return small
    extent = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    extent = extent[extent < max(small.shape) / 3]  # ruling is one piece as wide as the page
    blur = float(np.percentile(extent, 75)) / 6 if len(extent) else 1.0
    return cv2.GaussianBlur(small, (0, 0), max(1.0, blur))


def _sharpness(ink: NDArray[np.uint8], angle_deg: float) -> float:
    turned = 255 - _turn(255 - ink, _turning(ink.shape, angle_deg)).astype(np.float32)
    return float(np.square(turned.sum(axis=1)).sum() + np.square(turned.sum(axis=0)).sum())


def _without_ruling(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink without lines that run over at least half the page; strokes that cross them are mended."""
    clean = ink
    for axis in (0, 1):
        flat = ink if axis == 0 else ink.T
        lines = _ruling(np.ascontiguousarray(flat))
        if not lines.any():
            continue
        rest = np.where(lines, np.uint8(0), np.ascontiguousarray(clean if axis == 0 else clean.T))
        # A stroke that crosses a line has ink on both of its sides: the gap closes again, the line does not.
        mended = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((9, 1), np.uint8))
        rest = np.where(lines & (ink if axis == 0 else ink.T > 0).astype(bool), mended, rest)
        clean = rest if axis == 0 else np.ascontiguousarray(rest.T)
    return clean


def _ruling(ink: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where horizontal ruling lies."""
    height, width = ink.shape
    side = min(width, 2 * height)  # on a scroll, a share of its length would bridge the gaps between characters
    near = cv2.dilate(ink, np.ones((3, 1), np.uint8))
    whole = cv2.morphologyEx(near, cv2.MORPH_CLOSE, np.ones((1, max(3, side // 60)), np.uint8))
    runs = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((1, max(40, width // 8)), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8)
    lines = np.zeros(ink.shape, bool)
    for number in range(1, count):
        _left, _top, extent, thick, _area = stats[number]
        # A ruling is long and thin; a heading's one long stroke is neither half the page nor a fortieth as high.
        if extent >= width // 2 and thick <= max(8, side // 40):
            run = labels == number
            if np.count_nonzero(near[run]) >= _LEAST_INKED * np.count_nonzero(run):
                lines |= run
    return lines


def _without_rules(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink without lines that are shorter than half the page: under a word, behind it to be filled in, above a note."""
    across = _rules(ink) | _rules(np.ascontiguousarray(ink.T)).T
    # Where there is not much else, a long stroke is what was written.
    return ink if 2 * cv2.countNonZero(ink[across]) >= cv2.countNonZero(ink) else np.where(across, np.uint8(0), ink)


def _rules(ink: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where level strokes lie that are too long for a character, told by the lines and the other strokes."""
    rules = np.zeros(ink.shape, bool)
    bands = _inked_bands(ink)
    heights = [end - begin for begin, end in bands if not _is_level(ink[begin:end])]
    if not heights:
        return rules
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    extent = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    usual = max(float(np.percentile(heights, 75, method="higher")), float(np.percentile(extent, 75, method="lower")))
    if int((extent > usual / 3).sum()) < _FEW:
        return rules
    for number in range(1, count):
        left, top, width, height, _area = stats[number]
        region = slice(top, top + height), slice(left, left + width)
        if width <= _WIDEST * usual or not _is_level_stroke(labels[region] == number):
            continue
        band = next((band for band in bands if top < band[1]), None)  # a slanting hair has too little ink to be in one
        if width > _LONG * usual or band is None or _is_level(ink[slice(*band)]):
            rules[region] |= labels[region] == number
    return rules


def _without_specks(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    if count < 2:
        return ink
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    usual = np.percentile(extent[1:][extent[1:] >= 4], 75) if (extent[1:] >= 4).any() else 1
    kept = extent >= max(3, usual / 9)
    kept[0] = False
    return np.where(kept[labels], np.uint8(255), np.uint8(0))


def _direction(ink: NDArray[np.uint8]) -> Direction:
    """Lines are set apart by more than the characters in them; a single line is told by its shape."""
    rows, columns = _bands(ink), _bands(ink.T)
    if len(rows) == 1 or len(columns) == 1:
        return Direction.COLUMNS if len(rows) > len(columns) else Direction.ROWS
    return Direction.COLUMNS if _empty_share(ink.T) > _COLUMNS_CLEARER * _empty_share(ink) else Direction.ROWS


def _empty_share(ink: NDArray[np.uint8]) -> float:
    """Share of the rows between the first and the last with ink that have hardly any."""
    profile = (ink > 0).sum(axis=1)
    places = np.flatnonzero(profile)
    inner = profile[places[0] : places[-1] + 1]
    return float((inner <= 0.02 * float(profile.max())).mean())


def _in_order(bands: list[Band], direction: Direction) -> list[Band]:
    return bands if direction is Direction.ROWS else bands[::-1]


def _wide_bands(ink: NDArray[np.uint8]) -> list[Band]:
    """The lines of text with the ends of strokes that reach out of them: each up to half the gap to the next.

    Where there is nothing but 一 on a line, its characters are as high as those of the others.
    """
    bands = _bands(ink)
    middles = [(earlier[1] + later[0]) // 2 for earlier, later in pairwise(bands)]
    edges = [0, *middles, len(ink)]
    usual = round(_usual_height(ink, bands)) if bands else 0
    heights = [max(end - begin, usual) if _is_level(ink[begin:end]) else end - begin for begin, end in bands]
    return list(zip(pairwise(edges), heights, strict=True))


def _bands(ink: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """First and last row (exclusive) of each line of text."""
    bands = _inked_bands(ink)
    if len(bands) < 2:
        return bands
    profile = (ink > 0).sum(axis=1).astype(np.float32)
    usual = _usual_height(ink, bands)
    bands = _join_slivers(ink, bands, usual)
    return [part for band in bands for part in _split_band(profile, band, usual)]


def _inked_bands(ink: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """First and last row (exclusive) of each run of rows with ink in them."""
    profile = (ink > 0).sum(axis=1).astype(np.float32)
    return _runs(profile > 0.02 * float(profile.max()))


def _usual_height(ink: NDArray[np.uint8], bands: list[tuple[int, int]]) -> float:
    """Of a line's characters; where level strokes are all there is, their width: characters are square."""
    heights = [end - begin for begin, end in bands if not _is_level(ink[begin:end])]
    # Of few bands the higher: one that is a hair of the other's must not halve what is usual; so with strokes of 二.
    sizes = heights or [width for begin, end in bands for width in _widths(ink[begin:end])]
    return float(np.percentile(sizes, 75, method="higher"))


def _is_level(band: NDArray[np.uint8]) -> bool:
    """Whether a line holds level strokes only, as of 一 or 二, but for dots a third as wide."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(band), connectivity=8)
    extent = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    large = [number for number in range(1, count) if 3 * extent[number - 1] > extent.max()]
    return count > 1 and all(_is_level_stroke(_component(labels, stats, number)) for number in large)


def _component(labels: NDArray[np.int32], stats: NDArray[np.int32], number: int) -> NDArray[np.bool_]:
    left, top, width, height, _area = stats[number]
    return labels[top : top + height, left : left + width] == number


def _widths(band: NDArray[np.uint8]) -> list[int]:
    _count, _labels, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(band), connectivity=8)
    return [int(width) for width in stats[1:, cv2.CC_STAT_WIDTH]]


def _is_level_stroke(part: NDArray[np.bool_]) -> bool:
    """Whether a piece of ink is a stroke from left to right: one run of ink in most columns, nearly straight.

    Of 250 times 一 by pen and on a tablet all are, with 2.0 to 12 times their height; 人人 that touch bend too much.
    """
    height, width = part.shape
    if width < _LEVEL * height:
        return False
    begins = np.diff(np.pad(part, ((1, 0), (0, 0))).astype(np.int8), axis=0) > 0
    if float((begins.sum(axis=0) == 1).mean()) < 0.75:  # the rest is a hook at its end
        return False
    columns = np.flatnonzero(part.any(axis=0))
    middles = (part * np.arange(height)[:, np.newaxis]).sum(axis=0)[columns] / part.sum(axis=0)[columns]
    line = np.polynomial.Polynomial.fit(columns, middles, 1)
    return float(np.std(middles - line(columns))) <= 0.06 * width


def _runs(present: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], present, [False]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _join_slivers(ink: NDArray[np.uint8], bands: list[tuple[int, int]], usual: float) -> list[tuple[int, int]]:
    """A band far lower than the others is the head or foot of a character in the nearest, if that leaves it square.

    Level strokes one above the other are those of 二 or 三, far apart as they are.
    """
    joined = [bands[0]]
    for band in bands[1:]:
        before = joined[-1]
        sliver = min(band[1] - band[0], before[1] - before[0]) < 0.4 * usual
        near = band[0] - before[1] < 0.35 * usual and band[1] - before[0] < 1.4 * usual
        level = (
            band[1] - before[0] < 1.1 * usual and _is_level(ink[before[0] : before[1]]) and _is_level(ink[slice(*band)])
        )
        if (sliver and near) or level:
            joined[-1] = (before[0], band[1])
        else:
            joined.append(band)
    return joined


def _split_band(profile: NDArray[np.float32], band: tuple[int, int], usual: float) -> list[tuple[int, int]]:
    """Cut what is as high as several lines where its ink is thinnest."""
    height = band[1] - band[0]
    count = round(height / usual)
    if count < 2 or height < 1.6 * usual:
        return [band]
    cuts = [band[0]]
    for number in range(1, count):
        middle, reach = band[0] + number * height / count, 0.25 * usual
        window = slice(int(middle - reach), int(middle + reach) + 1)
        cuts.append(window.start + int(np.argmin(profile[window])))
    return list(pairwise(sorted({*cuts, band[1]})))


def _characters(line: NDArray[np.uint8], height: int) -> list[tuple[int, int]]:
    """Begin and end (exclusive) of each character along a line whose characters are ``height`` high."""
    pieces = _pieces(line)
    pitch = _pitch(pieces, float(height))
    pieces = [part for piece in pieces for part in _split_piece(line, piece, pitch)]
    return _group(pieces, pitch)


def _pieces(line: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """What cannot be told apart along the line: spans of connected ink, joined where one lies over the other."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(line), connectivity=8)
    spans = sorted(
        (int(stats[number, cv2.CC_STAT_LEFT]), int(stats[number, cv2.CC_STAT_LEFT] + stats[number, cv2.CC_STAT_WIDTH]))
        for number in range(1, count)
    )
    pieces: list[tuple[int, int]] = []
    for begin, end in spans:
        if pieces:
            before = pieces[-1]
            shared = min(before[1], end) - begin
            # Neighbours' strokes may reach over each other by a little: only what mostly overlaps belongs together.
            if shared > 0.35 * min(before[1] - before[0], end - begin):
                pieces[-1] = (before[0], max(before[1], end))
                continue
        pieces.append((begin, end))
    return pieces


def _pitch(pieces: list[tuple[int, int]], height: float) -> float:
    """The usual width of a character: that of pieces that are about square, else the height of the line.

    The upper quartile: what is narrower than usual may be a part of a character, what is wider hardly ever is.
    """
    widths = [end - begin for begin, end in pieces if 0.6 * height <= end - begin <= 1.3 * height]
    return float(np.quantile(widths, 0.75)) if len(widths) >= 3 else 0.9 * height


def _split_piece(line: NDArray[np.uint8], piece: tuple[int, int], pitch: float) -> list[tuple[int, int]]:
    """Cut a piece as wide as several characters, which touch, where its ink is thinnest; but never a single stroke."""
    begin, end = piece
    count = round((end - begin) / pitch)
    if count < 2 or end - begin < 1.55 * pitch or _is_level_stroke(_trimmed(line[:, begin:end] > 0)):
        return [piece]
    profile = (line > 0).sum(axis=0)
    cuts = [begin]
    for number in range(1, count):
        middle, reach = begin + number * (end - begin) / count, 0.25 * pitch
        window = slice(int(middle - reach), int(middle + reach) + 1)
        cuts.append(window.start + int(np.argmin(profile[window])))
    return list(pairwise(sorted({*cuts, end})))


def _trimmed(part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without empty rows above and below."""
    rows = np.flatnonzero(part.any(axis=1))
    return part[rows[0] : rows[-1] + 1]


def _group(pieces: list[tuple[int, int]], pitch: float) -> list[tuple[int, int]]:
    """Join pieces into characters: the cheapest of all ways, found by dynamic programming from the left."""
    cost = [0.0] + [np.inf] * len(pieces)
    first = [0] * (len(pieces) + 1)
    for last in range(len(pieces)):
        for start in range(last, -1, -1):
            if last > start and pieces[last][1] - pieces[start][0] > _WIDEST * pitch:
                break
            total = cost[start] + _group_cost(pieces[start : last + 1], pitch)
            if total < cost[last + 1]:
                cost[last + 1], first[last + 1] = total, start
    spans: list[tuple[int, int]] = []
    end = len(pieces)
    while end:
        group = pieces[first[end] : end]
        spans.append((group[0][0], max(piece[1] for piece in group)))
        end = first[end]
    return spans[::-1]


def _group_cost(group: list[tuple[int, int]], pitch: float) -> float:
    """How unlike one character a group is: too wide, too narrow, or with a gap in it as between characters."""
    width = (max(end for _, end in group) - group[0][0]) / pitch
    gap = max((later[0] - earlier[1] for earlier, later in pairwise(group)), default=0) / pitch
    shape = 3.0 * (width - 1) ** 2 if width > 1 else 0.8 * (1 - width) ** 2
    return 0.12 + shape + 1.6 * max(0.0, gap)


def _tight(
    ink: NDArray[np.uint8], line: int, span: tuple[int, int], band: tuple[int, int], direction: Direction
) -> Box:
    """The box of ink within a span of a line."""
    (top, bottom), (left, right) = (band, span) if direction is Direction.ROWS else (span, band)
    part = ink[top:bottom, left:right] > 0
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    return Box(
        line,
        left + int(columns[0]),
        top + int(rows[0]),
        left + int(columns[-1]) + 1,
        top + int(rows[-1]) + 1,
    )


def _thinnest(profile: NDArray[np.int64]) -> int:
    """The place in the middle half where there is least ink; of equals the one nearest to the middle."""
    length = len(profile)
    begin, end = length // 4, max(length // 4 + 1, 3 * length // 4)
    places = np.arange(begin, end)
    order = np.lexsort((np.abs(places - length / 2), profile[begin:end]))
    return max(1, int(places[order[0]]))
