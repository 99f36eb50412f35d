"""Read a picture of any common kind as gray on white paper."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from hanzi_core.errors import ImageError, ImageTooLargeError
from hanzi_core.image.png import BEGINNING, decode_png
from hanzi_core.language import mark

PIXEL_LIMIT = 60_000_000
"""About a 60-megapixel camera. A 20,000 x 20,000 picture would take 1.6 GB as RGBA."""

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
EXTENSIONS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")

_BITS_PER_SAMPLE = 258
_EXTRA_SAMPLES = 338
"""Tags of a TIFF (TIFF 6.0, 8 and 18)."""

# Our own limit stands above; Pillow's would warn at another size, and through another channel.
Image.MAX_IMAGE_PIXELS = None
# Of a broken file we say so ourselves; OpenCV would write lines of its own to the terminal.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def decode(data: bytes, name: str = "") -> NDArray[np.uint8]:
    """Read the first frame of a picture as gray.

    Transparent parts become white paper, or black where white was drawn on nothing; EXIF orientation is applied;
    16-bit depths are scaled to 8, by the highest bit in use.

    Args:
        data: A PNG, JPEG, GIF, BMP, WebP or TIFF file.
        name: How the error calls the picture.

    Returns:
        ``uint8`` of shape ``(height, width)``.

    Raises:
        ImageError: empty, no picture, or broken.
        ImageTooLargeError: above :data:`PIXEL_LIMIT`.
    """
    if not data:
        raise ImageError(mark("{name} is empty (0 bytes)."), name=name or "picture")
    try:
        # Pillow takes twice as long for PNG; what is none, and kinds with orientation, frames or CMYK, are Pillow's.
        if data.startswith(BEGINNING) and b"eXIf" not in data:
            _check_size(int.from_bytes(data[16:20]), int.from_bytes(data[20:24]), name)
            pixels = decode_png(data)
            if pixels is not None:
                return _flatten(_to_8_bit(pixels), blue_first=True)
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _check_size(picture.width, picture.height, name)
            if _is_deep_colour(picture) and (pixels := _unchanged(data)) is not None:
                return _flatten(_to_8_bit(pixels), blue_first=True)
            return _flatten(_pillow_pixels(picture), blue_first=False)
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise anything from SyntaxError to struct.error on broken files
        raise ImageError(
            mark("{name} cannot be read as a picture: use an undamaged {formats} file."),
            name=name or "picture",
            formats=", ".join(FORMATS),
        ) from error


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > PIXEL_LIMIT:
        raise ImageTooLargeError(
            mark("{name} has {width}×{height} pixels; make it smaller than {limit} megapixels."),
            name=name or "picture",
            width=width,
            height=height,
            limit=PIXEL_LIMIT // 1_000_000,
        )


def _is_deep_colour(picture: Image.Image) -> bool:
    """Whether it is a TIFF of 16 bits a colour: Pillow takes the upper byte, which scanners of 12 bits leave dark."""
    tags = getattr(picture, "tag_v2", {})
    is_premultiplied = tags.get(_EXTRA_SAMPLES) == (1,)  # OpenCV would leave it so
    return picture.mode in ("RGB", "RGBA") and 16 in tags.get(_BITS_PER_SAMPLE, ()) and not is_premultiplied


def _unchanged(data: bytes) -> NDArray | None:
    """Pixels as OpenCV reads them, oriented; ``None`` for a kind that it does not know."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def _pillow_pixels(picture: Image.Image) -> NDArray[np.uint8]:
    """Oriented pixels, ``uint8``: ``(h, w)``, or ``(h, w, 4)`` where anything is transparent."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")):
        return _to_8_bit(np.asarray(picture))
    if picture.mode == "LAB":  # Pillow turns it into no other mode, and its lightness is what gray means
        return np.asarray(picture.getchannel("L"))
    transparent = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
    return np.asarray(picture.convert("RGBA" if transparent else "L"))


def _to_8_bit(pixels: NDArray) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind == "u":
        return _highest_8_bits(pixels)
    # 32-bit TIFFs state no range of their own: the picture's own is taken.
    values = np.nan_to_num(pixels.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1 and pixels.dtype.kind == "f":
        return np.rint(values * 255).astype(np.uint8)
    if low >= 0 and high <= 255:
        return values.astype(np.uint8)
    if low >= 0 and high <= 65535:
        bits = int(high).bit_length()
        return (values / (257 if bits == 16 else 1 << bits - 8)).astype(np.uint8)
    return ((values - low) * (255 / ((high - low) or 1.0))).astype(np.uint8)


def _highest_8_bits(pixels: NDArray) -> NDArray[np.uint8]:
    """16-bit levels by the highest bit in use: cameras and scanners leave 10 or 12 bits at the lower end."""
    if pixels.ndim == 3 and pixels.shape[2] == 4 and pixels[:, :, 3].min() == 65535:
        pixels = pixels[:, :, :3]  # an alpha that hides nothing says nothing about the depth of the colours
    bits = int(pixels.max()).bit_length()
    if bits == 16 and pixels.dtype == ">u2":  # as ever, so that what was scanned before stays the same picture
        return (pixels / 257).astype(np.uint8)
    return (pixels >> max(0, bits - 8)).astype(np.uint8)


def flatten(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gray on paper from ``uint8`` pixels ``(h, w)``, ``(h, w, 3)`` RGB or ``(h, w, 4)`` RGBA, as from a canvas."""
    return _flatten(pixels, blue_first=False)


def _flatten(pixels: NDArray[np.uint8], blue_first: bool) -> NDArray[np.uint8]:
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    to_gray = cv2.COLOR_BGR2GRAY if blue_first else cv2.COLOR_RGB2GRAY
    if pixels.shape[2] == 2:
        gray, alpha = pixels[:, :, 0], pixels[:, :, 1]
    elif pixels.shape[2] == 3:
        return cv2.cvtColor(pixels, to_gray)
    else:
        gray, alpha = cv2.cvtColor(np.ascontiguousarray(pixels[:, :, :3]), to_gray), pixels[:, :, 3]
    return _on_paper(gray, alpha)


def _on_paper(gray: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Composite on white by alpha; on black if white hides what is drawn (white ink on a transparent ground)."""
    if alpha.min() == 255:
        return gray
    opaque = alpha >= 128
    on_white = cv2.convertScaleAbs(255 - (255 - gray.astype(np.float32)) * (alpha.astype(np.float32) / 255))
    if opaque.any() and float(gray[opaque].mean()) > 200 and np.ptp(on_white) < 60:
        return cv2.convertScaleAbs(gray.astype(np.float32) * (alpha.astype(np.float32) / 255))
    return on_white
