"""Uploads: files that a browser sent, in a folder of the workspace until an import takes them over."""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import BinaryIO

from hanzi_core.dataset.store import list_datasets
from hanzi_core.errors import DatasetError, WorkspaceError
from hanzi_core.jobs import list_jobs
from hanzi_core.workspace import Workspace, check_name, writing

_PREFIX = ".upload-"
_FORGOTTEN_S = 3600.0
"""An upload that has no job and has not grown for this long will never have one."""
_STEM_BYTES = 60


@contextmanager
def kept_uploads(workspace: Workspace, files: Sequence[tuple[str, BinaryIO]]) -> Iterator[list[Path]]:
    """Files under their own names, which sentences about them show; they are left to the import that starts within.

    Raises:
        WorkspaceError: no space is left. Nothing stays behind, whatever fails within.
    """
    with writing(workspace.datasets):
        folder = Path(tempfile.mkdtemp(dir=workspace.datasets, prefix=_PREFIX))
    try:
        yield [_keep(folder / _plain(name), file) for name, file in files]
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _keep(path: Path, file: BinaryIO) -> Path:
    with writing(path.parent), path.open("xb") as kept:
        shutil.copyfileobj(file, kept)
    return path


def _plain(name: str) -> str:
    """A name that a browser gave as every system can hold it, and without the folders that it may lead to."""
    last = PurePath(re.sub(r"[^\w .+()-]", "_", re.split(r"[/\\]", name)[-1]))
    try:
        return check_name(last.stem.encode()[:_STEM_BYTES].decode(errors="ignore") + last.suffix)
    except WorkspaceError:
        return f"upload{last.suffix}"


def drop_upload(workspace: Workspace, path: Path) -> None:
    """Remove an upload, unless a dataset reads it where it is: its import was killed before it had moved it."""
    if path not in _read_in_place(workspace):
        path.unlink(missing_ok=True)
        if path.parent.name.startswith(_PREFIX):
            with suppress(OSError):  # there is another one in it
                path.parent.rmdir()


def sweep_uploads(workspace: Workspace) -> None:
    """Clear away the uploads that no import will take over any more, for a process was killed."""
    active = [job for job in list_jobs(workspace, "import") if job.status().state.is_active]
    used = {Path(job.config["location"]) for job in active} | _read_in_place(workspace)
    for place in workspace.datasets.glob(f"{_PREFIX}*"):
        if any(place in (path, *path.parents) for path in used):
            continue
        with suppress(FileNotFoundError):  # somebody else clears it away too
            if _age_s(place) > _FORGOTTEN_S:
                _remove(place)


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink()


def _age_s(place: Path) -> float:
    return time.time() - max(path.stat().st_mtime for path in (place, *place.glob("*")))


def _read_in_place(workspace: Workspace) -> set[Path]:
    found = set()
    for dataset in list_datasets(workspace):
        with suppress(DatasetError):  # a damaged one reads nothing
            found.add(Path(dataset.description["location"]))
    return found
