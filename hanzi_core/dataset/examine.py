"""One look at a picture: read, hash, decode, normalise and compress it, and say what is wrong with it.

Everything that costs time a picture is here; what can be done for many pictures together is.
"""

import hashlib
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hanzi_core.dataset.entry import Source
from hanzi_core.dataset.likeness import likenesses
from hanzi_core.dataset.manifest import Fault
from hanzi_core.dataset.pack_file import Frames, compress
from hanzi_core.errors import DatasetError, HanziError, ImageError, ImageTooLargeError
from hanzi_core.image.decode import EXTENSIONS
from hanzi_core.image.normalise import IMAGE_SIZE_PX, is_blank, read_ink
from hanzi_core.image.synthetic import is_synthetic

FACTS = pa.schema(
    [
        ("width_px", pa.int32()),
        ("height_px", pa.int32()),
        ("digest", pa.string()),
        ("likeness", pa.string()),
        ("ink_is_light", pa.bool_()),
        ("ink_coverage", pa.float32()),
        ("synthetic", pa.bool_()),
        ("fault", pa.string()),
    ]
)
"""What a picture itself tells; columns of the manifest."""

UNKNOWN = {
    "width_px": 0,
    "height_px": 0,
    "digest": "",
    "likeness": "",
    "ink_is_light": False,
    "ink_coverage": 0.0,
    "synthetic": False,
    "fault": "",
}
"""The facts of a picture that was not read."""


class Examined(NamedTuple):
    """Some pictures: a row of facts and a frame of the pack for each."""

    facts: pa.RecordBatch
    frames: Frames


class _Seen(NamedTuple):
    width_px: int = 0
    height_px: int = 0
    digest: str = ""
    ink_is_light: bool = False
    synthetic: bool = False
    fault: str = ""


def examine(source: Source, paths: list[str]) -> Examined:
    """Facts and frames of the pictures at ``paths``."""
    pictures = np.zeros((len(paths), IMAGE_SIZE_PX, IMAGE_SIZE_PX), np.uint8)
    seen = [_look(source, path, picture) for path, picture in zip(paths, pictures, strict=True)]
    width, height, digest, is_light, synthetic, fault = map(list, zip(*seen, strict=True))
    has_ink = np.count_nonzero(pictures, axis=(1, 2)) > 0
    hashes = [each if inked else "" for each, inked in zip(likenesses(pictures), has_ink, strict=True)]
    coverage = np.count_nonzero(pictures > 127, axis=(1, 2)) / IMAGE_SIZE_PX**2
    columns = [width, height, digest, hashes, is_light, coverage.astype(np.float32), synthetic, fault]
    facts = [pa.array(column, field.type) for column, field in zip(columns, FACTS, strict=True)]
    return Examined(pa.RecordBatch.from_arrays(facts, schema=FACTS), compress(pictures))


def _look(source: Source, path: str, picture: NDArray[np.uint8]) -> _Seen:
    """Read one picture, and put its normalised form into ``picture``."""
    digest = ""
    try:
        data = source.read(path)
        if not data:
            return _Seen(fault=Fault.EMPTY.value)
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        gray = source.decode(data, path)
    except (DatasetError, ImageError) as error:
        return _Seen(digest=digest, fault=_fault_of(error, source.kind, path).value)
    height, width = gray.shape
    ink = read_ink(gray)
    picture[:] = ink.picture
    if is_blank(ink.picture):
        return _Seen(width, height, digest, fault=Fault.BLANK.value)
    return _Seen(width, height, digest, ink.is_light, is_synthetic(data))


def _fault_of(error: HanziError, kind: str, path: str) -> Fault:
    """What hinders a picture of a source of this ``kind`` from being read."""
    if isinstance(error, ImageTooLargeError):
        return Fault.TOO_LARGE
    if isinstance(error, DatasetError):
        return Fault.GONE
    is_picture = kind == "gnt" or path.lower().endswith(EXTENSIONS)
    return Fault.UNREADABLE if is_picture else Fault.NOT_A_PICTURE
