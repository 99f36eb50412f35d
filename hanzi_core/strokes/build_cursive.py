"""Make the cursive forms: characters with components abbreviated as running and brush hands abbreviate them.

    python -m hanzi_core.strokes.build_cursive

A component is found in other characters by its strokes: in the stroke library it is the same drawing everywhere,
moved and scaled. It is then written in a shape that hasty hands have for it, in the same box; most of these are cursive
shapes that the simplified characters took over (草書楷化). A form that looks like another character of the library is
left out: 語 with 讠 is 语.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hanzi_core.strokes.build_library import as_bytes, write_ragged
from hanzi_core.strokes.cursive import CURSIVE_FILE
from hanzi_core.strokes.library import StrokeLibrary, resample

POINTS = 8
"""A stroke is compared by."""

SAME_COMPONENT = 0.045
SAME_CHARACTER = 0.06
"""Root mean square distance of points, as a share of the larger side, up to which two drawings count as one."""

LEAST_SCALE = 0.05
FLATTENED, SHORTENED = 0.3, 0.5
"""What is left of a height or a length in a plain form."""
MOST_FORMS = 12
"""Of one character, in the order of :data:`COMPONENTS`."""

Line = NDArray[np.floating]
Strokes = Sequence[Line]


@dataclass(frozen=True)
class Part:
    """The first ``count`` strokes of ``character``, or the last ones where ``count`` is negative."""

    character: str
    count: int

    def of(self, strokes: Strokes) -> Strokes:
        """This part of a character's strokes."""
        return strokes[: self.count] if self.count > 0 else strokes[self.count :]


@dataclass(frozen=True)
class Joined:
    """The component's own strokes: each group is written in one go, the numbers that no group names are left out."""

    groups: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Plain:
    """The component's own strokes, some of them plainer than a textbook has them."""

    level: tuple[int, ...] = ()
    """These lie nearly flat."""
    upright: tuple[int, ...] = ()
    """These are led straight down from where they begin, as far as they reached."""
    short: tuple[int, ...] = ()
    """These are half as long."""


Shape = Part | Joined | Plain

COMPONENTS: tuple[tuple[Part, tuple[Shape, ...]], ...] = (
    (Part("說", 7), (Part("说", 2),)),
    (Part("紅", 6), (Part("红", 3),)),
    (Part("鐵", 8), (Part("铁", 5),)),
    (Part("飯", 8), (Part("饭", 3),)),
    (Part("問", 8), (Part("问", 3), Part("同", 2))),
    (Part("輕", 7), (Part("轻", 4),)),
    (Part("駐", 10), (Part("驻", 3),)),
    (Part("財", 7), (Part("财", 4),)),
    (Part("鮮", 11), (Part("鲜", 8),)),
    (Part("將", 4), (Part("将", 3),)),
    (Part("學", 13), (Part("学", 5),)),
    (Part("得", 3), (Part("何", 2), Part("说", 2), Joined(((0,), (1, 2))), Joined(((0, 1, 2),)))),
    (Part("江", 3), (Joined(((0,), (1, 2))), Joined(((0, 1, 2),)))),
    (Part("草", 3), (Part("前", 3), Joined(((1,), (2,), (0,))))),
    (Part("第", 6), (Part("草", 3), Part("前", 3))),
    (Part("路", 7), (Joined(((0,), (1, 2), (3, 5, 6))),)),
    (Part("起", 7), (Joined(((0,), (1,), (2, 3, 5), (6,))),)),
    (Part("視", -7), (Part("视", -4),)),
    (Part("頭", -9), (Part("顶", -6),)),
    (Part("負", -7), (Part("负", -4),)),
    (Part("鴨", -11), (Part("鸭", -5),)),
    (Part("陣", -7), (Part("阵", -4),)),
    (Part("媽", -10), (Part("妈", -3),)),
    (Part("陳", -8), (Part("陈", -5),)),
    (Part("張", -8), (Part("张", -4),)),
    (Part("經", -7), (Part("经", -5),)),
    (Part("論", -8), (Part("论", -4),)),
    (Part("錢", -8), (Part("钱", -5),)),
    (Part("傳", -11), (Part("传", -4),)),
    (Part("橋", -12), (Part("桥", -6),)),
    (Part("燒", -12), (Part("烧", -6),)),
    (Part("驗", -13), (Part("验", -7),)),
    (Part("然", -4), (Joined(((0, 1, 2, 3),)), Joined(((0, 3),)))),
    (Part("思", -4), (Joined(((0, 1, 2, 3),)), Joined(((0,), (2,), (3,))))),
    (Part("过", -3), (Joined(((0, 1, 2),)), Joined(((0,), (2,))))),
    (Part("雪", 8), (Joined(((0,), (1,), (2,), (3,), (4, 5), (6, 7))), Joined(((0,), (1,), (2,), (3,), (4,), (6,))))),
    (Part("酒", -7), (Plain(upright=(3, 4)),)),
    (Part("酸", 7), (Plain(upright=(3, 4)),)),
    (Part("和", 5), (Plain(level=(0,)),)),
    (Part("辞", 6), (Plain(level=(0,)),)),
)
"""A component by an example, and the shapes that a hasty hand gives it."""

WHOLE: tuple[tuple[str, Shape], ...] = (
    ("四", Plain(upright=(2, 3))),
    ("西", Plain(upright=(3, 4))),
    ("酉", Plain(upright=(3, 4))),
    *((character, Plain(level=(0,))) for character in "千禾毛手舌乎重香乏"),
    *((character, Plain(short=(0,))) for character in "百面石而万页頁"),
)
"""A character, and a shape that it is given as a whole."""


@dataclass(frozen=True)
class _Place:
    """A component found in a character."""

    character: int
    begin: int
    strokes: int
    shapes: tuple[Shape, ...]


class Finder:
    """Compares drawings by their strokes' points."""

    def __init__(self, library: StrokeLibrary) -> None:
        self._library = library
        self.points, self.first = library.resampled(POINTS)
        self.counts = np.diff(self.first)

    def places(self, part: Part, shapes: tuple[Shape, ...]) -> Iterator[_Place]:
        """Where the component stands in the library's characters."""
        size = abs(part.count)
        (longer,) = np.nonzero(self.counts > size)
        begins = np.where(part.count > 0, 0, self.counts[longer] - size)
        rows = (self.first[longer] + begins)[:, None] + np.arange(size)
        example = _even(part.of(self._library.strokes(part.character)))
        for number in np.flatnonzero(_alike(example, self.points[rows]) < SAME_COMPONENT):
            yield _Place(int(longer[number]), int(begins[number]), size, shapes)

    def is_taken(self, strokes: Strokes, besides: int | None = None) -> bool:
        """Whether these strokes look like a character of the library, ``besides`` a place of it."""
        (rivals,) = np.nonzero((self.counts == len(strokes)) & (np.arange(len(self.counts)) != besides))
        rows = self.first[rivals][:, None] + np.arange(len(strokes))
        return bool((_alike(_even(strokes), self.points[rows]) < SAME_CHARACTER).any())


def _even(strokes: Strokes) -> Line:
    return resample(np.concatenate(list(strokes)), np.array([len(line) for line in strokes]), POINTS)


def _alike(example: Line, others: Line) -> NDArray[np.floating]:
    """How far each of ``others`` ``(n, strokes, points, 2)`` is from ``example``, moved and scaled to fit it best."""
    wanted = example.reshape(-1, 2) - example.reshape(-1, 2).mean(0)
    found = others.reshape(len(others), -1, 2)
    found = found - found.mean(1, keepdims=True)
    scale = np.einsum("kc,nkc->nc", wanted, found) / np.maximum((wanted**2).sum(0), 1e-6)
    distance = np.sqrt(((found - scale[:, None] * wanted) ** 2).sum(2).mean(1))
    size = np.maximum(np.ptp(found, axis=1).max(1), 1e-3)
    return np.where((scale > LEAST_SCALE).all(1), distance / size, np.inf)


def find_forms(library: StrokeLibrary) -> dict[str, list[Strokes]]:
    """Every character that has one, with its cursive forms: strokes of ``(n, 2)``, unit square, y down."""
    finder = Finder(library)
    places: dict[int, list[_Place]] = {}
    for part, shapes in COMPONENTS:
        for place in finder.places(part, shapes):
            places.setdefault(place.character, []).append(place)
    wholes: dict[int, list[Shape]] = {}
    for name, shape in WHOLE:
        wholes.setdefault(library.index(name), []).append(shape)
    forms = {}
    for character in sorted(places.keys() | wholes.keys()):
        proper = library.strokes_at(character)
        drawn = [_shaped(library, proper, shape) for shape in wholes.get(character, ())]
        drawn += _forms(library, proper, _apart(places.get(character, [])))
        good = [strokes for strokes in drawn if not finder.is_taken(strokes, besides=character)]
        if good:
            forms[library.characters[character]] = good[:MOST_FORMS]
    return forms


def _apart(places: list[_Place]) -> list[_Place]:
    """Those that share no stroke with an earlier one of the list, in the order of writing."""
    kept: list[_Place] = []
    for place in places:
        if all(
            place.begin >= other.begin + other.strokes or other.begin >= place.begin + place.strokes for other in kept
        ):
            kept.append(place)
    return sorted(kept, key=lambda place: place.begin)


def _forms(library: StrokeLibrary, strokes: Strokes, places: list[_Place]) -> Iterator[Strokes]:
    """Every choice of one shape, or the proper one, for each component, without that of proper ones alone."""
    choices = itertools.product(*[(None, *place.shapes) for place in places])
    for chosen in sorted(choices, key=lambda shapes: sum(shape is None for shape in shapes)):
        if not any(chosen):
            continue
        form: list[Line] = []
        done = 0
        for place, shape in zip(places, chosen, strict=True):
            form += strokes[done : place.begin]
            done = place.begin + place.strokes
            form += _shaped(library, strokes[place.begin : done], shape)
        yield [*form, *strokes[done:]]


def _shaped(library: StrokeLibrary, proper: Strokes, shape: Shape | None) -> Strokes:
    if shape is None:
        return proper
    if isinstance(shape, Joined):
        return [np.concatenate([proper[number] for number in group]) for group in shape.groups]
    if isinstance(shape, Plain):
        return [_plain(line, number, shape) for number, line in enumerate(proper)]
    return _fitted(shape.of(library.strokes(shape.character)), proper)


def _plain(line: Line, number: int, shape: Plain) -> Line:
    middle = (line.min(0) + line.max(0)) / 2
    if number in shape.level:
        return middle + (line - middle) * (1, FLATTENED)
    if number in shape.short:
        return middle + (line - middle) * (SHORTENED, 1)
    if number in shape.upright:
        down = np.linspace(line[:, 1].min(), line[:, 1].max(), POINTS)
        return np.stack([np.full_like(down, line[0, 0]), down], axis=1)
    return line


def _fitted(strokes: Strokes, proper: Strokes) -> Strokes:
    """``strokes`` in the box of ``proper``."""
    ours, box = np.concatenate(list(strokes)), np.concatenate(list(proper))
    scale = np.ptp(box, axis=0) / np.maximum(np.ptp(ours, axis=0), 1e-3)
    return [(line - ours.min(0)) * scale + box.min(0) for line in strokes]


def main() -> None:
    """Write the file."""
    forms = find_forms(StrokeLibrary.load())
    named = [(name, [as_bytes(line) for line in strokes]) for name, drawn in forms.items() for strokes in drawn]
    write_ragged(named, CURSIVE_FILE)
    print(len(named), "forms of", len(forms), "characters written to", CURSIVE_FILE)


if __name__ == "__main__":
    main()
