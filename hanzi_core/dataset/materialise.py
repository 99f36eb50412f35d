"""A split as folders for other tools: ``train/ val/ test/``, a folder a character, and the list of labels."""

import json
import os
import re
import unicodedata
from functools import partial
from itertools import product
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.dataset.entry import Source
from hanzi_core.dataset.labels import folder_name
from hanzi_core.dataset.listing import Report
from hanzi_core.dataset.parallel import run_batches
from hanzi_core.dataset.split import Part
from hanzi_core.dataset.store import Dataset
from hanzi_core.dataset.written import is_written
from hanzi_core.errors import DatasetError, WorkspaceError
from hanzi_core.image.augment import CLASSIC, Augmentation, augment, paper_level
from hanzi_core.image.synthetic import encode_synthetic, is_synthetic
from hanzi_core.language import mark
from hanzi_core.workspace import check_name, named_path, new_folder, writing

WRITING = mark("Writing files")
FOLDERS = {Part.TRAIN: "train", Part.VALIDATION: "val", Part.TEST: "test"}
_BATCH = 256
_NAME_BYTES = 120
"""Of a file name that is kept; with an ending for augmented files it fits every file system."""
_AUGMENTED = "-augmented"
"""What tells a changed file from its picture, with a number; no picture's own name may end so."""


class MaterialiseConfig(BaseModel):
    """What to write, and where to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(description="Name of the dataset.")
    target: Path = Field(description="Folder to make; it must not be there, or be empty.")
    split: str = Field("default", description="Name of the split.")
    augmented: int = Field(0, ge=0, le=100, description="Augmented files for each picture of the training part.")
    augmentation: Augmentation = Field(CLASSIC, description="What they are changed by.")
    seed: int = Field(0, ge=0, description="Seed of the augmented files.")


class _File(NamedTuple):
    path: str
    target: str
    """Below the target folder, without ending."""
    row: int
    augmented: int


def materialise(dataset: Dataset, config: MaterialiseConfig, report: Report) -> dict[str, int]:
    """Write the folders, in each part one for every class.

    Files are hard links where the file system allows, copies elsewhere, PNG for ``.gnt`` records.

    Returns:
        ``files``, of which ``linked`` and ``augmented``, and ``classes``.

    Raises:
        DatasetError: the target is there already, or a picture or the dataset has gone.
        WorkspaceError: no space is left, or the place is not writable; nothing half-made stays.
    """
    with dataset.in_use():
        return _materialise(dataset, config, report)


def _materialise(dataset: Dataset, config: MaterialiseConfig, report: Report) -> dict[str, int]:
    target = named_path(config.target)
    source = dataset.source()
    with writing(target):
        _check_target(target, source)
    manifest = dataset.manifest()
    parts = dataset.parts(config.split, manifest)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_folder(target.parent, f".{target.name[:40]}-unfinished") as building:
            counts = _write_files(building, source, manifest=manifest, parts=parts, config=config, report=report)
            # Other tools number the classes in the order of their folders.
            labels = sorted(manifest.loc[parts != "", "label"].unique(), key=folder_name)
            _write_labels(building, labels)
            if target.exists():
                target.rmdir()
            building.rename(target)
    return {**counts, "classes": len(labels)}


def _check_target(target: Path, source: Source) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DatasetError(mark("{path} is there already: name a folder that is new or empty."), path=target)
    if target.resolve().is_relative_to(source.location.resolve()):
        raise DatasetError(
            mark("{path} lies in the dataset's own folder, which stays as it is: name another place."), path=target
        )


def _write_files(
    building: Path,
    source: Source,
    *,
    manifest: pd.DataFrame,
    parts: pd.Series,
    config: MaterialiseConfig,
    report: Report,
) -> dict[str, int]:
    files = _plan(manifest, parts, config.augmented)
    folders = [PurePosixPath(file.target).parts for file in files]
    # Also an empty one: a class less in val, and other tools number all that follow it as its neighbour in train.
    for part, label in product({part for part, _, _ in folders}, {label for _, label, _ in folders}):
        (building / part / label).mkdir(parents=True)
    batches = (files[start : start + _BATCH] for start in range(0, len(files), _BATCH))
    task = partial(write_files, building, config.augmentation, config.seed)
    done = linked = 0
    for batch_done, batch_linked in run_batches(task, source, batches, len(files) * (1 + config.augmented)):
        done, linked = done + batch_done, linked + batch_linked
        report(WRITING, done, len(files))
    augmented = sum(file.augmented for file in files)
    return {"files": len(files) + augmented, "linked": linked, "augmented": augmented}


def _plan(manifest: pd.DataFrame, parts: pd.Series, augmented: int) -> list[_File]:
    rows = manifest[parts != ""]
    taken: set[str] = set()
    files = []
    for row, path, label, part in zip(rows.index, rows["path"], rows["label"], parts[rows.index], strict=True):
        folder = f"{FOLDERS[Part(part)]}/{folder_name(label)}"
        target = f"{folder}/{_file_name(path)}"
        while target.lower() in taken:  # two folders of the source may hold one name for one character
            target = f"{target}-{row}"
        taken.add(target.lower())
        files.append(_File(path, target, row, augmented if part == Part.TRAIN else 0))
    return files


def _file_name(path: str) -> str:
    """The name of a file without ending, short and plain enough for every system, and none of a changed file."""
    pure = PurePosixPath(path)
    name = unicodedata.normalize("NFC", pure.name.replace("#", "_") if "#" in pure.name else pure.stem)
    plain = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", name).strip(". ") or "picture"
    shortened = plain.encode()[:_NAME_BYTES].decode(errors="ignore")
    shortened = re.sub(rf"{_AUGMENTED}\d+$", r"\g<0>_", shortened, flags=re.IGNORECASE)
    try:
        return check_name(shortened)
    except WorkspaceError:
        return f"_{shortened}"


def write_files(
    building: Path, augmentation: Augmentation, seed: int, source: Source, files: list[_File]
) -> tuple[int, int]:
    """Write some files; how many pictures, and how many of them by hard link."""
    return len(files), sum(_write_file(building, augmentation, seed, source, file) for file in files)


def _write_file(building: Path, augmentation: Augmentation, seed: int, source: Source, file: _File) -> bool:
    linked = _place(building, source, file)
    if file.augmented:
        data = source.read(file.path)
        gray, encode = source.decode(data, file.path), encode_synthetic if is_synthetic(data) else _png
        random, ground = np.random.default_rng((seed, file.row)), paper_level(gray)
        for number in range(1, file.augmented + 1):
            changed = augment(gray, augmentation, random, ground)
            _write_new(building / f"{file.target}{_AUGMENTED}{number}.png", encode(changed))
    return linked


def _place(building: Path, source: Source, file: _File) -> bool:
    """Bring one picture to its place; whether by hard link."""
    if source.kind == "gnt" and not is_written(file.path):
        gray = source.decode(source.read(file.path), file.path)
        _write_new(building / f"{file.target}.png", _png(gray))
        return False
    place = building / (file.target + PurePosixPath(file.path).suffix)
    if source.kind == "folder" and _link(source.location / file.path, place):
        return True
    _write_new(place, source.read(file.path))
    return False


def _link(original: Path, place: Path) -> bool:
    try:
        os.link(original, place)
    except OSError:  # another file system, or one without links
        return False
    return True


def _write_new(place: Path, content: bytes) -> None:
    """Write a file that is not there yet: one that is may be a link to the user's own."""
    with place.open("xb") as file:
        file.write(content)


def _png(gray: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", gray)[1])


def _write_labels(folder: Path, labels: list[str]) -> None:
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels), "utf-8")
    (folder / "labels.json").write_text(json.dumps(labels, ensure_ascii=False, indent=1), "utf-8")
    lines = "".join(f"    {label!r},\n" for label in labels)
    (folder / "labels.py").write_text(f"LABELS = [\n{lines}]\n", "utf-8")
