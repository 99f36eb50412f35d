"""Which pictures are copies of each other: byte for byte, or resized, recompressed, inverted, with other margins.

The perceptual hash is pHash (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010) with
16 × 16 frequencies, as ImageHash's ``phash`` of hash size 16 gives it, of the normalised picture.
"""

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

HASH_BYTES = 32
DIGEST_BYTES = 16
_SIDE_PX = 64
_FREQUENCIES = 16
_CHUNKS = 16
_PORTION_ROWS = 65_536

NEAR_BITS = 15
"""Differing bits of 256 up to which two pictures count as nearly one.

Measured on three sets of handwriting: different pictures of one class differ by 33 and more (0.5 % quantile of the
nearest; 14 in brush calligraphy, which holds rubbings of one inscription); a copy inverted, brightened or with another
margin by 0 to 2, saved as JPEG of quality 60 by 2 to 14.
Two hashes that differ by at most 15 bits agree in one of 16 chunks, so that looking at equal chunks is enough.
"""

_NEIGHBOURS = 32
"""How many are compared with each other among hashes with an equal chunk, sorted by their other bits."""


_COSINES = np.cos(np.pi / _SIDE_PX * np.outer(np.arange(_FREQUENCIES), np.arange(_SIDE_PX) + 0.5)).astype(np.float32)
"""The lowest frequencies of the discrete cosine transform (type II), a row each."""


def likeness(normalised: NDArray[np.uint8]) -> str:
    """The perceptual hash of a normalised picture of any size, 64 hex digits."""
    pixels = normalised
    if pixels.shape != (_SIDE_PX, _SIDE_PX):
        pixels = cv2.resize(pixels, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    return likenesses(pixels[np.newaxis])[0]


def likenesses(normalised: NDArray[np.uint8]) -> list[str]:
    """:func:`likeness` of many pictures ``(n, 64, 64)`` together, five times as fast."""
    low = _COSINES @ normalised.astype(np.float32) @ _COSINES.T
    low = low.reshape(len(low), -1)
    middle = np.partition(low, low.shape[1] // 2, axis=1)[:, low.shape[1] // 2]
    digits = np.packbits(low >= middle[:, np.newaxis], axis=1).tobytes().hex()
    return [digits[start : start + 2 * HASH_BYTES] for start in range(0, len(digits), 2 * HASH_BYTES)]


def copy_groups(
    digests: pd.Series, likenesses: pd.Series, compared: NDArray[np.bool_] | None = None
) -> NDArray[np.int32]:
    """A number for each row, equal for rows that are copies or nearly; it is the first of these rows.

    Args:
        digests: Of the bytes, 32 hex digits; rows with an empty one stand alone.
        likenesses: As :func:`likeness` gives them; empty ones are like nothing.
        compared: Which rows to look at, all by default; the others stand alone.
    """
    compared = np.ones(len(digests), bool) if compared is None else compared
    same = np.arange(len(digests))
    rows = np.flatnonzero(compared & (digests != "").to_numpy())
    same[rows] = rows[_first_of(digest_ranks(digests, rows))]
    rows = np.flatnonzero(compared & (likenesses != "").to_numpy())
    rows = rows[same[rows] == rows]
    near = rows[_near_pairs(_bytes_of(likenesses, rows, HASH_BYTES))]
    pairs = np.concatenate([np.stack([same, np.arange(len(same))], axis=1), near])
    return _components(len(digests), pairs).astype(np.int32)


def digest_ranks(digests: pd.Series, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of the digest of each of these ``rows``, which rise, among all different ones in their order.

    What ``pandas.factorize`` with ``sort`` gives, which takes 120 MB more of a million rows.
    """
    high, low = digest_halves(digests, rows)
    order = np.lexsort((low, high))
    high, low = high[order], low[order]
    is_other = np.append(0, (high[1:] != high[:-1]) | (low[1:] != low[:-1]))
    ranks = np.empty(len(rows), np.int64)
    ranks[order] = np.cumsum(is_other)[: len(rows)]
    return ranks


def digest_halves(digests: pd.Series, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The upper and the lower 64 bits of the digest of each of these ``rows``, which rise."""
    high, low = _bytes_of(digests, rows, DIGEST_BYTES).view(">u8").astype(np.uint64).T
    return high, low


def _bytes_of(digits: pd.Series, rows: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """``(n, width)`` from the hex ``digits`` of these ``rows``, which rise.

    A portion at a time, for a million Python strings take 120 MB. Each portion is sliced before its rows are taken:
    Arrow copies all that it takes from.
    """
    content = np.empty((len(rows), width), np.uint8)
    for start in range(0, len(digits), _PORTION_ROWS):
        begin, end = np.searchsorted(rows, [start, start + _PORTION_ROWS])
        portion = digits.iloc[start : start + _PORTION_ROWS].iloc[rows[begin:end] - start]
        packed = bytes.fromhex("".join(portion))
        content[begin:end] = np.frombuffer(packed, np.uint8).reshape(-1, width)
    return content


def _near_pairs(hashes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pairs ``(n, 2)`` of rows whose hashes differ by at most :data:`NEAR_BITS` bits."""
    found = [_pairs_by_chunk(hashes, chunk) for chunk in range(_CHUNKS)]
    return np.concatenate(found) if len(hashes) else np.empty((0, 2), np.int64)


def _pairs_by_chunk(hashes: NDArray[np.uint8], chunk: int) -> NDArray[np.int64]:
    """Near pairs among the hashes that agree in one chunk (Norouzi et al., Multi-index hashing, CVPR 2012)."""
    # The chunk and 48 bits more: to sort by them takes half the time of all bits, and of those pairs that agree in the
    # chunk one in a hundred is near in them.
    columns = (2 * chunk + np.arange(8)) % HASH_BYTES
    beginnings = hashes.take(columns, axis=1).view(">u8").ravel().astype(np.uint64)
    order = beginnings.argsort(kind="stable")
    beginnings = beginnings[order]
    keys = beginnings >> np.uint64(48)
    pairs = [np.empty((0, 2), np.int64)]
    for step in range(1, min(_NEIGHBOURS, len(order) - 1) + 1):
        agree = keys[:-step] == keys[step:]
        if not agree.any():
            break
        near = agree & (np.bitwise_count(beginnings[:-step] ^ beginnings[step:]) <= NEAR_BITS)
        left = np.flatnonzero(near)
        found = np.stack([order[left], order[left + step]], axis=1)
        differing = np.bitwise_count(hashes[found[:, 0]] ^ hashes[found[:, 1]]).sum(axis=1)
        pairs.append(found[differing <= NEAR_BITS])
    return np.concatenate(pairs)


def _components(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lowest row of the connected component of each of ``count`` rows."""
    lowest = np.arange(count)
    left, right = pairs[:, 0], pairs[:, 1]
    while True:
        joined = lowest.copy()
        least = np.minimum(lowest[left], lowest[right])
        np.minimum.at(joined, left, least)
        np.minimum.at(joined, right, least)
        joined = joined[joined]
        if np.array_equal(joined, lowest):
            return lowest
        lowest = joined


def joined_groups(groups: NDArray[np.int32], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows that are linked by either of two groupings, however far, get one number.

    Args:
        groups: A number for each row.
        others: A second number for each row.
    """
    rows = np.arange(len(groups))
    pairs = [np.stack([_first_of(numbers), rows], axis=1) for numbers in (groups, others)]
    return _components(len(groups), np.concatenate(pairs))


def _first_of(numbers: NDArray[np.integer]) -> NDArray[np.int64]:
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    return first[inverse]
