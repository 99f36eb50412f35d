"""Bring a collection into the workspace: all of it, or nothing."""

import os
import shutil
import tempfile
from pathlib import Path

from hanzi_core.dataset.manifest import write_manifest
from hanzi_core.dataset.scan import Report, scan
from hanzi_core.dataset.source import open_source
from hanzi_core.dataset.split import SplitSettings
from hanzi_core.dataset.store import DESCRIPTION, MANIFEST, UPLOAD, Dataset, describe
from hanzi_core.errors import DatasetError
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, check_name, replace_json, writing


def import_dataset(
    workspace: Workspace,
    location: Path,
    name: str,
    split: SplitSettings,
    report: Report,
    *,
    take: bool = False,
) -> Dataset:
    """Scan the folder or zip at ``location`` and divide it.

    Args:
        workspace: Where the dataset will live.
        location: A folder or zip; read in place and left as it is.
        name: Of the dataset; must be free.
        split: How to divide it.
        report: Told how far it is.
        take: The zip at ``location`` is an upload that nobody else keeps: it moves into the dataset, or goes with it.

    Raises:
        DatasetError: the name is taken, or the collection cannot be used; nothing half-made is left.
        WorkspaceError: the disk is full or not writable.
    """
    target = workspace.datasets / check_name(name)
    _check_free(target)
    source = open_source(location)
    with writing(workspace.datasets):
        building = Path(tempfile.mkdtemp(dir=workspace.datasets, prefix=".import-"))
    try:
        write_manifest(scan(source, report), building / MANIFEST)
        replace_json(building / DESCRIPTION, describe(source, UPLOAD if take else str(source.location)))
        Dataset(building).split(split)
        if take:
            shutil.move(location, building / UPLOAD)
        _claim(building, target)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        if take:
            location.unlink(missing_ok=True)
        raise
    return Dataset(target)


def _check_free(target: Path) -> None:
    if target.exists():
        raise DatasetError(mark("There is already a dataset “{name}”: choose another name."), name=target.name)


def _claim(building: Path, target: Path) -> None:
    """Give the finished folder its name; of two imports under one name the second is refused here."""
    try:
        os.rename(building, target)  # noqa: PTH104  fails on a folder with content, which is what we want
    except OSError as error:
        _check_free(target)
        raise error


def rescan(dataset: Dataset, report: Report) -> Dataset:
    """Read the dataset's source again and divide it anew with the settings of each of its splits.

    Raises:
        DatasetError: the source has gone, or holds no picture any more; the old manifest stays.
    """
    manifest = scan(dataset.source(), report)
    write_manifest(manifest, dataset.folder / MANIFEST)
    for settings in dataset.splits().values():
        dataset.split(settings)
    return dataset
