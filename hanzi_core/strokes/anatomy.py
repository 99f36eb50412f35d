"""What a hand must know of a character before it writes: points in time, hooks, and where components begin."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hanzi_core.strokes.cursive import Forms
from hanzi_core.strokes.library import StrokeLibrary, interpolate, resample

NO_FORMS: Forms = {}
POINTS_PER_STROKE = 20
_DENSE = 64
_CORNER_WEIGHT = 0.12
"""A right angle takes a pen as long as 12 % of the stroke: it slows down where it turns."""

_HOOK_SHARE = 0.3
_HOOK_COSINE = 0.45
"""A hook is a last piece of less than 0.3 of the stroke that turns off by more than 63 degrees."""


@dataclass(frozen=True)
class Anatomy:
    """Strokes of some characters, ready for a hand: first all proper forms, then all cursive ones."""

    points: NDArray[np.float32]
    """``(strokes, POINTS_PER_STROKE, 2)``, unit square, y down, evenly spaced in time rather than in length."""
    first: NDArray[np.int64]
    """``(forms + 1,)``: where the strokes of each form begin; form n is the proper one of character n."""
    cursive: NDArray[np.int64]
    """``(characters + 1,)``: which form is the first cursive one of each character; it may have none."""
    hook: NDArray[np.int64]
    """``(strokes,)``: the point at which a hook begins, or ``POINTS_PER_STROKE`` where there is none."""
    cuts: NDArray[np.int64]
    """``(forms, 2)``: before which strokes the second and third component begin; the stroke count where none."""


def study(library: StrokeLibrary, characters: Sequence[str], cursive: Forms = NO_FORMS) -> Anatomy:
    """Prepare ``characters``, at least one, for a hand that will call them by their places in this list.

    A third of a millisecond a form, 4 seconds for the whole library with its cursive forms.

    Args:
        library: Has the proper forms.
        characters: To prepare.
        cursive: Forms that hasty hands may write instead, by character.

    Raises:
        StrokeLibraryError: the library lacks one.
    """
    hasty = [cursive.get(character, ()) for character in characters]
    forms = [*map(library.strokes, characters), *itertools.chain(*hasty)]
    lines = list(itertools.chain(*forms))
    counts = [len(strokes) for strokes in forms]
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    dense = resample(np.concatenate(lines), np.array([len(line) for line in lines]), _DENSE)
    time, hook_time = _pace(dense)
    wanted = np.broadcast_to(np.linspace(0, 1, POINTS_PER_STROKE), (len(lines), POINTS_PER_STROKE))
    points = interpolate(wanted, time, dense).astype(np.float32)
    hook = np.minimum(np.ceil(hook_time * (POINTS_PER_STROKE - 1)), POINTS_PER_STROKE).astype(np.int64)
    low, high = points.min(1), points.max(1)
    cuts = np.array([_component_cuts(low[a:b], high[a:b]) for a, b in itertools.pairwise(first)], np.int64)
    choice = len(characters) + np.cumsum([0, *map(len, hasty)], dtype=np.int64)
    return Anatomy(points, first, choice, hook, cuts)


def _pace(dense: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When the pen passes each point, 0..1, and when a hook begins (above 1 where there is none)."""
    reach = 4
    steps = dense[:, reach:] - dense[:, :-reach]
    x, y = steps[..., 0], steps[..., 1]
    length = np.sqrt(x * x + y * y)
    along = x[:, :-reach] * x[:, reach:] + y[:, :-reach] * y[:, reach:]
    cosine = np.clip(along / np.maximum(length[:, :-reach] * length[:, reach:], 1e-9), -1, 1)
    turn = np.zeros(dense.shape[:2])
    turn[:, reach:-reach] = np.arccos(cosine) / (np.pi / 2)
    pace = 1 / (_DENSE - 1) + _CORNER_WEIGHT * turn[:, 1:] / (2 * reach)
    time = np.concatenate([np.zeros((len(dense), 1)), np.cumsum(pace, axis=1)], axis=1)
    time /= time[:, -1:]
    place = np.arange(_DENSE) / (_DENSE - 1)
    is_hook = (turn > np.arccos(_HOOK_COSINE) / (np.pi / 2)) & (place > 1 - _HOOK_SHARE)
    sharpest = np.where(is_hook, turn, 0).argmax(1)
    return time, np.where(is_hook.any(1), time[np.arange(len(dense)), sharpest], 2.0)


def _component_cuts(low: NDArray[np.float32], high: NDArray[np.float32]) -> tuple[int, int]:
    """The two places in stroke order at which the boxes of the strokes before and after overlap least."""
    count = len(low)
    if count < 4:
        return count, count
    head_high = np.maximum.accumulate(high, 0)[:-1]
    head_low = np.minimum.accumulate(low, 0)[:-1]
    tail_low = np.minimum.accumulate(low[::-1], 0)[::-1][1:]
    tail_high = np.maximum.accumulate(high[::-1], 0)[::-1][1:]
    overlap = np.minimum(head_high, tail_high) - np.maximum(head_low, tail_low)
    cost = np.minimum(overlap[:, 0], overlap[:, 1])
    best = np.argsort(cost, kind="stable")[:2] + 1
    good = sorted(int(cut) for cut in best if cost[cut - 1] < 0.12)
    second, third, *_ = [*good, count, count]
    return second, third
