"""Bring a collection into the workspace: all of it, or nothing."""

import os
import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.dataset.archive import ZipLimits
from hanzi_core.dataset.faults import with_exclusions
from hanzi_core.dataset.labels import SIZE_LIMIT_BYTES
from hanzi_core.dataset.listing import Report
from hanzi_core.dataset.manifest import SPLIT_PREFIX, readable_digests, write_manifest
from hanzi_core.dataset.pack_file import clear_others, pack_path
from hanzi_core.dataset.scan import scan
from hanzi_core.dataset.source import open_source
from hanzi_core.dataset.split import SplitSettings, assign_parts, check_pattern
from hanzi_core.dataset.store import (
    CORRECTIONS,
    MANIFEST,
    PACKS,
    PICTURES,
    UPLOAD,
    Dataset,
    describe,
    lay_down,
)
from hanzi_core.dataset.upload import drop_upload
from hanzi_core.errors import DatasetError
from hanzi_core.image.normalise import IMAGE_SIZE_PX
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, check_name, new_folder, replace_file, sweep, writing

_BUILDING = ".import"


class ImportConfig(BaseModel):
    """What to bring in, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: Path = Field(description="Folder, zip or .gnt file on this machine; read in place and left as it is.")
    name: str = Field(description="Name of the new dataset.")
    label_list: Path | None = Field(None, description="CSV, JSON or TXT that says which character a file or folder is.")
    split: SplitSettings = Field(default_factory=SplitSettings, description="How to divide it.")
    limits: ZipLimits = Field(default_factory=ZipLimits, description="What a zip may ask of us.")
    take: bool = Field(False, description="Nobody else keeps it, as an upload: take it over, with its label list.")


def import_dataset(workspace: Workspace, config: ImportConfig, report: Report) -> Dataset:
    """Scan the collection and divide it.

    Raises:
        DatasetError: the name is taken or reserved, or the collection cannot be used; nothing half-made is left.
        WorkspaceError: the disk is full or not writable.
    """
    try:
        target = free_place(workspace, config.name)
        sweep(workspace.datasets)
        with writing(workspace.datasets), new_folder(workspace.datasets, _BUILDING) as building:
            _build(building, config, report)
            _claim(building, target)
    except BaseException:
        _drop_uploads(workspace, config)
        raise
    dataset = Dataset(target)
    if config.take:
        take_over(dataset, config.location)
        _drop_uploads(workspace, config)
    return dataset


def _build(building: Path, config: ImportConfig, report: Report) -> None:
    source = open_source(config.location, config.limits)
    if config.split.writer_pattern:  # now, not when all is read
        check_pattern((entry.path for entry in source.entries()), config.split.writer_pattern)
    label_list = _read_label_list(config.label_list)
    name = None
    if label_list is not None:
        name = "labels" + Path(label_list[0]).suffix.lower()
        replace_file(building / name, label_list[1])
    manifest = scan(source, report, label_list, packs=building / PACKS)
    lay_down(building, manifest, describe(source, str(source.location), config.limits, name), config.split)


def usual_name(location: Path) -> str:
    """What a dataset is called that nobody names: like its folder, or its file without ending."""
    place = Path(os.path.abspath(location))  # noqa: PTH100  “.” and “..” have no names; a link keeps its own
    return place.name if place.is_dir() else place.stem


def is_made_of(dataset: Dataset, location: Path) -> bool:
    """Whether it reads what lies at ``location``, or has taken it over from there."""
    description = dataset.description
    return str(location) in (description["location"], description.get("taken_from"))


def take_over(dataset: Dataset, location: Path) -> None:
    """Move the pictures into their dataset, which has its name by now: no failure may clear them away with it.

    Again after an interruption, it does what is left of it.

    Raises:
        WorkspaceError: they cannot be moved; the dataset reads them where they are.
    """
    taken = UPLOAD if location.is_file() else PICTURES
    with writing(dataset.folder):
        if location.exists():
            shutil.move(location, dataset.folder / taken)
        dataset.change_description(location=taken, taken_from=str(location))


def _read_label_list(path: Path | None) -> tuple[str, bytes] | None:
    if path is None:
        return None
    try:
        if path.stat().st_size > SIZE_LIMIT_BYTES:
            raise DatasetError(mark("{path} is too large for a label list."), path=path)
        return path.name, path.read_bytes()
    except OSError as error:
        raise DatasetError(mark("The label list {path} cannot be read: check the path."), path=path) from error


def _drop_uploads(workspace: Workspace, config: ImportConfig) -> None:
    """Uploads live no longer than their import; a zip that became part of the dataset has moved already.

    A folder that could not be taken over is left: it holds what is not worth doing twice.
    """
    if config.take and not config.location.is_dir():
        for upload in filter(None, (config.location, config.label_list)):
            drop_upload(workspace, upload)


def free_place(workspace: Workspace, name: str) -> Path:
    """Where a new dataset called ``name`` will lie.

    Raises:
        DatasetError: the name is taken, or kept for the corrections.
        WorkspaceError: it cannot be a name.
    """
    target = workspace.datasets / check_name(name)
    if target.name.casefold() == CORRECTIONS.casefold():  # one folder on systems that do not tell case
        raise DatasetError(mark("The dataset “{name}” is made of corrections: choose another name."), name=CORRECTIONS)
    _check_free(target)
    return target


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
    """Read what has changed in the dataset's source, and divide it anew with the settings of each of its splits.

    What the user excluded stays excluded; so does every split where nothing has changed. A second scan of the same
    dataset waits for the first.

    Raises:
        DatasetError: the source has gone, or holds no picture any more; the old manifest stays. Or the dataset was
            deleted meanwhile.
    """
    packs = dataset.folder / PACKS
    with writing(packs), dataset.locked("scan"):
        previous = dataset.manifest()
        manifest = scan(dataset.source(), report, dataset.label_list(), previous, packs)
        scanned = manifest.columns.drop("excluded")  # by kinds of faults, which are the same if all else is
        if manifest[scanned].equals(previous[scanned]):
            return dataset
        with dataset.changing():
            chosen = dataset.excluded_by_hand()  # of now, for the user may have gone on choosing during the scan
            manifest["excluded_by_hand"] = manifest["path"].isin(chosen)
            dataset.change_description(excluded_away=sorted(chosen.difference(manifest["path"])))
            manifest = with_exclusions(manifest, dataset.excluded_kinds())
            for name, settings in dataset.splits().items():
                manifest[SPLIT_PREFIX + name] = assign_parts(manifest, settings)
            write_manifest(manifest, dataset.folder / MANIFEST)
        clear_others(pack_path(packs, readable_digests(manifest), IMAGE_SIZE_PX))
    return dataset
