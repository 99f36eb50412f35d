"""A dataset in a workspace: its description, its manifest and its splits."""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.dataset.archive import ZipLimits
from hanzi_core.dataset.entry import Source
from hanzi_core.dataset.faults import with_exclusions
from hanzi_core.dataset.manifest import (
    SPLIT_PREFIX,
    Fault,
    damaged_manifest,
    only_to_train_on,
    read_manifest,
    usable,
    write_manifest,
)
from hanzi_core.dataset.source import open_source
from hanzi_core.dataset.split import Part, SplitSettings, assign_parts, place_synthetic
from hanzi_core.dataset.written import WRITTEN, WithWritten
from hanzi_core.errors import DatasetError, HanziError
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, check_name, let_go, replace_json, writing

DESCRIPTION = "dataset.json"
MANIFEST = "manifest.parquet"
UPLOAD = "upload.zip"
PACKS = "packs"
PICTURES = "pictures"
"""Files and folders that are the dataset's own."""
CORRECTIONS = "Corrections"
"""Name of the dataset that the workspace's own corrections make; no other dataset may take it."""


class _Description(BaseModel):
    """What the description of a dataset must hold, and may; one that does not is damaged."""

    model_config = ConfigDict(frozen=True)

    location: str
    splits: dict[str, SplitSettings] = Field(min_length=1)
    limits: ZipLimits = Field(default_factory=ZipLimits)
    label_list: str | None = None
    excluded_kinds: tuple[Fault, ...] = ()
    excluded_away: tuple[str, ...] = ()
    taken_from: str | None = None


@dataclass(frozen=True)
class Dataset:
    """A dataset by its folder; everything else is read from there at each call."""

    folder: Path

    @classmethod
    def find(cls, workspace: Workspace, name: str) -> "Dataset":
        """The dataset called ``name``.

        Raises:
            DatasetError: there is none.
        """
        dataset = cls(workspace.datasets / check_name(name))
        dataset._check_there()
        return dataset

    @property
    def _is_there(self) -> bool:
        return self.folder.is_dir()

    def _check_there(self) -> None:
        if not self._is_there:
            raise DatasetError(mark("There is no dataset “{name}”: import it first."), name=self.name)

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @property
    def description(self) -> dict[str, Any]:
        """Source, time of import and the settings of each split.

        Raises:
            DatasetError: it is damaged.
        """
        try:
            content = (self.folder / DESCRIPTION).read_bytes()
            _Description.model_validate_json(content)
            return dict(json.loads(content))
        except (OSError, ValueError) as error:
            raise self._damaged() from error

    def _damaged(self) -> DatasetError:
        if self.name == CORRECTIONS:
            return DatasetError(
                mark("The dataset “{name}” is damaged: the next correction makes it anew of all pictures in it."),
                name=self.name,
            )
        return DatasetError(mark("The dataset “{name}” is damaged: import it again."), name=self.name)

    def source(self) -> Source:
        """Where its pictures are.

        Raises:
            DatasetError: they have been moved away.
        """
        description = self.description
        location = Path(description["location"])
        limits = ZipLimits(**description.get("limits", {}))
        source = open_source(location if location.is_absolute() else self.folder / location, limits)
        return WithWritten(source, self.written) if self.written.is_dir() else source

    @property
    def written(self) -> Path:
        """Where the simulated hand's pictures for this dataset lie, if there are any."""
        return self.folder / WRITTEN

    def label_list(self) -> tuple[str, bytes] | None:
        """Name and content of the label list that was given at the import, if one was.

        Raises:
            DatasetError: it has gone.
        """
        name = self.description.get("label_list")
        try:
            return (name, (self.folder / name).read_bytes()) if name else None
        except OSError as error:
            raise self._damaged() from error

    def manifest(self, columns: list[str] | None = None) -> pd.DataFrame:
        """One row a picture, all columns or some; see :mod:`hanzi_core.dataset.manifest`."""
        return read_manifest(self.folder / MANIFEST, columns)

    def excluded_kinds(self) -> set[Fault]:
        """The kinds of faults whose pictures are excluded."""
        return {Fault(kind) for kind in self.description.get("excluded_kinds", [])}

    def excluded_by_hand(self) -> set[str]:
        """The paths that the user excluded one by one; also of pictures that were away at the last scan."""
        manifest = self.manifest(["path", "excluded_by_hand"])
        return {*manifest.loc[manifest["excluded_by_hand"], "path"], *self.description.get("excluded_away", [])}

    def exclude(self, kinds: Iterable[Fault], paths: Iterable[str]) -> None:
        """Exclude exactly the pictures with a fault of these ``kinds`` and those at ``paths``; no file is touched.

        Splits stay as they are but for these pictures; one that comes back without a part makes them anew.
        """
        chosen = set(kinds)
        with self.changing():
            manifest = self.manifest()
            manifest["excluded_by_hand"] = manifest["path"].isin(set(paths))
            manifest = with_exclusions(manifest, chosen)
            for name in self.splits():
                manifest[SPLIT_PREFIX + name] = place_synthetic(manifest, manifest[SPLIT_PREFIX + name])
            write_manifest(manifest, self.folder / MANIFEST)
            self.change_description(excluded_kinds=sorted(kind.value for kind in chosen))
        for name, settings in self.splits().items():
            if (manifest.loc[usable(manifest) & ~only_to_train_on(manifest), SPLIT_PREFIX + name] == "").any():
                self.split(settings)

    @property
    def manifest_time(self) -> float:
        """When the manifest last changed: a page may keep what it made of it until then.

        Raises:
            DatasetError: it is missing.
        """
        path = self.folder / MANIFEST
        try:
            return path.stat().st_mtime
        except OSError as error:
            raise damaged_manifest(path) from error

    def splits(self) -> dict[str, SplitSettings]:
        """The settings of each split by its name."""
        return {name: SplitSettings(**settings) for name, settings in self.description["splits"].items()}

    def parts(self, split: str, manifest: pd.DataFrame | None = None) -> pd.Series:
        """The part of each row in ``split``, as a ``manifest`` has it that was read before, if it is given.

        A scan may change rows and parts between two readings.

        Raises:
            DatasetError: there is no such split, or the manifest lacks it.
        """
        column = SPLIT_PREFIX + split
        if split not in self.splits():
            raise DatasetError(mark("The dataset “{name}” has no split “{split}”."), name=self.name, split=split)
        if manifest is None:
            manifest = self.manifest([column, "fault", "excluded"])
        if column not in manifest:
            raise damaged_manifest(self.folder / MANIFEST)
        return manifest[column].where(usable(manifest), "")

    def split(self, settings: SplitSettings) -> pd.Series:
        """Divide it, keep the outcome as the split ``settings.name``, and return the part of each row."""
        name = check_name(settings.name)
        with self.changing():
            manifest = self.manifest()
            parts = assign_parts(manifest, settings)
            manifest[SPLIT_PREFIX + name] = parts
            write_manifest(manifest, self.folder / MANIFEST)
            self.change_description(splits={**self.description["splits"], name: settings.model_dump()})
        return parts

    def delete_split(self, name: str) -> None:
        """Forget a split; the last one stays.

        Raises:
            DatasetError: there is no such split, or no other.
        """
        with self.changing():
            splits = self.description["splits"]
            if name not in splits or len(splits) == 1:
                raise DatasetError(
                    mark("The split “{split}” of “{name}” cannot be deleted: it is the only one, or not there."),
                    split=name,
                    name=self.name,
                )
            self.change_description(splits={other: splits[other] for other in splits if other != name})
            write_manifest(self.manifest().drop(columns=SPLIT_PREFIX + name), self.folder / MANIFEST)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change manifest and description alone: who else wants to, in this process or another, waits.

        Raises:
            DatasetError: the dataset has been deleted.
        """
        with self.locked("change"):
            yield

    @contextmanager
    def locked(self, work: str) -> Iterator[None]:
        """Do this kind of ``work`` alone: who else wants to, in this process or another, waits.

        Raises:
            DatasetError: the dataset has been deleted.
            WorkspaceError: this user may not write there.
        """
        self._check_there()  # or the lock would make the folder again
        with self.in_use():
            with writing(self.folder):
                held = FileLock(self.folder / f".{work}.lock").acquire()
            with held:
                yield

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Say of whatever goes wrong because the dataset is deleted meanwhile that this is why.

        Raises:
            DatasetError: it has been deleted.
        """
        try:
            yield
        except (OSError, HanziError) as error:
            if self._is_there:
                raise
            raise DatasetError(
                mark("The dataset “{name}” was deleted while it was in use: import it again."), name=self.name
            ) from error

    def change_description(self, **values: Any) -> None:
        """Replace some values of the description, in one step."""
        replace_json(self.folder / DESCRIPTION, {**self.description, **values})

    def delete(self) -> None:
        """Remove it from the workspace; a folder or zip that it was read from in place is left as it is.

        Raises:
            DatasetError: somebody else has deleted it.
            WorkspaceError: the disk does not let us.
        """
        with self.in_use():
            let_go(self.folder)


def split_digest(parts: pd.Series) -> str:
    """A short name for exactly this division, for the record of a run."""
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def labels_of(manifest: pd.DataFrame, parts: pd.Series) -> list[str]:
    """The classes that a model trained on this split can know, in the order of its outputs."""
    return sorted(manifest.loc[parts == Part.TRAIN.value, "label"].unique())


def lay_down(folder: Path, manifest: pd.DataFrame, description: dict[str, Any], split: SplitSettings) -> Dataset:
    """Make a dataset of a ``manifest`` that has just been scanned, divided by ``split``; its description comes last."""
    name = check_name(split.name)
    divided = manifest.assign(**{SPLIT_PREFIX + name: assign_parts(manifest, split)})
    write_manifest(divided, folder / MANIFEST)
    replace_json(folder / DESCRIPTION, {**description, "splits": {name: split.model_dump()}})
    return Dataset(folder)


def describe(source: Source, location: str, limits: ZipLimits, label_list: str | None) -> dict[str, Any]:
    """The description of a dataset that has just been read from ``source``, before it is divided."""
    return {
        "kind": source.kind,
        "location": location,
        "imported": time.time(),
        "limits": limits.model_dump(),
        "label_list": label_list,
        "excluded_kinds": [],
    }


def list_datasets(workspace: Workspace) -> list[Dataset]:
    """Every dataset of the workspace, by name, damaged ones too; one that is still being imported is not among them."""
    folders = sorted(path for path in workspace.datasets.glob("*") if path.is_dir())
    return [Dataset(folder) for folder in folders if not folder.name.startswith(".")]
