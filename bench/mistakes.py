"""What a model misreads in a development set, beside how our simulated hand writes the same characters.

    python -m bench.mistakes --data ../shared/data --set calligraphy100 --out /tmp/mistakes.png

It prints the worst-read classes and what they are taken for, and paints them as one picture: the class; some of its
misread pictures as the network sees them, each above the answer it got; then the hand's own, two a style, and the
fonts' where their cache is given. What varies on the left and not on the right is what the hand still has to learn.
"""

import argparse
import subprocess
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bench.development_sets import SETS, DevelopmentSet, Sample, read_set
from bench.hand import imitate
from bench.peers import Ranking
from bench.recognition import BATCH, BundleReader, place_of, right_answer
from hanzi_core.bundle import BUILT_IN
from hanzi_core.image.normalise import normalise
from hanzi_core.strokes.font_shapes import FontShapes
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.simplified import simplified
from hanzi_core.strokes.style import PRESETS

CELL_PX = 72
CAPTION_PX = 18
HEAD_PX = 110
EACH_STYLE = 2
FONT_INK_PX = 112
FORMS = 2
"""Of a simplified label, so many are imitated: itself and one traditional form."""

Gray = NDArray[np.uint8]


@dataclass(frozen=True)
class Misread:
    """A sample that was not read right."""

    sample: Sample
    answer: str


@dataclass(frozen=True)
class ClassReport:
    """How one class was read."""

    label: str
    samples: int
    top1: float
    """Share read right, 0 to 1."""
    top10: float
    misread: list[Misread]

    def line(self) -> str:
        """The class in one line of text."""
        answers = Counter(m.answer for m in self.misread).most_common(6)
        taken = "  ".join(f"{answer} {count}" for answer, count in answers)
        return f"{self.label}  {self.samples:>5}  {self.top1:6.1%}  {self.top10:6.1%}   {taken}"


def report_classes(found: DevelopmentSet, rankings: Sequence[Ranking]) -> list[ClassReport]:
    """Every class of ``found``, the worst-read first."""
    places, misread = defaultdict(list), defaultdict(list)
    for sample, ranking in zip(found.samples, rankings, strict=True):
        place = place_of(ranking, right_answer(sample.label, found.either_form))
        places[sample.label].append(place)
        if place:
            misread[sample.label].append(Misread(sample, ranking[0][0]))
    reports = [
        ClassReport(label, len(row), _below(row, 1), _below(row, 10), misread[label]) for label, row in places.items()
    ]
    return sorted(reports, key=lambda report: (report.top1, report.label))


def _below(places: Sequence[int], count: int) -> float:
    return float(np.mean(np.asarray(places) < count))


class Sheet:
    """The picture: a row a class, or two where its traditional form is imitated too."""

    def __init__(self, either_form: bool, misread: int, fonts: Path | None, label_font: Path, seed: int) -> None:
        self._either_form, self._misread, self._seed = either_form, misread, seed
        self._fonts = FontShapes(fonts) if fonts else None
        self._large = ImageFont.truetype(label_font, 48)
        self._small = ImageFont.truetype(label_font, 14)

    def paint(self, reports: Sequence[ClassReport]) -> Image.Image:
        """All ``reports`` below each other, black on white."""
        rows = [row for report in reports for row in self._rows(report)]
        sheet = Image.new("L", (max(row.width for row in rows), sum(row.height for row in rows)), 255)
        top = 0
        for row in rows:
            sheet.paste(row, (0, top))
            top += row.height
        return sheet

    def _rows(self, report: ClassReport) -> list[Image.Image]:
        real = _spread(report.misread, self._misread)
        rows = []
        for number, form in enumerate(self._forms(report.label)):
            caption = f"{report.top1:.0%} / {report.top10:.0%}" if not number else "traditional"
            cells = [(normalise(m.sample.gray), m.answer) for m in real] if not number else []
            cells += [(np.zeros((64, 64), np.uint8), "")] * (self._misread - len(cells))
            rows.append(self._row(form, caption, cells + self._ours(form)))
        return rows

    def _forms(self, label: str) -> list[str]:
        library = StrokeLibrary.load()
        traditional = (
            [c for c in library.characters if c != label and simplified(c) == label] if self._either_form else []
        )
        return [label, *traditional][:FORMS]

    def _ours(self, character: str) -> list[tuple[Gray, str]]:
        library = StrokeLibrary.load()
        if character not in library:
            return []
        cells = [
            (normalise(sample.gray), preset)
            for number, preset in enumerate(PRESETS)
            for sample in imitate([character] * EACH_STYLE, preset, self._seed + number)
        ]
        if self._fonts and self._fonts.drawn[library.index(character)]:
            rng = np.random.default_rng(self._seed)
            inks = [self._fonts.ink(library.index(character), FONT_INK_PX, rng) for _ in range(2 * EACH_STYLE)]
            cells += [(normalise(255 - ink), "font") for ink in inks]
        return cells

    def _row(self, character: str, caption: str, cells: Sequence[tuple[Gray, str]]) -> Image.Image:
        row = Image.new("L", (HEAD_PX + len(cells) * (CELL_PX + 4), CELL_PX + CAPTION_PX + 8), 255)
        pen = ImageDraw.Draw(row)
        pen.text((8, 2), character, 0, self._large)
        pen.text((8, CELL_PX), caption, 0, self._small)
        for number, (image, answer) in enumerate(cells):
            left = HEAD_PX + number * (CELL_PX + 4)
            row.paste(Image.fromarray(255 - image).resize((CELL_PX, CELL_PX), Image.Resampling.BILINEAR), (left, 2))
            pen.text((left + 4, CELL_PX + 4), answer, 0, self._small)
        return row


def _spread(misread: Sequence[Misread], count: int) -> list[Misread]:
    """``count`` of them, evenly from first to last: a folder's neighbours are often by one writer."""
    places = np.unique(np.linspace(0, len(misread) - 1, count).round().astype(int)) if misread else []
    return [misread[place] for place in places]


def find_font() -> Path:
    """A font of this machine that has Chinese characters."""
    answer = subprocess.run(["fc-match", "-f", "%{file}", ":lang=zh-cn"], capture_output=True, text=True, check=True)
    return Path(answer.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the development sets")
    parser.add_argument("--set", choices=list(SETS), default="calligraphy100")
    parser.add_argument("--model", type=Path, default=BUILT_IN, help="a bundle's folder")
    parser.add_argument("--limit", type=int, default=2000, help="samples, drawn at random; 0 for all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worst", type=int, default=20, help="classes to paint")
    parser.add_argument("--misread", type=int, default=10, help="misread pictures a class")
    parser.add_argument("--characters", help="paint these classes instead of the worst")
    parser.add_argument("--fonts", type=Path, help="cache of font shapes, to paint them too")
    parser.add_argument("--label-font", type=Path, help="font file of the labels (a Chinese one of this machine)")
    parser.add_argument("--out", type=Path, required=True, help="where to write the picture")
    arguments = parser.parse_args()

    reader = BundleReader(arguments.model)
    found = read_set(arguments.set, arguments.data, arguments.limit, arguments.seed, reader.characters)
    samples = found.samples
    rankings = [
        row for start in range(0, len(samples), BATCH) for row in reader.rank(samples[start : start + BATCH], 10)
    ]
    reports = report_classes(found, rankings)
    print("class    n   top-1   top-10   taken for")
    print("\n".join(report.line() for report in reports))
    chosen = [report for report in reports if report.misread and report.label in reader.characters]
    if arguments.characters:
        chosen = [report for report in reports if report.label in arguments.characters]
    sheet = Sheet(
        found.either_form, arguments.misread, arguments.fonts, arguments.label_font or find_font(), arguments.seed
    )
    sheet.paint(chosen[: arguments.worst]).save(arguments.out)
    print(f"{len(chosen[: arguments.worst])} classes painted: {arguments.out}")


if __name__ == "__main__":
    main()
