import numpy as np
import pytest

from hanzi_core.image.binarise import Polarity, Threshold, binarise, even_light, may_be_dark_ink
from tests.handwriting import draw
from tests.written_page import darkened, photograph, write_page


@pytest.fixture
def gray() -> np.ndarray:
    return draw("木", np.random.default_rng(0))


@pytest.mark.parametrize("threshold", list(Threshold))
def test_dark_and_light_ink_are_the_same_ink(gray: np.ndarray, threshold: Threshold) -> None:
    dark, light = (binarise(each, threshold) for each in (gray, 255 - gray))
    assert set(np.unique(dark)) == {0, 255}
    assert (dark != light).mean() < 0.01
    assert 0.02 < (dark > 0).mean() < 0.4


def test_polarity_can_be_switched(gray: np.ndarray) -> None:
    assert (binarise(gray, polarity=Polarity.LIGHT) != binarise(gray)).mean() > 0.95


def test_a_level_by_hand(gray: np.ndarray) -> None:
    thin, thick = (binarise(gray, Threshold.MANUAL, level=level) for level in (40, 220))
    assert thin.sum() < thick.sum()


def test_shadow_defeats_one_threshold_but_not_the_adaptive_one() -> None:
    page = write_page(["我们的国家"])
    shaded = photograph(page, shadow=0.75)
    ink = page < 128

    def wrong(threshold: Threshold) -> float:
        return float(((binarise(shaded, threshold) > 0) != ink).mean())

    assert wrong(Threshold.OTSU) > 0.1
    assert wrong(Threshold.ADAPTIVE) < 0.03
    assert np.median(even_light(shaded)) > 245


@pytest.mark.parametrize("edge", ["hand", "lens", "frame"])
def test_a_dark_edge_leaves_the_polarity_open(edge: str) -> None:
    page = write_page(["我们的国家", "明天他要去"])
    assert may_be_dark_ink(darkened(page, edge))
    assert not may_be_dark_ink(page)
    assert not may_be_dark_ink(255 - page)


@pytest.mark.parametrize("light", [0.3, 0.25])
def test_light_that_falls_off_to_an_edge_leaves_no_ink_there(light: float) -> None:
    page = np.full((600, 600), 245.0)
    page[200:400, 290:310] = 60
    shaded = (page * np.linspace(light, 1, 600)).astype(np.uint8)
    ink = binarise(shaded, Threshold.ADAPTIVE, Polarity.DARK)
    assert not ink[:, :250].any()
    assert ink[220:380, 295:305].all()


@pytest.mark.parametrize("level", [0, 200, 255])
@pytest.mark.parametrize("threshold", [Threshold.OTSU, Threshold.ADAPTIVE])
def test_blank_paper_has_no_ink(level: int, threshold: Threshold) -> None:
    assert not binarise(np.full((40, 60), level, np.uint8), threshold).any()
