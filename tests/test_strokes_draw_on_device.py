"""The two ways of drawing must show the same ink; they differ by the soft edge alone."""

import cv2
import numpy as np
import pytest

from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.draw import draw_ink
from hanzi_core.strokes.draw_on_device import draw_batch
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.segments import segments_of
from hanzi_core.strokes.style import PRESETS

CHARACTERS = "永我国一字鑫"
SIZE_PX = 96
SHARE = 0.75


def on_the_same_square(ink: np.ndarray, drawn_px: int) -> np.ndarray:
    """The CPU's picture, whose size follows the ink, scaled and centred as the device draws it."""
    scale = SIZE_PX * SHARE / drawn_px
    matrix = np.array(
        [
            [scale, 0, (SIZE_PX - scale * ink.shape[1]) / 2 + (scale - 1) / 2],
            [0, scale, (SIZE_PX - scale * ink.shape[0]) / 2 + (scale - 1) / 2],
        ]
    )
    blurred = cv2.GaussianBlur(ink, (0, 0), 0.4 / scale)
    return cv2.warpAffine(blurred, matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_LINEAR)


def uncovered(ink: np.ndarray, other: np.ndarray) -> float:
    """Share of ``ink`` that lies more than a pixel from ``other``."""
    near = cv2.dilate((other > 100).astype(np.uint8), np.ones((3, 3), np.uint8))
    return float((ink > 150)[near == 0].sum() / (ink > 150).sum())


@pytest.mark.parametrize("name", PRESETS)
def test_device_and_cpu_draw_the_same(name: str) -> None:
    anatomy = study(StrokeLibrary.load(), CHARACTERS)
    places = np.tile(np.arange(len(CHARACTERS)), 2)
    path = Hand(anatomy).write(places, [PRESETS[name]] * len(places), np.random.default_rng(5))
    device = np.array(draw_batch(*segments_of(path), SIZE_PX, SHARE))
    assert device.shape == (len(places), SIZE_PX, SIZE_PX)
    for number in range(len(places)):
        rows = slice(path.first[number], path.first[number + 1])
        cpu = on_the_same_square(draw_ink(path.points[rows], path.widths[rows], 4 * SIZE_PX), 4 * SIZE_PX)
        assert uncovered(device[number], cpu) < 0.01, (name, number)
        assert uncovered(cpu, device[number]) < 0.01, (name, number)
        assert device[number].sum() == pytest.approx(cpu.sum(), rel=0.12), (name, number)
