import numpy as np
import pytest

from hanzi_core.image.augment import CLASSIC, NO_AUGMENTATION, Augmentation, Change, augment, paper_level
from hanzi_core.image.normalise import normalise
from tests.collection import drawn

PICTURE = normalise(drawn("木", 1))


def change(**values: float) -> Change:
    still = {"angle_rad": 0, "slant_rad": 0, "scale_x": 1, "scale_y": 1}
    return Change(**{**still, "shift_x": 0, "shift_y": 0, "contrast": 1, "brightness": 1, **values})


def test_nothing_changes_nothing() -> None:
    random = np.random.default_rng(0)
    np.testing.assert_array_equal(augment(PICTURE, NO_AUGMENTATION, random), PICTURE)
    assert NO_AUGMENTATION.is_none
    assert not CLASSIC.is_none


def test_the_same_seed_draws_the_same() -> None:
    first, again, other = (augment(PICTURE, CLASSIC, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_draws_stay_within_their_ranges_and_reach_their_ends() -> None:
    random = np.random.default_rng(0)
    draws = [Change.draw(Augmentation(), random) for _ in range(2000)]
    for value, low, high in (
        ([np.degrees(draw.angle_rad) for draw in draws], -15, 15),
        ([np.degrees(draw.slant_rad) for draw in draws], -12, 12),
        ([draw.scale_x for draw in draws], 0.9, 1.1),
        ([draw.shift_y for draw in draws], -0.06, 0.06),
        ([draw.contrast for draw in draws], 0.8, 1.2),
    ):
        assert low <= min(value) < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < max(value) <= high


def test_a_shift_takes_from_the_right_and_brings_in_ground() -> None:
    moved = change(shift_x=5 / 64).apply(PICTURE, ground=9)
    np.testing.assert_array_equal(moved[:, :-5], PICTURE[:, 5:])
    assert (moved[:, -5:] == 9).all()


def test_paper_is_told_by_the_edge() -> None:
    assert paper_level(drawn("木", 1)) == 255
    assert paper_level(255 - drawn("木", 1)) == 0


@pytest.mark.parametrize("seed", range(6))
def test_training_does_the_same_with_the_same_draw(seed: int) -> None:
    keras = pytest.importorskip("keras")
    from hanzi_core.training.distortion import Distortion

    augmentation = Augmentation(rotation_deg=20, shift=0.1, zoom=0.2, shear_deg=15, contrast=0.3, brightness=0.3)
    drawn_change = Change.draw(augmentation, np.random.default_rng(seed))

    class Fixed(Distortion):
        """Draws what it is told, in the order in which :class:`Distortion` asks."""

        def _uniform(self, images, reach):
            return keras.ops.reshape(keras.ops.convert_to_tensor(self.told.pop(0), "float32"), (1,))

    layer = Fixed(augmentation, 0)
    layer.told = [
        drawn_change.angle_rad,
        drawn_change.slant_rad,
        drawn_change.scale_x - 1,
        drawn_change.scale_y - 1,
        drawn_change.shift_x * 64,
        drawn_change.shift_y * 64,
        drawn_change.contrast - 1,
        drawn_change.brightness - 1,
    ]
    batch = PICTURE[np.newaxis, ..., np.newaxis].astype(np.float32)
    theirs = np.asarray(layer(batch, training=True))[0, ..., 0]
    ours = drawn_change.apply(PICTURE).astype(np.float32)
    assert layer.told == []
    # OpenCV interpolates at 1/32 px, and we round down to whole levels.
    assert np.abs(ours - theirs).mean() < 1.5
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.995
