"""Collections of real files in every form that the product reads."""

import io
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hanzi_core.dataset import Dataset, ImportConfig, import_dataset
from hanzi_core.workspace import Workspace
from tests.handwriting import draw


def silent(_phase: str, _done: int, _total: int) -> None:
    """A report that nobody reads."""


@contextmanager
def full_disk(file_bytes: int) -> Iterator[None]:
    """Let no file grow beyond ``file_bytes``: the system then refuses to write as it does on a full disk."""
    resource = pytest.importorskip("resource", reason="limits the size of files as Linux and macOS do")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def png(picture: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", picture)[1])


def drawn(character: str, seed: int, side_px: int = 72) -> NDArray[np.uint8]:
    return draw(character, np.random.default_rng(seed), side_px)


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def record(character: str, picture: NDArray[np.uint8]) -> bytes:
    """A record as CASIA-HWDB has it."""
    tag = character.encode("gb18030").ljust(2, b"\0")
    height, width = picture.shape
    return struct.pack("<I2sHH", 10 + width * height, tag, width, height) + picture.tobytes()


def write_gnt(path: Path, characters: str, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(record(each, drawn(each, seed + place)) for place, each in enumerate(characters)))
    return path


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def write_zip(path: Path, files: dict[str, bytes], encoding: str = "utf-8") -> Path:
    """A zip; with ``gbk`` its names are written as packers on Chinese Windows do, without a word about it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name if encoding == "utf-8" else name.encode(encoding).decode("cp437"))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    if encoding != "utf-8":
        _forget_utf8(path)
        assert zipfile.ZipFile(path).testzip() is None
    return path


def _forget_utf8(path: Path) -> None:
    """Write names in code page 437 and clear flag bit 11; zipfile itself always says UTF-8 for them."""
    with zipfile.ZipFile(path) as archive:
        contents = [(info.filename, archive.read(info)) for info in archive.infolist()]

    class Unsaid(zipfile.ZipInfo):
        def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
            return self.filename.encode("cp437"), 0

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents:
            archive.writestr(Unsaid(name), content)


def imported(workspace: Workspace, location: Path, name: str = "set", **values: object) -> Dataset:
    return import_dataset(workspace, ImportConfig(location=location, name=name, **values), silent)
