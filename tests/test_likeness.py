import cv2
import imagehash
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from hanzi_core.dataset.likeness import NEAR_BITS, copy_groups, digest_ranks, joined_groups, likeness
from hanzi_core.image.normalise import normalise
from tests.collection import drawn


def difference(first: str, second: str) -> int:
    return (int(first, 16) ^ int(second, 16)).bit_count()


@pytest.mark.parametrize("character", "一十人木日中")
def test_agrees_with_imagehash(character: str) -> None:
    picture = normalise(drawn(character, 3))
    theirs = imagehash.phash(Image.fromarray(picture), hash_size=16)
    # Ties at the median and the last bit of a float are all that may differ.
    assert difference(likeness(picture), str(theirs)) <= 2


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: 255 - picture,
        lambda picture: cv2.convertScaleAbs(picture, alpha=0.7, beta=30),
        lambda picture: np.pad(picture, ((3, 9), (5, 1)), constant_values=255),
        lambda picture: cv2.imdecode(cv2.imencode(".jpg", picture, [1, 80])[1], cv2.IMREAD_GRAYSCALE),
    ],
    ids=["inverted", "faded", "margin", "jpeg"],
)
def test_a_changed_copy_is_near(change) -> None:
    picture = drawn("木", 5)
    assert difference(likeness(normalise(picture)), likeness(normalise(change(picture)))) <= NEAR_BITS


def test_another_writing_is_not() -> None:
    hashes = [likeness(normalise(drawn("木", seed))) for seed in range(30)]
    distances = [difference(a, b) for place, a in enumerate(hashes) for b in hashes[:place]]
    assert min(distances) > NEAR_BITS


def groups(digests: list[str], hashes: list[NDArray[np.uint8]]) -> list[int]:
    return copy_groups(pd.Series(digests), pd.Series([each.tobytes().hex() for each in hashes])).tolist()


def flipped(values: NDArray[np.uint8], bits: int, seed: int = 0) -> NDArray[np.uint8]:
    all_bits = np.unpackbits(values)
    all_bits[np.random.default_rng(seed).choice(256, bits, replace=False)] ^= 1
    return np.packbits(all_bits)


def test_groups_by_bytes_and_by_likeness() -> None:
    first, second = np.random.default_rng(0).integers(0, 256, (2, 32), dtype=np.uint8)
    hashes = [first, second, first, flipped(second, NEAR_BITS), flipped(first, NEAR_BITS + 1)]
    assert groups(["a" * 32, "b" * 32, "a" * 32, "c" * 32, "d" * 32], hashes) == [0, 1, 0, 1, 4]


def test_no_pair_is_missed_against_looking_at_all() -> None:
    random = np.random.default_rng(1)
    originals = random.integers(0, 256, (300, 32), dtype=np.uint8)
    copies = np.stack(
        [flipped(each, int(random.integers(0, NEAR_BITS + 1)), seed) for seed, each in enumerate(originals)]
    )
    found = groups([f"{number:032x}" for number in range(600)], [*originals, *copies])
    assert found == [*range(300), *range(300)]


def test_what_has_no_ink_is_like_nothing() -> None:
    assert copy_groups(pd.Series(["", "", "a" * 32]), pd.Series(["", "", ""])).tolist() == [0, 1, 2]
    assert copy_groups(pd.Series([], dtype=str), pd.Series([], dtype=str)).tolist() == []


def test_ranks_are_those_of_the_digits_in_their_order() -> None:
    random = np.random.default_rng(0)
    digests = pd.Series([f"{high:016x}{low:016x}" for high, low in random.integers(0, 2**62, (20, 2)).tolist()] * 3)
    rows = np.flatnonzero(np.arange(60) % 7)
    expected, _ = pd.factorize(digests.iloc[rows], sort=True)
    assert digest_ranks(digests, rows).tolist() == expected.tolist()
    assert digest_ranks(digests.iloc[:0], rows[:0]).tolist() == []


def test_joining_two_groupings() -> None:
    joined = joined_groups(np.array([0, 0, 2, 3, 3], np.int32), np.array([7, 8, 8, 9, 10]))
    assert joined.tolist() == [0, 0, 0, 3, 3]
