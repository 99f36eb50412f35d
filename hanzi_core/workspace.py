"""The folder that holds all that the product makes: datasets, jobs and models. Nothing is ever written elsewhere."""

import errno
import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from hanzi_core.errors import WorkspaceError
from hanzi_core.language import mark

ENVIRONMENT_VARIABLE = "HANZI_WORKSPACE"
NAME_LENGTH_LIMIT = 80
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where no space is left to write."""

LEAVING = ".deleted-"
"""What the name of a folder that is being deleted begins with."""
_WINDOWS_RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)),
}


@dataclass(frozen=True)
class Workspace:
    """A workspace folder and the places in it."""

    root: Path

    @classmethod
    def open(cls, root: Path | str | None = None) -> "Workspace":
        """The workspace at ``root``, else at ``$HANZI_WORKSPACE``, else ``./workspace``; made where it is missing.

        Raises:
            WorkspaceError: there can be no such folder, or it cannot be made or written.
        """
        path = named_path(root or os.environ.get(ENVIRONMENT_VARIABLE) or "workspace")
        workspace = cls(path)
        with writing(path):
            for folder in (workspace.datasets, workspace.jobs, workspace.models):
                folder.mkdir(parents=True, exist_ok=True)
        return workspace

    @property
    def datasets(self) -> Path:
        """One folder a dataset."""
        return self.root / "datasets"

    @property
    def jobs(self) -> Path:
        """One folder a job; a run is a job that trains."""
        return self.root / "jobs"

    @property
    def models(self) -> Path:
        """Model bundles that were brought in from outside."""
        return self.root / "models"


def named_path(path: Path | str) -> Path:
    """A path as a person writes it, absolute; what begins with ``~`` lies in a home.

    Raises:
        WorkspaceError: nobody has that home, or no system can have that path.
    """
    try:
        if "\0" in str(path):
            raise ValueError(path)
        return Path(path).expanduser().absolute()
    except (RuntimeError, ValueError) as error:
        raise WorkspaceError(
            mark("Nothing is at {path} on this server: check the path."), path=_escaped(str(path))
        ) from error


def _escaped(text: str) -> str:
    """``text`` with escapes for what UTF-8 cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def fits_every_system(name: str) -> bool:
    """Whether any system can have a folder called ``name``: one step of a path that can be seen, and no device."""
    sound = name.isprintable() and not re.search(r'[<>:"/\\|?*]', name) and not name.startswith(".")
    return bool(name) and sound and not name.endswith(".") and name.partition(".")[0].lower() not in _WINDOWS_RESERVED


def check_name(name: str) -> str:
    """``name`` trimmed and in NFC, if it can name a folder on every system; letters of any script are welcome.

    Raises:
        WorkspaceError: it cannot.
    """
    clean = unicodedata.normalize("NFC", name).strip()
    fits = re.fullmatch(r"\w[\w .+()-]*", clean) and len(clean.encode()) <= NAME_LENGTH_LIMIT
    if not fits or not fits_every_system(clean):
        raise WorkspaceError(
            mark("“{name}” cannot be a name: use letters, digits, spaces, dots and hyphens, {limit} bytes at most."),
            name=clean[:40],
            limit=NAME_LENGTH_LIMIT,
        )
    return clean


def no_space(place: Path) -> WorkspaceError:
    """What to tell of a full disk."""
    return WorkspaceError(mark("No space is left on the disk of {place}: free some, then try again."), place=place)


def cannot_be_read(place: Path) -> WorkspaceError:
    """What to tell of a file of ours that the disk does not let us read."""
    return WorkspaceError(mark("{path} cannot be read: check its permissions."), path=place)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn the system's refusals to write at ``place`` into a sentence.

    Raises:
        WorkspaceError: no space left, no permission, a read-only disk, no such place.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK:
            raise no_space(place) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise WorkspaceError(mark("{place} cannot be written: check its permissions."), place=place) from error
        raise WorkspaceError(
            mark("{place} cannot be written ({reason}): name another place."), place=place, reason=error.strerror
        ) from error


def let_go(folder: Path) -> None:
    """Delete ``folder``, out of sight in one step: what is written into it meanwhile would keep half of it.

    Raises:
        WorkspaceError: the disk does not let us; it stays whole.
    """
    leaving = folder.with_name(f"{LEAVING}{time.time_ns()}")
    with writing(folder):
        folder.rename(leaving)
    shutil.rmtree(leaving, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Clear away what :func:`let_go` left below ``parent`` when its process was killed."""
    for folder in parent.glob(f"{LEAVING}*"):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder below ``parent``, named ``name`` and on, for what gets its own name once it is whole.

    Nothing half-made stays: neither of this one if it fails, nor of one whose process was killed on this machine.
    """
    # Machines of a cluster differ at the end of a long name.
    owned = f"{name}-{hashlib.blake2b(socket.gethostname().encode(), digest_size=6).hexdigest()}"
    for found in parent.iterdir():
        other = re.fullmatch(rf"{re.escape(owned)}-(\d+)-\w+", found.name)
        if other and not psutil.pid_exists(int(other[1])):
            shutil.rmtree(found, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=f"{owned}-{os.getpid()}-"))
    folder.chmod(0o755)  # a temporary folder is its owner's alone; a workspace may be shared
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` in one step: a reader sees the old or the new, never half.

    Without ``durable`` a machine that goes down may leave an empty file; thousands are written in a fifth of the time.

    Raises:
        WorkspaceError: the disk is full or does not let us; the old file stays.
    """
    with writing(path):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            Path(temporary).chmod(0o644)  # a temporary file is its owner's alone; a workspace may be shared
            os.replace(temporary, path)  # noqa: PTH105  the atomic one, by its own name
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def replace_file(path: Path, content: bytes | memoryview, durable: bool = True) -> None:
    """:func:`replacing` for content that is there already.

    Raises:
        WorkspaceError: the disk is full or does not let us; the old file stays.
    """
    with replacing(path, durable) as file:
        file.write(content)


def replace_json(path: Path, value: Any) -> None:
    """:func:`replace_file` for a JSON value.

    Raises:
        WorkspaceError: as there; or a text in it cannot be written, as what was typed in another encoding.
    """
    try:
        data = json.dumps(value, ensure_ascii=False, indent=1).encode()
    except UnicodeEncodeError as error:
        text = error.object[error.start :].partition('"')[0]
        raise WorkspaceError(
            mark("“{text}” is in a wrong encoding: give it in UTF-8."),
            text=_escaped(text),
        ) from error
    replace_file(path, data)
