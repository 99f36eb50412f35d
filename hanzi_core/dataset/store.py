"""A dataset in a workspace: its description, its manifest and its splits."""

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hanzi_core.dataset.manifest import SPLIT_PREFIX, read_manifest, usable, write_manifest
from hanzi_core.dataset.source import Source, open_source
from hanzi_core.dataset.split import Part, SplitSettings, assign_parts
from hanzi_core.errors import DatasetError
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, check_name, replace_json

DESCRIPTION = "dataset.json"
MANIFEST = "manifest.parquet"
UPLOAD = "upload.zip"


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
        if not (dataset.folder / DESCRIPTION).is_file():
            raise DatasetError(mark("There is no dataset “{name}”: import it first."), name=name)
        return dataset

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @property
    def description(self) -> dict[str, Any]:
        """Source, time of import and the settings of each split."""
        try:
            return dict(json.loads((self.folder / DESCRIPTION).read_bytes()))
        except (OSError, ValueError) as error:
            raise DatasetError(mark("The dataset “{name}” is damaged: import it again."), name=self.name) from error

    def source(self) -> Source:
        """Where its pictures are.

        Raises:
            DatasetError: they have been moved away.
        """
        location = Path(self.description["location"])
        return open_source(location if location.is_absolute() else self.folder / location)

    def manifest(self) -> pd.DataFrame:
        """One row a file; see :mod:`hanzi_core.dataset.manifest`."""
        return read_manifest(self.folder / MANIFEST)

    @property
    def manifest_time(self) -> float:
        """When the manifest last changed: a page may keep what it made of it until then."""
        return (self.folder / MANIFEST).stat().st_mtime

    def splits(self) -> dict[str, SplitSettings]:
        """The settings of each split by its name."""
        return {name: SplitSettings(**settings) for name, settings in self.description["splits"].items()}

    def parts(self, split: str) -> pd.Series:
        """The part of each row in ``split``.

        Raises:
            DatasetError: there is no such split.
        """
        column = SPLIT_PREFIX + split
        manifest = self.manifest()
        if column not in manifest:
            raise DatasetError(mark("The dataset “{name}” has no split “{split}”."), name=self.name, split=split)
        return manifest[column].where(usable(manifest), "")

    def split(self, settings: SplitSettings) -> pd.Series:
        """Divide it, keep the outcome as the split ``settings.name``, and return the part of each row."""
        name = check_name(settings.name)
        manifest = self.manifest()
        parts = assign_parts(manifest, settings)
        manifest[SPLIT_PREFIX + name] = parts
        write_manifest(manifest, self.folder / MANIFEST)
        description = self.description
        description["splits"][name] = settings.model_dump()
        replace_json(self.folder / DESCRIPTION, description)
        return parts

    def delete(self) -> None:
        """Remove it from the workspace; a folder or zip that it was read from in place is left as it is."""
        shutil.rmtree(self.folder)


def split_digest(parts: pd.Series) -> str:
    """A short name for exactly this division, for the record of a run."""
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def labels_of(manifest: pd.DataFrame, parts: pd.Series) -> list[str]:
    """The classes that a model trained on this split can know, in the order of its outputs."""
    return sorted(manifest.loc[parts == Part.TRAIN.value, "label"].unique())


def describe(source: Source, location: str) -> dict[str, Any]:
    """The description of a dataset that has just been read from ``source``."""
    return {"kind": source.kind, "location": location, "imported": time.time(), "splits": {}}


def list_datasets(workspace: Workspace) -> list[Dataset]:
    """Every whole dataset of the workspace, by name; one that is still being imported is not yet among them."""
    folders = sorted(path.parent for path in workspace.datasets.glob(f"*/{DESCRIPTION}"))
    return [Dataset(folder) for folder in folders if not folder.name.startswith(".")]
