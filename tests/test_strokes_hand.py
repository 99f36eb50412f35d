from dataclasses import replace

import cv2
import numpy as np
import pytest

from hanzi_core.image.normalise import is_blank, normalise
from hanzi_core.strokes.anatomy import POINTS_PER_STROKE, study
from hanzi_core.strokes.draw import draw, draw_ink
from hanzi_core.strokes.hand import Hand, PenPath
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.style import PRESETS, HandStyle, StyleError, blend, style_named

CHARACTERS = "永我国一字"
ANATOMY = study(StrokeLibrary.load(), CHARACTERS)
STRAYING = (
    "slant",
    "tilt",
    "rotation_degrees",
    "aspect",
    "tallness",
    "warp",
    "drift",
    "component_scale",
    "place",
    "length",
    "bend",
)
STILL = dict.fromkeys((*STRAYING, "angle_degrees", "tremor", "hook_loss", "drop"), 0)
EXACT = HandStyle(**STILL, smoothing=(0, 0), joins=(0, 0), pressure=(0, 0), taper=(0, 0), nib=(0, 0))


def write(style: HandStyle, seed: int = 0, repeat: int = 1) -> PenPath:
    characters = np.tile(np.arange(len(CHARACTERS)), repeat)
    return Hand(ANATOMY).write(characters, [style] * len(characters), np.random.default_rng(seed))


def joined_share(path: PenPath) -> float:
    last = path.first[1:] - 1
    inner = np.setdiff1d(np.arange(len(path.points)), last)
    return float((path.widths[inner, POINTS_PER_STROKE:] > 0).all(axis=1).mean())


class TestHand:
    def test_a_hand_that_does_not_stray_writes_the_model(self) -> None:
        path = write(EXACT)
        strokes = path.points[:, :POINTS_PER_STROKE] + 0.5
        no_hook = ANATOMY.hook == POINTS_PER_STROKE
        np.testing.assert_allclose(strokes[no_hook], ANATOMY.points[no_hook], atol=1e-5)
        assert joined_share(path) == 0

    def test_the_same_seed_writes_the_same(self) -> None:
        first, again, other = write(PRESETS["running"], 4), write(PRESETS["running"], 4), write(PRESETS["running"], 5)
        np.testing.assert_array_equal(first.points, again.points)
        np.testing.assert_array_equal(first.widths, again.widths)
        assert not np.array_equal(first.points, other.points)

    def test_order_and_direction_stay(self) -> None:
        """Each stroke still runs the way it should, and starts nearer its own start than any other's end."""
        path = write(PRESETS["everyday"], repeat=20)
        chord = path.points[:, POINTS_PER_STROKE - 1] - path.points[:, 0]
        model = np.tile(ANATOMY.points[:, -1] - ANATOMY.points[:, 0], (20, 1))
        long = np.linalg.norm(model, axis=1) > 0.15
        assert ((chord * model).sum(1)[long] > 0).mean() > 0.98

    def test_running_hands_join_strokes_and_neat_ones_do_not(self) -> None:
        shares = {name: joined_share(write(PRESETS[name], repeat=30)) for name in ("neat", "everyday", "running")}
        assert shares["neat"] < 0.03 < shares["everyday"] < 0.2 < shares["running"]

    def test_the_pen_never_crosses_from_one_character_to_the_next(self) -> None:
        path = write(PRESETS["running"], repeat=30)
        assert not path.widths[path.first[1:] - 1, POINTS_PER_STROKE:].any()
        # Smoothing runs along all paths at once: a lone character must come out as in a batch.
        style = HandStyle(**STILL, smoothing=(1, 1), joins=(0, 0))
        alone = Hand(ANATOMY).write(np.array([1]), [style], np.random.default_rng(0))
        batch = write(style)
        rows = slice(batch.first[1], batch.first[2])
        no_hook = ANATOMY.hook[rows] == POINTS_PER_STROKE
        np.testing.assert_allclose(alone.points[no_hook, 3:-9], batch.points[rows][no_hook, 3:-9], atol=0.02)

    def test_hooks_are_lost_where_the_style_says_so(self) -> None:
        stem = int(ANATOMY.first[0]) + 1  # the second stroke of 永: a vertical with a hook to the left
        assert ANATOMY.hook[stem] < POINTS_PER_STROKE
        lengths = {}
        for loss in (0, 1):
            style = EXACT.model_copy(update={"hook_loss": loss})
            points = write(style, repeat=10).points[stem, :POINTS_PER_STROKE]
            lengths[loss] = np.linalg.norm(points[-1] - points[ANATOMY.hook[stem]])
        assert lengths[1] < 0.5 * lengths[0]

    @pytest.mark.parametrize("drop", [0.3, 1.0])
    def test_at_most_one_stroke_in_six_is_left_out(self, drop: float) -> None:
        styles = [PRESETS["everyday"].model_copy(update={"drop": drop, "cursive": 0})] * (len(CHARACTERS) * 10)
        path = Hand(ANATOMY).write(np.tile(np.arange(len(CHARACTERS)), 10), styles, np.random.default_rng(0))
        left_out = np.add.reduceat(~(path.widths > 0).any(axis=1), path.first[:-1], dtype=np.int64)
        counts = np.diff(path.first)
        assert (left_out <= np.where(counts > 6, counts // 6, 0)).all()
        assert left_out.any()
        assert len(list(draw(path, styles, np.random.default_rng(0)))) == len(styles)

    def test_pen_width_stays_in_its_range(self) -> None:
        style = EXACT.model_copy(update={"pen_width": (0.03, 0.05)})
        widths = write(style, repeat=40).widths[:, :POINTS_PER_STROKE]
        assert 0.03 <= widths.min() <= widths.max() <= 0.0501


class TestPath:
    def test_characters_are_picked_and_put_in_a_row(self) -> None:
        path = write(PRESETS["everyday"])
        picked = path.of(np.array([4, 1, 1]))
        np.testing.assert_array_equal(np.diff(picked.first), np.diff(path.first)[[4, 1, 1]])
        for place, character in enumerate((4, 1, 1)):
            rows, own = slice(*picked.first[place : place + 2]), slice(*path.first[character : character + 2])
            np.testing.assert_array_equal(picked.points[rows], path.points[own])
            np.testing.assert_array_equal(picked.widths[rows], path.widths[own])
        parts = [path.of(np.array([0, 1])), path.of(np.array([2, 3, 4]))]
        together = PenPath.one_after_another(parts)
        np.testing.assert_array_equal(together.points, path.points)
        np.testing.assert_array_equal(together.widths, path.widths)
        np.testing.assert_array_equal(together.first, path.first)


class TestDrawing:
    @pytest.mark.parametrize("name", PRESETS)
    def test_every_picture_shows_a_character(self, name: str) -> None:
        styles = [PRESETS[name]] * (len(CHARACTERS) * 8)
        path = Hand(ANATOMY).write(np.tile(np.arange(len(CHARACTERS)), 8), styles, np.random.default_rng(1))
        pictures = [normalise(gray) for gray in draw(path, styles, np.random.default_rng(2))]
        assert len(pictures) == len(styles)
        assert not any(is_blank(picture) for picture in pictures)

    def test_ink_covers_the_path_in_its_width(self) -> None:
        points = np.array([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 1.0]]], np.float32)
        widths = np.array([[0.1, 0.0], [0.1, 0.1]], np.float32)
        ink = draw_ink(points, widths, 100)
        rows = np.flatnonzero(ink[:, ink.shape[1] // 2])
        assert 9 <= len(rows) <= 12  # the second line alone: of the first, one end is lifted
        assert rows.min() > ink.shape[0] // 2

    def test_dark_ink_on_light_paper(self) -> None:
        styles = [PRESETS["everyday"]] * len(CHARACTERS)
        for gray in draw(write(PRESETS["everyday"]), styles, np.random.default_rng(0)):
            threshold, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
            assert (gray > threshold).mean() > 0.5

    def test_the_same_seed_draws_the_same(self) -> None:
        path, styles = write(PRESETS["brush"]), [PRESETS["brush"]] * len(CHARACTERS)
        first = list(draw(path, styles, np.random.default_rng(3)))
        again = list(draw(replace(path), styles, np.random.default_rng(3)))
        for one, two in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, two)


class TestStyle:
    def test_between_two_styles(self) -> None:
        neat, brush = PRESETS["neat"], PRESETS["brush"]
        assert blend(neat, brush, 0) == neat
        assert blend(neat, brush, 1).sloppiness == pytest.approx(brush.sloppiness)
        half = blend(neat, brush, 0.5)
        assert half.slant == pytest.approx((neat.slant + brush.slant) / 2)
        assert half.nib == pytest.approx(np.mean([neat.nib, brush.nib], axis=0))

    def test_an_unknown_style_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(StyleError, match="neat, everyday, running, brush"):
            style_named("wild")

    @pytest.mark.parametrize(
        "changes", [{"joins": (0.5, 0.1)}, {"slant": 3.0}, {"pen_width": (0.0, 0.1)}, {"hook_loss": -0.1}, {"x": 1.0}]
    )
    def test_a_value_out_of_range_is_refused(self, changes: dict) -> None:
        with pytest.raises(StyleError):
            style_named("neat", **changes)

    def test_a_preset_can_be_changed(self) -> None:
        assert style_named("neat", slant=0.2).slant == 0.2
