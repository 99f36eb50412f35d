import numpy as np
import pytest

from hanzi_core.image.thumbnail import thumbnail
from tests.collection import drawn


@pytest.mark.parametrize(("height", "width"), [(72, 72), (300, 40), (5, 900), (1, 1), (2000, 1500)])
def test_a_square_whatever_the_shape(height: int, width: int) -> None:
    tile = thumbnail(np.full((height, width), 200, np.uint8), 84)
    assert tile.shape == (84, 84)
    assert (tile == 200).all()


def test_the_picture_stands_in_the_middle_on_its_own_paper() -> None:
    tile = thumbnail(drawn("一", 1)[20:50], 84)
    assert tile[0].min() == tile[-1].min() == 255
    assert tile[30:54].min() < 50
