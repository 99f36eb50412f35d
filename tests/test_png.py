import io
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from hanzi_core.image import png as module
from hanzi_core.image.png import decode_png
from tests.collection import drawn, png

GRAY = drawn("木", 1)


def as_opencv_reads(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def assert_same(data: bytes) -> None:
    np.testing.assert_array_equal(decode_png(data), as_opencv_reads(data))


def pillow_png(picture: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_pixel(mode: str) -> None:
    picture = Image.fromarray(GRAY.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(GRAY).convert(mode)
    assert_same(pillow_png(picture))


@pytest.mark.parametrize("row_filter", range(5))
@pytest.mark.parametrize("side_px", [7, 64, 300])
def test_every_row_filter(row_filter: int, side_px: int) -> None:
    picture = cv2.resize(GRAY, (side_px, side_px + 1))
    assert_same(cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_FILTER, 8 << row_filter])[1].tobytes())


def test_a_file_of_opencv_is_not_given_back_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_decode", None)
    np.testing.assert_array_equal(decode_png(png(GRAY)), GRAY)


def test_a_colour_that_means_nothing() -> None:
    assert_same(pillow_png(Image.fromarray(GRAY), transparency=255))


def test_notes_and_several_chunks_of_pixels() -> None:
    note = PngImagePlugin.PngInfo()
    note.add_text("Source", "somewhere")
    data = pillow_png(Image.fromarray(GRAY), pnginfo=note)
    place = data.index(b"IDAT") - 4
    end = place + 12 + int.from_bytes(data[place : place + 4])
    packed = data[place + 8 : end - 4]
    halves = chunk(b"IDAT", packed[:100]) + chunk(b"IDAT", packed[100:])
    assert_same(data[:place] + halves + data[end:])


def test_an_interlaced_one() -> None:
    # Adam7 of a single pixel is that pixel.
    header = b"\0\0\0\1\0\0\0\1\x08\0\0\0\1"
    assert_same(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\x55")) + chunk(b"IEND", b"")
    )


def test_a_small_file_that_would_unpack_to_much() -> None:
    header = b"\0\0\0\2\0\0\0\2\x08\0\0\0\0"
    burst = zlib.compress(b"\0" * 50_000_000)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", burst) + chunk(b"IEND", b"")
    assert_same(data)


def test_pixels_that_cannot_be_unpacked_though_their_checksum_is_right() -> None:
    header = b"\0\0\0\2\0\0\0\2\x08\0\0\0\0"
    pixels = chunk(b"IDAT", b"\x78\x01\xff\xff\xff")
    data = module.BEGINNING[:8] + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")
    assert module._unpack(data) is None
    assert (decode_png(data) is None) == (as_opencv_reads(data) is None)


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, len(png(GRAY)) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_one_is_what_it_was_to_opencv(place: int, byte: int, cut: bool) -> None:
    data = bytearray(png(GRAY))
    data[place] = byte
    damaged = bytes(data[:place] if cut else data)
    if not damaged.startswith(module.BEGINNING):
        return
    if int.from_bytes(damaged[16:20]) * int.from_bytes(damaged[20:24]) > 1 << 22:
        return
    ours, theirs = decode_png(damaged), as_opencv_reads(damaged)
    assert (ours is None) == (theirs is None)
    if ours is not None:
        np.testing.assert_array_equal(ours, theirs)
