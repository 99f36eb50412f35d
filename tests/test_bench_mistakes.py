"""Which classes are called worst, and what the sheet shows of them."""

from pathlib import Path

import numpy as np

from bench.development_sets import DevelopmentSet, Sample
from bench.mistakes import CELL_PX, HEAD_PX, Sheet, find_font, report_classes
from hanzi_core.strokes.style import PRESETS


def picture() -> np.ndarray:
    gray = np.full((60, 60), 255, np.uint8)
    gray[20:24, 10:50] = 0
    return gray


def found(labels: str) -> DevelopmentSet:
    return DevelopmentSet("some", [Sample(label, picture()) for label in labels])


def test_the_worst_class_comes_first_with_its_answers() -> None:
    answers = [[("一", 1.0)], [("二", 0.5), ("一", 0.4)], [("三", 0.9)], [("三", 0.9)]]
    reports = report_classes(found("一一二二"), answers)
    assert [(r.label, r.samples, r.top1, r.top10) for r in reports] == [("二", 2, 0.0, 0.0), ("一", 2, 0.5, 1.0)]
    assert [m.answer for m in reports[1].misread] == ["二"]
    assert reports[0].line().endswith("三 2")


def test_the_sheet_has_the_real_ones_and_two_of_each_style(tmp_path: Path) -> None:
    reports = report_classes(found("一一二"), [[("二", 1.0)], [("十", 1.0)], [("二", 1.0)]])
    sheet = Sheet(False, 3, None, find_font(), seed=0).paint(reports[:1])
    cells = 3 + 2 * len(PRESETS)
    assert sheet.width == HEAD_PX + cells * (CELL_PX + 4)
    pixels = np.asarray(sheet)[2 : CELL_PX + 2, HEAD_PX:]
    has_ink = [(pixels[:, n * (CELL_PX + 4) :][:, :CELL_PX] < 128).any() for n in range(cells)]
    assert has_ink == [True, True, False] + [True] * 2 * len(PRESETS)
