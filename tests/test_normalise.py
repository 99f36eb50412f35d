import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hanzi_core.image.normalise import IMAGE_SIZE_PX, extract_ink, ink_box, ink_is_light, is_blank, normalise
from tests.collection import drawn

GRAY = drawn("木", 1, 128)
EXPECTED = normalise(GRAY)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of the ink."""
    a, b = first > 127, second > 127
    return float((a & b).sum() / (a | b).sum())


def test_white_ink_on_black_that_fills_the_square_but_for_the_margin() -> None:
    assert EXPECTED.dtype == np.uint8
    assert EXPECTED.shape == (IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    rows, columns = np.nonzero(EXPECTED > 64)
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    assert IMAGE_SIZE_PX - 8 - 3 <= longest <= IMAGE_SIZE_PX - 8
    assert np.median(EXPECTED) == 0
    assert EXPECTED.max() == 255


@pytest.mark.parametrize(
    "change",
    [
        lambda gray: 255 - gray,
        lambda gray: cv2.convertScaleAbs(gray, alpha=0.5, beta=60),
        lambda gray: np.pad(gray, ((40, 3), (0, 90)), constant_values=255),
        lambda gray: cv2.resize(gray, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC),
        lambda gray: cv2.resize(gray, None, fx=12, fy=12),
    ],
    ids=["inverted", "faded", "margin", "larger", "a photo"],
)
def test_what_it_was_written_on_does_not_matter(change) -> None:
    assert overlap(normalise(change(GRAY)), EXPECTED) > 0.85


def test_dirt_does_not_move_the_character() -> None:
    dirty = np.pad(GRAY, 60, constant_values=255)
    dirty[3, 3] = dirty[200, 12] = 0
    assert overlap(normalise(dirty), EXPECTED) > 0.9


def test_aspect_ratio_is_kept() -> None:
    bar = np.full((100, 100), 255, np.uint8)
    bar[45:55, 10:90] = 0
    rows, columns = np.nonzero(normalise(bar) > 127)
    assert 6 < (np.ptp(columns) + 1) / (np.ptp(rows) + 1) < 10


@pytest.mark.parametrize("level", [0, 128, 255])
def test_nothing_written_is_blank(level: int) -> None:
    paper = np.full((50, 40), level, np.uint8)
    assert is_blank(normalise(paper))
    noisy = np.clip(paper + np.random.default_rng(0).normal(0, 3, paper.shape), 0, 255).astype(np.uint8)
    assert is_blank(normalise(noisy))


def test_polarity() -> None:
    assert not ink_is_light(GRAY)
    assert ink_is_light(255 - GRAY)


def test_ink_is_zero_on_paper_and_full_in_strokes() -> None:
    ink = extract_ink(GRAY)
    assert ink[GRAY > 250].max() == 0
    assert ink[GRAY == 0].min() >= 254


def test_box_of_nothing() -> None:
    assert ink_box(np.zeros((5, 5), np.uint8)) is None


@pytest.mark.parametrize("size_px", [16, 32, 96])
def test_other_sizes(size_px: int) -> None:
    assert normalise(GRAY, size_px).shape == (size_px, size_px)


@settings(max_examples=150, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_any_picture_becomes_a_square(gray: np.ndarray) -> None:
    result = normalise(gray)
    assert result.shape == (64, 64)
    assert result.dtype == np.uint8
