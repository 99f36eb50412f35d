"""What pages share of a dataset, read once until its manifest changes."""

from pathlib import Path

import pandas as pd
import streamlit as st

from hanzi_core.dataset import Dataset, Part, find_faults, find_leaks, list_datasets, split_shortfalls
from hanzi_core.dataset.entry import Source
from hanzi_core.dataset.manifest import is_wholly_synthetic, usable
from hanzi_core.dataset.statistics import all_class_counts, class_counts
from hanzi_core.dataset.store import CORRECTIONS, split_digest
from hanzi_core.evaluation.predictions import pictures_digest
from hanzi_core.workspace import Workspace


def datasets_to_choose(space: Workspace) -> list[Dataset]:
    """By name; what was corrected comes last, for it is mostly too little to train on or to measure by."""
    return sorted(list_datasets(space), key=lambda each: each.name == CORRECTIONS)


# Kept as they are, not copied at each call as st.cache_data would: nobody may write to them.
# Streamlit leaves out of the key what begins with an underscore: the time must not.


@st.cache_resource(show_spinner=False, max_entries=4)
def _manifest(folder: Path, time: float) -> pd.DataFrame:
    return Dataset(folder).manifest()


@st.cache_resource(show_spinner=False, max_entries=4)
def _counts(folder: Path, time: float) -> pd.Series:
    return class_counts(_manifest(folder, time))


@st.cache_resource(show_spinner=False, max_entries=4)
def _all_counts(folder: Path, time: float) -> pd.Series:
    return all_class_counts(_manifest(folder, time))


@st.cache_resource(show_spinner=False, max_entries=4)
def _faults(folder: Path, time: float) -> pd.DataFrame:
    return find_faults(_manifest(folder, time))


@st.cache_resource(show_spinner=False, max_entries=8)
def _split_report(folder: Path, time: float, split: str) -> tuple[pd.Series, pd.DataFrame, pd.DataFrame]:
    dataset, manifest = Dataset(folder), _manifest(folder, time)
    parts, settings = dataset.parts(split, manifest), dataset.splits()[split]
    return parts, split_shortfalls(manifest, parts, settings), find_leaks(manifest, parts, settings)


@st.cache_resource(show_spinner=False, max_entries=8)
def _digest(folder: Path, time: float, split: str) -> str:
    return split_digest(Dataset(folder).parts(split))


@st.cache_resource(show_spinner=False, max_entries=8)
def _pictures_digest(folder: Path, time: float, split: str, part: Part) -> str:
    manifest = _manifest(folder, time)
    return pictures_digest(manifest, Dataset(folder).parts(split, manifest), part)


@st.cache_resource(show_spinner=False, max_entries=8)
def _wholly_synthetic(folder: Path, time: float) -> bool:
    return is_wholly_synthetic(_manifest(folder, time))


@st.cache_resource(show_spinner=False, max_entries=4)
def _source(folder: Path, time: float) -> Source:
    return Dataset(folder).source()


def manifest_of(dataset: Dataset) -> pd.DataFrame:
    """The manifest; read only."""
    return _manifest(dataset.folder, dataset.manifest_time)


def usable_rows(dataset: Dataset) -> pd.DataFrame:
    """The rows of the manifest that can be trained on."""
    manifest = manifest_of(dataset)
    return manifest[usable(manifest)]


def counts_of(dataset: Dataset) -> pd.Series:
    """Usable pictures by label, the largest class first; read only."""
    return _counts(dataset.folder, dataset.manifest_time)


def all_counts_of(dataset: Dataset) -> pd.Series:
    """:func:`counts_of`, and 0 for characters without a usable picture; read only."""
    return _all_counts(dataset.folder, dataset.manifest_time)


def faults_of(dataset: Dataset) -> pd.DataFrame:
    """Every fault of every picture; read only."""
    return _faults(dataset.folder, dataset.manifest_time)


def split_report(dataset: Dataset, split: str) -> tuple[pd.Series, pd.DataFrame, pd.DataFrame]:
    """Parts, shortfalls and leaks of a split; read only."""
    return _split_report(dataset.folder, dataset.manifest_time, split)


def digest_of_split(dataset: Dataset, split: str) -> str:
    """A short name for the division as it is now."""
    return _digest(dataset.folder, dataset.manifest_time, split)


def digest_of_pictures(dataset: Dataset, split: str, part: Part) -> str:
    """A short name for the pictures of a part as they are now, with their labels."""
    return _pictures_digest(dataset.folder, dataset.manifest_time, split, part)


def wholly_synthetic(dataset: Dataset) -> bool:
    """Whether the simulated hand wrote all of it that is usable."""
    return _wholly_synthetic(dataset.folder, dataset.manifest_time)


def delete_dataset(dataset: Dataset) -> None:
    """Remove it, and let go of every source: the disk gets back what a zip takes once nobody has it open."""
    dataset.delete()
    _source.clear()


def source_of(dataset: Dataset) -> Source:
    """The source, opened once: a zip of 138,499 files takes a second to open."""
    return _source(dataset.folder, dataset.manifest_time)
