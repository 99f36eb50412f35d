"""What each stage of an answer costs: ``python -m bench.recognition --stages``."""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.development_sets import CANVAS_PX, PEN_PX, Sample
from hanzi_core.image.decode import decode
from hanzi_core.image.segment import find_characters
from hanzi_core.recognition import Preferences, Recogniser
from hanzi_core.recognition.explanation import occlusion_map
from hanzi_core.recognition.ink import Stroke, draw_strokes
from hanzi_core.recognition.reading import read_page
from hanzi_core.recognition.reference import readings, stroke_order_svg
from tests.written_page import photograph, write_page

ANSWERS = "answer: network, prior, ten best"


def measure_stages(bundle: Path, samples: Sequence[Sample]) -> dict[str, list[float]]:
    """Milliseconds of processor time of each stage for each sample, which must be drawn ones."""
    recogniser, preferences = Recogniser.open(bundle), Preferences()
    elapsed_ms: dict[str, list[float]] = {}

    def timed(stage: str, work: Callable[..., Any], *given: Any) -> Any:
        start_s = time.process_time()
        result = work(*given)
        elapsed_ms.setdefault(stage, []).append((time.process_time() - start_s) * 1e3)
        return result

    for sample in samples:
        scale = CANVAS_PX / 1000
        strokes = [Stroke(np.array(each, np.float32) * scale, PEN_PX) for each in sample.strokes or ()]
        file = cv2.imencode(".png", sample.gray)[1].tobytes()
        timed("decode an uploaded PNG", decode, file, "a.png")
        gray = timed("draw the strokes", draw_strokes, strokes, CANVAS_PX)
        seen = timed("normalise", recogniser.see, gray)
        timed("network alone", recogniser.predict, seen[np.newaxis])
        answer = timed(ANSWERS, recogniser.answer, [seen], preferences)[0]
        best = answer.candidates[0].label
        timed("pinyin of ten, stroke order of the first", _describe, [each.label for each in answer.candidates])
        if len(elapsed_ms.get("heat map, 81 passes", [])) < 10:
            timed("heat map, 81 passes", occlusion_map, recogniser, seen, best)
    photo = photograph(write_page(["春眠不觉晓处处", "闻啼鸟夜来风雨", "声花落知多少白", "日依山尽黄河入"]), 3, 0.5)
    for _ in range(5):
        page = timed("find 28 characters on a photo", find_characters, photo)
        timed("cut, normalise and read them", read_page, recogniser, page, page.boxes, preferences)
    return elapsed_ms


def _describe(labels: Sequence[str]) -> None:
    for label in labels:
        readings(label)
    stroke_order_svg(labels[0], 132)


def show_stages(elapsed_ms: dict[str, list[float]]) -> None:
    """The median and the 95th percentile of each."""
    print("| stage | ms, median | ms, 95 % |\n|---|---:|---:|")
    for stage, values in elapsed_ms.items():
        print(f"| {stage} | {statistics.median(values):.2f} | {float(np.quantile(values, 0.95)):.2f} |")
