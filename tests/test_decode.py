import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from hanzi_core.errors import ImageError
from hanzi_core.image import decode as module
from hanzi_core.image.decode import decode, flatten
from tests.collection import drawn, png

GRAY = drawn("木", 1)
KINDS = ["PNG", "BMP", "GIF", "TIFF", "WEBP", "JPEG"]


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def assert_close(result: np.ndarray, tolerance: float = 2.0, expected: np.ndarray = GRAY) -> None:
    assert result.dtype == np.uint8
    assert result.shape == expected.shape
    assert np.abs(result.astype(int) - expected).mean() <= tolerance


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_kind(kind: str, mode: str) -> None:
    assert_close(decode(encoded(Image.fromarray(GRAY).convert(mode), kind)))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP"])
def test_palette(kind: str) -> None:
    assert_close(decode(encoded(Image.fromarray(GRAY).convert("P"), kind)))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit(kind: str) -> None:
    bits = Image.fromarray(GRAY).point(lambda level: 255 if level > 127 else 0).convert("1")
    assert_close(decode(encoded(bits, kind)), 6, np.where(GRAY > 127, 255, 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit(kind: str) -> None:
    deep = Image.fromarray(GRAY.astype(np.uint16) * 257)
    assert_close(decode(encoded(deep, kind)), 1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_12_of_16_bits(kind: str) -> None:
    """As many scanners write them; by the upper byte alone all would be black."""
    deep = Image.fromarray(GRAY.astype(np.uint16) << 4)
    assert_close(decode(encoded(deep, kind)), 1)


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_big_endian_16_bit(bits: int) -> None:
    """As cameras and scanners write TIFF."""
    levels = GRAY.astype(np.uint16) * 257 >> 16 - bits
    deep = Image.frombytes("I;16B", GRAY.shape[::-1], levels.astype(">u2").tobytes())
    assert_close(decode(encoded(deep, "TIFF")), 1)


def test_levels_from_0_to_1() -> None:
    shares = Image.fromarray(GRAY.astype(np.float32) / 255)
    np.testing.assert_array_equal(decode(encoded(shares, "TIFF")), GRAY)


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_32_bit_by_the_highest_bit_in_use(kind: type, bits: int) -> None:
    levels = (GRAY.astype(np.uint16) * 257 >> 16 - bits).astype(kind)
    assert_close(decode(encoded(Image.fromarray(levels), "TIFF")), 1)


@pytest.mark.parametrize("level", [-3.0, 0.5, 1e9])
def test_one_level_throughout_is_a_picture_without_ink(level: float) -> None:
    assert np.ptp(decode(encoded(Image.fromarray(np.full((50, 50), level, np.float32)), "TIFF"))) == 0


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("kind", [".png", ".tif"])
def test_16_bit_colour(kind: str, channels: int, bits: int) -> None:
    deep = np.repeat((GRAY.astype(np.uint16) * 257 >> 16 - bits)[..., np.newaxis], channels, axis=2)
    deep[:, :, 3:] = 65535
    assert_close(decode(bytes(cv2.imencode(kind, deep)[1])), 1)


def test_16_bit_colours_stay_what_they_are() -> None:
    red = np.zeros((*GRAY.shape, 3), np.uint16)
    red[:, :, 2] = 4095  # in the order of OpenCV
    assert_close(decode(cv2.imencode(".tif", red)[1].tobytes()), 1, np.full(GRAY.shape, 76))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_16_bit_tiff_that_breaks_off_is_damaged(share: float) -> None:
    data = cv2.imencode(".tif", np.dstack([GRAY.astype(np.uint16) << 4] * 3))[1].tobytes()
    with pytest.raises(ImageError, match=r"a\.tif"):
        decode(data[: int(len(data) * share)], "a.tif")


def test_lab_by_its_lightness() -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    transform = ImageCms.buildTransform(srgb, lab, "RGB", "LAB")
    picture = ImageCms.applyTransform(Image.fromarray(GRAY).convert("RGB"), transform)
    assert_close(decode(encoded(picture, "TIFF")), 4)


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk(kind: str) -> None:
    assert_close(decode(encoded(Image.fromarray(GRAY).convert("RGB").convert("CMYK"), kind)), 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_ground_is_paper(kind: str, mode: str) -> None:
    ink = Image.new("L", GRAY.shape[::-1], 0)
    picture = Image.merge("LA", (ink, Image.fromarray(255 - GRAY))).convert(mode if kind != "WEBP" else "RGBA")
    assert_close(decode(encoded(picture, kind, **({"lossless": True} if kind == "WEBP" else {}))))


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_palette_entry_is_paper(kind: str) -> None:
    black_and_nothing = Image.fromarray(np.where(GRAY > 127, 1, 0).astype(np.uint8), "P")
    black_and_nothing.putpalette([0, 0, 0, 0, 0, 0])
    assert_close(decode(encoded(black_and_nothing, kind, transparency=1)), 6, np.where(GRAY > 127, 255, 0))


def test_white_ink_on_nothing_stands_on_black() -> None:
    white = np.full((*GRAY.shape, 4), 255, np.uint8)
    white[..., 3] = 255 - GRAY
    assert_close(flatten(white), 2, 255 - GRAY)


def test_first_frame() -> None:
    frames = [Image.fromarray(GRAY), Image.fromarray(255 - GRAY)]
    assert_close(decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(("orientation", "turn"), [(3, 2), (6, 3), (8, 1)])
def test_orientation(orientation: int, turn: int, kind: str) -> None:
    upright = GRAY[:, :50]
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = np.ascontiguousarray(np.rot90(upright, -turn))
    assert_close(decode(encoded(Image.fromarray(turned), kind, exif=exif, quality=95)), 3, upright)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", png(GRAY)[:200], b"GIF89a" + bytes(20)])
def test_what_is_no_picture_is_a_sentence(data: bytes) -> None:
    with pytest.raises(ImageError, match=r"a\.png"):
        decode(data, "a.png")


def test_too_large_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIXEL_LIMIT", 1000)
    with pytest.raises(ImageError, match="72×72 pixels"):
        decode(png(GRAY), "a.png")
