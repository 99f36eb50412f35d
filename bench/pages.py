"""How well the characters of a photographed page are found and read, by how it was written and photographed.

    python -m bench.pages [--pages 6] [--bundle models/builtin]

Pages come from the simulated hand (``tests/written_page.py``), so that the place of each character is known. A box is
right if it overlaps the ink of one character by half (intersection over union), as in the PASCAL VOC measure; precision
is the share of boxes that are right, recall the share of characters that have one. *Order* is the share of pages whose
boxes are all right and in reading order, *read* the share of characters with a right box and a right best candidate.
"""

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanzi_core.bundle import BUILT_IN
from hanzi_core.image.segment import Box, find_characters
from hanzi_core.recognition import Preferences, Recogniser
from hanzi_core.recognition.reading import read_page
from tests.written_page import Place, photograph_with_matrix, place_after, write_page_with_places

TEXT = (
    "春眠不觉晓处处闻啼鸟夜来风雨声花落知多少白日依山尽黄河入海流欲穷千里目更上一层楼"
    "床前明月光疑是地上霜举头望明月低头思故乡"
)
PLAIN: dict[str, Any] = {"lines": 4, "length": 7, "size_px": 64, "gap": 0.18, "leading": 0.7, "style": "neat"}
CONDITIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "one line": {"lines": 1},
    "one column": {"lines": 1, "columns": True},
    "columns, right to left": {"columns": True},
    "a full page": {"lines": 12, "length": 16},
    "a page of small characters, 24 lines of 36": {"lines": 24, "length": 36},
    "a scroll of 3 lines of 60": {"lines": 3, "length": 60},
    "small, 32 px": {"size_px": 32},
    "large, 140 px": {"size_px": 140, "lines": 3, "length": 5},
    "close together": {"gap": 0.04},
    "far apart": {"gap": 0.7},
    "close lines": {"leading": 0.25},
    "close columns": {"leading": 0.25, "columns": True},
    "ruled": {"ruling": "lines"},
    "squared": {"ruling": "squares"},
    "squared columns": {"ruling": "squares", "columns": True},
    "skew 3°": {"skew_deg": 3},
    "skew -7°": {"skew_deg": -7},
    "shadow 0.5": {"shadow": 0.5},
    "shadow 0.75": {"shadow": 0.75},
    "squared, skew 4°, shadow 0.6": {"ruling": "squares", "skew_deg": 4, "shadow": 0.6},
    "on a dark desk": {"desk": 60},
    "on a light desk": {"desk": 170},
    "on a desk, squared, shadow 0.4": {"desk": 90, "ruling": "squares", "shadow": 0.4},
    "on a desk, columns": {"desk": 90, "columns": True, "shadow": 0.3},
    "on a desk, a full page": {"desk": 90, "lines": 12, "length": 16, "shadow": 0.3},
    "everyday hand": {"style": "everyday"},
    "everyday, columns": {"style": "everyday", "columns": True},
    "everyday, squared, skew 3°, shadow 0.5": {"style": "everyday", "ruling": "squares", "skew_deg": 3, "shadow": 0.5},
    "running hand": {"style": "running"},
    "brush": {"style": "brush"},
}


@dataclass
class Tally:
    """Counts over the pages of a condition."""

    characters: int = 0
    boxes: int = 0
    right: int = 0
    read: int = 0
    in_order: int = 0

    def cells(self, pages: int) -> list[str]:
        """As the table shows them, after so many ``pages``."""
        return [
            f"{self.right / self.characters:.1%}",
            f"{self.right / max(1, self.boxes):.1%}",
            f"{self.in_order / pages:.0%}",
            f"{self.read / self.characters:.1%}",
        ]


def overlap(box: Box, place: Place) -> float:
    """Intersection over union."""
    width = min(box.right, place.right) - max(box.left, place.left)
    height = min(box.bottom, place.bottom) - max(box.top, place.top)
    shared = max(0.0, width) * max(0.0, height)
    area = (box.right - box.left) * (box.bottom - box.top)
    return shared / (area + (place.right - place.left) * (place.bottom - place.top) - shared)


def matches(boxes: Sequence[Box], places: Sequence[Place]) -> dict[int, int]:
    """The character of each right box, by their numbers."""
    pairs = sorted(
        (
            (overlap(box, place), b, p)
            for (b, box), (p, place) in itertools.product(enumerate(boxes), enumerate(places))
        ),
        reverse=True,
    )
    found: dict[int, int] = {}
    for share, box, place in pairs:
        if share >= 0.5 and box not in found and place not in found.values():
            found[box] = place
    return found


def measure(recogniser: Recogniser, pages: int, **changes: Any) -> Tally:
    settings = {**PLAIN, **changes}
    lines, length = settings.pop("lines"), settings.pop("length")
    desk = settings.pop("desk", None)
    skew_deg, shadow = settings.pop("skew_deg", 0.0), settings.pop("shadow", 0.0)
    tally = Tally()
    for seed in range(pages):
        letters = itertools.cycle(TEXT[seed * 5 :] + TEXT[: seed * 5])
        text = ["".join(itertools.islice(letters, length)) for _ in range(lines)]
        paper, places = write_page_with_places(text, seed=seed, **settings)
        photo, matrix = photograph_with_matrix(paper, skew_deg, shadow, seed, desk)
        page = find_characters(photo)
        turned = [place_after(place, page.matrix @ matrix) for place in places]
        found = matches(page.boxes, turned)
        answers = read_page(recogniser, page, page.boxes, Preferences())
        tally.characters += len(places)
        tally.boxes += len(page.boxes)
        tally.right += len(found)
        tally.read += sum(answers[box].label == places[place].label for box, place in found.items())
        tally.in_order += [found.get(box) for box in range(len(page.boxes))] == list(range(len(places)))
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=6, help="of each condition")
    parser.add_argument("--bundle", type=Path, default=BUILT_IN, help="the model that reads")
    parser.add_argument("--only", help="conditions whose name holds this")
    arguments = parser.parse_args()
    recogniser = Recogniser.open(arguments.bundle)
    print("| page | recall | precision | order | read |\n|---|---:|---:|---:|---:|")
    for name, changes in CONDITIONS.items():
        if not arguments.only or arguments.only in name:
            cells = measure(recogniser, arguments.pages, **changes).cells(arguments.pages)
            print("| " + " | ".join([name, *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
