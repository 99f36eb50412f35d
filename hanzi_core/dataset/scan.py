"""Look at every file of a collection once: decode it, hash it, measure its ink, name what is wrong with it."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from os import cpu_count
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hanzi_core.dataset.manifest import Fault
from hanzi_core.dataset.source import Entry, Source
from hanzi_core.errors import DatasetError, ImageError
from hanzi_core.image.decode import EXTENSIONS, decode
from hanzi_core.image.normalise import extract_ink, ink_is_light
from hanzi_core.language import mark

Report = Callable[[str, int, int], None]
"""Called with phase, done and total; raises to stop the work."""

SCANNING = mark("Reading pictures")
_BATCH = 512


def scan(source: Source, report: Report) -> pd.DataFrame:
    """Make the manifest of ``source``, rows in the order of their paths.

    Raises:
        DatasetError: there are no pictures in it.
    """
    entries = list(source.entries())
    if not entries:
        raise DatasetError(mark("{path} holds no files: put one folder a character into it."), path=source.location)
    rows: list[dict[str, Any]] = []
    cv2.setNumThreads(1)  # a picture is too small to share; pictures are shared instead
    with ThreadPoolExecutor(cpu_count()) as threads:
        for batch in _batches(iter(entries)):
            rows.extend(threads.map(lambda entry: _examine(source, entry), batch))
            report(SCANNING, len(rows), len(entries))
    manifest = pd.DataFrame(rows).astype({"width_px": "int32", "height_px": "int32", "ink_coverage": "float32"})
    _check_usable(manifest, source)
    return manifest


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while batch := list(islice(entries, _BATCH)):
        yield batch


def _check_usable(manifest: pd.DataFrame, source: Source) -> None:
    readable = manifest[manifest["fault"] == ""]
    if not readable.empty:
        return
    if (manifest["fault"] == Fault.NO_LABEL).any():
        raise DatasetError(
            mark("The pictures in {path} lie in no folders: put each into a folder named by its character."),
            path=source.location,
        )
    raise DatasetError(mark("{path} holds no picture that can be read."), path=source.location)


def _examine(source: Source, entry: Entry) -> dict[str, Any]:
    row = {
        "path": entry.path,
        "label": entry.label,
        "size_bytes": entry.size_bytes,
        "modified_ns": entry.modified_ns,
        "given_part": entry.part,
        "excluded": False,
    }
    return row | _facts(source, entry)


def _facts(source: Source, entry: Entry) -> dict[str, Any]:
    try:
        data = source.read(entry.path)
    except DatasetError:
        return _measure(None, b"", Fault.UNREADABLE)
    if not data:
        return _measure(None, data, Fault.EMPTY)
    try:
        gray = decode(data, entry.path)
    except ImageError:
        named_as_picture = entry.path.lower().endswith(EXTENSIONS)
        return _measure(None, data, Fault.UNREADABLE if named_as_picture else Fault.NOT_A_PICTURE)
    return _measure(gray, data, "" if entry.label else Fault.NO_LABEL)


def _measure(gray: NDArray[np.uint8] | None, data: bytes, fault: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "width_px": 0,
        "height_px": 0,
        "digest": hashlib.blake2b(data, digest_size=16).hexdigest(),
        "ink_is_light": False,
        "ink_coverage": 0.0,
        "fault": str(fault),
    }
    if gray is None:
        return facts
    ink = extract_ink(gray)
    facts["height_px"], facts["width_px"] = gray.shape
    facts["ink_is_light"] = ink_is_light(gray)
    facts["ink_coverage"] = float((ink > 127).mean())
    if not fault and not ink.any():
        facts["fault"] = str(Fault.BLANK)
    return facts
