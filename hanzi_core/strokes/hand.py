"""The simulated hand: from a character's strokes to the path of a pen, as one writer or another would lead it.

Many characters are written at once: every step works on all strokes of a batch. A writer is drawn from a style
for each character; all that a writer does within one character is of a piece.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hanzi_core.strokes.anatomy import POINTS_PER_STROKE, Anatomy
from hanzi_core.strokes.style import HandStyle

AIR_POINTS = 6
"""Points of the way from the end of a stroke to the beginning of the next."""

PATH_POINTS = POINTS_PER_STROKE + AIR_POINTS
_SMOOTHING_PASSES = 10

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class PenPath:
    """Where the pen went in a batch of characters, stroke after stroke."""

    points: Floats
    """``(strokes, PATH_POINTS, 2)``: a stroke, then the way to the next one; y down, some unit square."""
    widths: Floats
    """``(strokes, PATH_POINTS)``: of the line, in the same unit; 0 where the pen is lifted."""
    first: NDArray[np.int64]
    """``(characters + 1,)``: where the strokes of each character begin."""

    def of(self, characters: NDArray[np.int64]) -> "PenPath":
        """Those ``characters``, given by their places in the batch, in this order."""
        counts = np.diff(self.first)[characters]
        first = np.concatenate([[0], np.cumsum(counts)])
        strokes = np.arange(first[-1]) + np.repeat(self.first[characters] - first[:-1], counts)
        return PenPath(self.points[strokes], self.widths[strokes], first)

    @classmethod
    def one_after_another(cls, paths: Sequence["PenPath"]) -> "PenPath":
        """The characters of all ``paths``, at least one."""
        counts = np.concatenate([np.diff(path.first) for path in paths])
        return cls(
            np.concatenate([path.points for path in paths]),
            np.concatenate([path.widths for path in paths]),
            np.concatenate([[0], np.cumsum(counts)]),
        )


@dataclass(frozen=True)
class _Batch:
    """Which stroke belongs to which character of the batch."""

    strokes: NDArray[np.int64]
    owner: NDArray[np.int64]
    first: NDArray[np.int64]
    component: NDArray[np.int64]
    """Number of the component among all of the batch, three a character."""


class Writers:
    """One writer a character: values drawn from the styles, spread over the strokes of each character."""

    def __init__(self, styles: Sequence[HandStyle], owner: NDArray[np.int64], rng: np.random.Generator) -> None:
        self._styles, self._owner, self._rng = styles, owner, rng
        self.sloppiness = self.between("sloppiness")

    def each(self, name: str) -> Floats:
        """The style's own figure for every character."""
        return np.array([getattr(style, name) for style in self._styles], np.float32)

    def between(self, name: str) -> Floats:
        """A value within the style's range for every character."""
        low, high = self.each(name).T
        return (low + (high - low) * self._rng.random(len(low), np.float32)).astype(np.float32)

    def normal(self, name: str) -> Floats:
        """A normal value with the style's deviation for every character."""
        return self.each(name) * self._rng.standard_normal(len(self._styles), np.float32)

    def stray(self, name: str, *shape: int) -> Floats:
        """Normal values ``(strokes, *shape)`` with the style's deviation times the writer's sloppiness."""
        scale = (self.each(name) * self.sloppiness)[self._owner]
        values = self._rng.standard_normal((len(self._owner), *shape), np.float32)
        return values * scale.reshape(-1, *([1] * len(shape)))


class Hand:
    """Writes characters that have been studied."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy

    def write(self, characters: NDArray[np.int64], styles: Sequence[HandStyle], rng: np.random.Generator) -> PenPath:
        """Write ``characters``, given by their places among those studied, each in its style by a writer of its own."""
        batch = self._gather(self._choose_forms(characters, styles, rng))
        writers = Writers(styles, batch.owner, rng)
        points = self._anatomy.points[batch.strokes]
        points = _change_hooks(points, self._anatomy.hook[batch.strokes], writers, batch, rng)
        points = _vary_strokes(points, writers)
        points = _move_components(points, writers, batch, rng)
        points = _warp_characters(points, writers, batch, rng)
        points = _add_air(points)
        points = _smooth(points, writers.between("smoothing")[batch.owner], batch)
        points += _tremor(points, writers)
        widths = _press(points, writers, batch, rng)
        widths *= _pen_down(points, writers, batch, rng)
        return PenPath(points, widths, batch.first)

    def _choose_forms(
        self, characters: NDArray[np.int64], styles: Sequence[HandStyle], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """The proper form of each character, or one of its cursive ones."""
        if not any(style.cursive for style in styles):
            return characters
        begin, end = self._anatomy.cursive[characters], self._anatomy.cursive[characters + 1]
        which = begin + (rng.random(len(characters)) * (end - begin)).astype(np.int64)
        hasty = rng.random(len(characters)) < np.array([style.cursive for style in styles])
        return np.where(hasty & (begin < end), which, characters)

    def _gather(self, forms: NDArray[np.int64]) -> _Batch:
        begin, end = self._anatomy.first[forms], self._anatomy.first[forms + 1]
        counts = end - begin
        first = np.concatenate([[0], np.cumsum(counts)])
        owner = np.repeat(np.arange(len(forms)), counts)
        order = np.arange(first[-1]) - first[owner]
        cuts = self._anatomy.cuts[forms][owner]
        component = (order >= cuts[:, 0]).astype(np.int64) + (order >= cuts[:, 1])
        return _Batch(begin[owner] + order, owner, first, owner * 3 + component)


def _change_hooks(
    points: Floats, hook: NDArray[np.int64], writers: Writers, batch: _Batch, rng: np.random.Generator
) -> Floats:
    """Leave hooks away, or shorten and lengthen them; a writer who drops one hook drops most."""
    loses = rng.random(len(batch.first) - 1) < writers.each("hook_loss")
    kept = np.where(loses[batch.owner], rng.random(len(points)) * 0.25, 0.6 + 0.7 * rng.random(len(points)))
    place = np.arange(POINTS_PER_STROKE)
    root = points[np.arange(len(points)), np.minimum(hook, POINTS_PER_STROKE - 1)][:, None]
    share = np.where(place >= hook[:, None], kept[:, None], 1.0)[..., None].astype(np.float32)
    return root + (points - root) * share


def _vary_strokes(points: Floats, writers: Writers) -> Floats:
    """Place, length, slant and bend of each stroke."""
    centre = points.mean(1, keepdims=True)
    chord = points[:, -1] - points[:, 0]
    angle = np.deg2rad(writers.stray("angle_degrees"))
    # A dot may point anywhere, while a long stroke turned by as much would leave the character.
    extent = np.linalg.norm(np.ptp(points, axis=1), axis=1)
    angle *= np.clip(0.3 / np.maximum(extent, 1e-3), 0.5, 2.5)
    stretch = np.exp(writers.stray("length"))
    cosine, sine = np.cos(angle) * stretch, np.sin(angle) * stretch
    turn = np.stack([np.stack([cosine, sine], 1), np.stack([-sine, cosine], 1)], 1)
    moved = np.einsum("sni,sij->snj", points - centre, turn) + centre
    time: Floats = np.linspace(0, 1, POINTS_PER_STROKE, dtype=np.float32)
    bow = np.stack([4 * time * (1 - time) - 0.67, np.sin(2 * np.pi * time) * 0.5])
    normal = np.stack([-chord[:, 1], chord[:, 0]], axis=1)
    moved += (writers.stray("bend", 2) @ bow)[..., None] * normal[:, None]
    return moved + writers.stray("place", 1, 2)


def _move_components(points: Floats, writers: Writers, batch: _Batch, rng: np.random.Generator) -> Floats:
    """Let components drift apart or together, grow and shrink."""
    count = 3 * (len(batch.first) - 1)
    strokes = np.maximum(np.bincount(batch.component, minlength=count), 1)[:, None]
    mean = points.mean(1)
    total = np.stack([np.bincount(batch.component, mean[:, axis], minlength=count) for axis in (0, 1)], axis=1)
    centre = (total / strokes).astype(np.float32)[batch.component][:, None]
    scale = np.repeat(writers.each("component_scale"), 3)[:, None] * rng.standard_normal((count, 2), np.float32)
    drift = np.repeat(writers.each("drift"), 3)[:, None] * rng.standard_normal((count, 2), np.float32)
    return (points - centre) * np.exp(scale)[batch.component][:, None] + centre + drift[batch.component][:, None]


def _warp_characters(points: Floats, writers: Writers, batch: _Batch, rng: np.random.Generator) -> Floats:
    """Slant, tilt, turn, stretch and bend each character as a whole, about its middle."""
    angle = np.deg2rad(writers.normal("rotation_degrees"))
    slant, aspect = writers.normal("slant"), writers.normal("aspect") - writers.each("tallness")
    tilt = -writers.each("tilt") * (0.7 + rng.standard_normal(len(angle), np.float32))
    shear = np.stack([np.stack([np.ones_like(tilt), tilt], 1), np.stack([-slant, np.ones_like(tilt)], 1)], 1)
    turn = np.stack([np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([-np.sin(angle), np.cos(angle)], 1)], 1)
    stretch = np.exp(np.stack([aspect, -aspect], 1) / 2)[:, None, :]
    whole = ((shear @ turn) * stretch).astype(np.float32)
    points = points - np.float32(0.5)
    points = np.einsum("sni,sij->snj", points, whole[batch.owner])
    return points + _bulge(points, writers, batch, rng)


def _bulge(points: Floats, writers: Writers, batch: _Batch, rng: np.random.Generator) -> Floats:
    """Waves of half to one and a half periods: parts of the character swell at the cost of others."""
    shape = (len(batch.first) - 1, 1, 1)
    offset = np.zeros_like(points)
    for axis in (0, 1):
        for along in (0, 1):
            size = writers.normal("warp").reshape(shape)
            period = 0.5 + rng.random(shape, np.float32)
            phase = 2 * np.pi * rng.random(shape, np.float32)
            wave = size[batch.owner] * np.sin(
                2 * np.pi * period[batch.owner] * points[..., along : along + 1] + phase[batch.owner]
            )
            offset[..., axis] += wave[..., 0]
    return offset


def _add_air(points: Floats) -> Floats:
    """Append to each stroke the way to the next: a cubic Hermite curve from direction to direction."""
    following = np.roll(points, -1, axis=0)
    start, end = points[:, -1:], following[:, :1]
    span = np.linalg.norm(end - start, axis=2, keepdims=True)
    leaving = _direction(points[:, -1] - points[:, -4])[:, None] * span
    arriving = _direction(following[:, 3] - following[:, 0])[:, None] * span
    t = (np.arange(1, AIR_POINTS + 1, dtype=np.float32) / (AIR_POINTS + 1))[None, :, None]
    curve = (
        (2 * t**3 - 3 * t**2 + 1) * start
        + (t**3 - 2 * t**2 + t) * leaving
        + (3 * t**2 - 2 * t**3) * end
        + (t**3 - t**2) * arriving
    )
    return np.concatenate([points, curve.astype(np.float32)], axis=1)


def _direction(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-4)


def _smooth(points: Floats, strength: Floats, batch: _Batch) -> Floats:
    """Low-pass the whole path, lifted parts too: corners round off, strokes bend towards where the pen goes next."""
    flat = points.reshape(-1, 2)
    weight = np.repeat(0.5 * strength, PATH_POINTS)[:, None].astype(np.float32)
    # The first point and the last stroke's end stand still, so no character leaks into another.
    ends = batch.first[1:] * PATH_POINTS - AIR_POINTS - 1
    weight[batch.first[:-1] * PATH_POINTS] = 0
    weight[ends] = 0
    for _ in range(_SMOOTHING_PASSES):
        middle = (flat[:-2] + flat[2:]) * np.float32(0.5)
        flat[1:-1] += (middle - flat[1:-1]) * weight[1:-1]
    return flat.reshape(points.shape)


def _tremor(points: Floats, writers: Writers) -> Floats:
    noise = writers.stray("tremor", PATH_POINTS, 2)
    noise[:, 1:] = (noise[:, 1:] + noise[:, :-1]) * np.float32(0.7)
    return noise


def _press(points: Floats, writers: Writers, batch: _Batch, rng: np.random.Generator) -> Floats:
    """Width of the line: the pen's, swelling along the stroke, thin at its ends, and wider across the nib."""
    low, high = writers.each("pen_width").T
    width = low * (high / low) ** rng.random(len(low), np.float32)
    # Nobody writes 25 strokes with a brush that fills the square: the pen's size follows the character's.
    width = np.minimum(width, 0.4 / np.sqrt(np.diff(batch.first)))
    time: Floats = np.linspace(0, 1, POINTS_PER_STROKE, dtype=np.float32)
    strokes = len(points)
    pressure = writers.between("pressure")[batch.owner][:, None]
    profile = 1 + pressure * (
        rng.standard_normal((strokes, 1), np.float32) * 0.3
        + rng.standard_normal((strokes, 1), np.float32) * 0.5 * (time - 0.5)
        + rng.standard_normal((strokes, 1), np.float32) * 0.4 * np.sin(np.pi * time)
    )
    profile = profile.clip(0.35, 2) * _tapering(writers, batch, time, rng)
    profile = np.concatenate([profile, np.repeat(profile[:, -1:], AIR_POINTS, 1)], axis=1)
    steps = np.diff(points, axis=1, append=points[:, -1:])
    across = np.sin(np.arctan2(steps[..., 1], steps[..., 0]) + np.float32(0.35)) ** 2
    nib = writers.between("nib")[batch.owner][:, None]
    return (width[batch.owner][:, None] * profile * (1 - nib * (1 - across))).astype(np.float32)


def _tapering(writers: Writers, batch: _Batch, time: Floats, rng: np.random.Generator) -> Floats:
    """Thin ends: a little at the beginning, more where the pen leaves, not at every stroke."""
    strength = writers.between("taper")[batch.owner][:, None]
    strokes = len(batch.owner)
    leaving = rng.random((strokes, 1), np.float32) * strength
    entering = 0.6 * rng.random((strokes, 1), np.float32) * strength
    return (1 - leaving * np.clip((time - 0.55) / 0.45, 0, 1) ** 1.5) * (
        1 - entering * np.clip((0.25 - time) / 0.25, 0, 1)
    )


def _pen_down(points: Floats, writers: Writers, batch: _Batch, rng: np.random.Generator) -> Floats:
    """``(strokes, PATH_POINTS)``: 0 where the pen is lifted, else how much of the width is left on the paper."""
    strokes = len(points)
    span = np.linalg.norm(points[:, -1] - points[:, POINTS_PER_STROKE], axis=1)
    likely = writers.between("joins")[batch.owner] * np.exp(-((span / 0.45) ** 2)) * 1.2
    joined = rng.random(strokes) < likely
    joined[batch.first[1:] - 1] = False
    down = np.ones((strokes, PATH_POINTS), np.float32)
    light = 0.35 + 0.65 * rng.random((strokes, 1), np.float32)
    down[:, POINTS_PER_STROKE:] = joined[:, None] * light
    # Some joins are only begun: the pen trails off, or touches down early.
    begun = ~joined & (rng.random(strokes) < likely)
    begun[batch.first[1:] - 1] = False
    down[begun, POINTS_PER_STROKE : POINTS_PER_STROKE + 2] = 0.5
    down[_dropped(writers, batch, rng)] = 0
    return down


def _dropped(writers: Writers, batch: _Batch, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Strokes that hasty writers leave out: of a character with more than six at most one in six, of others none."""
    counts = np.diff(batch.first)[batch.owner]
    chance = rng.random(len(batch.owner))
    rank = np.empty(len(chance), np.int64)  # of a stroke within its character, by chance
    rank[np.lexsort((chance, batch.owner))] = np.arange(len(chance)) - batch.first[batch.owner]
    return (chance < writers.each("drop")[batch.owner]) & (counts > 6) & (rank < counts // 6)
