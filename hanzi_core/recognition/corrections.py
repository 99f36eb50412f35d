"""Corrections: pictures that were recognised wrongly, with the label they should have had; a dataset like any other.

datasets/Corrections/
    pictures/人/<id>.png    as drawn or uploaded
    records/<id>.json       strokes, model, time, what was recognised and what it should have been
    dataset.json, manifest.parquet
"""

import contextlib
import io
import json
import shutil
import threading
import time
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hanzi_core.bundle import LABEL_LENGTH_LIMIT, Card
from hanzi_core.dataset import Dataset, SplitSettings, scan
from hanzi_core.dataset.entry import file_entry, is_hidden
from hanzi_core.dataset.importing import rescan
from hanzi_core.dataset.labels import folder_name, from_code
from hanzi_core.dataset.source import FolderSource, ZipLimits
from hanzi_core.dataset.store import CORRECTIONS, DESCRIPTION, PICTURES, describe, lay_down
from hanzi_core.errors import DatasetError, ImageError, WorkspaceError
from hanzi_core.image.decode import decode
from hanzi_core.language import mark
from hanzi_core.recognition.ink import Stroke, strokes_to_json
from hanzi_core.recognition.recogniser import Candidate
from hanzi_core.workspace import Workspace, fits_every_system, replace_file, replace_json, writing

_RECORDS = "records"
_lock = threading.RLock()


class Correction(BaseModel):
    """One wrong answer and the right one."""

    model_config = ConfigDict(frozen=True)

    id: str
    label: str = Field(description="What it should have been.")
    recognised: str = Field(description="What was recognised; empty where nothing was.")
    candidates: list[tuple[str, float]] = Field(default_factory=list, description="All that was offered.")
    model: str = Field(description="Name of the model.")
    model_created: float = Field(description="Unix seconds.")
    time: float = Field(description="Unix seconds.")
    strokes: list[dict[str, Any]] = Field(default_factory=list, description="Where it was drawn.")


class Corrections:
    """All corrections of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.folder = workspace.datasets / CORRECTIONS

    def add(
        self,
        picture: NDArray[np.uint8],
        label: str,
        candidates: list[Candidate],
        card: Card,
        strokes: list[Stroke] | None = None,
    ) -> Correction:
        """Keep one.

        Args:
            picture: ``uint8 (height, width)``, as it was drawn or uploaded.
            label: What it should have been.
            candidates: What was offered.
            card: Of the model that was wrong.
            strokes: Where it was drawn.

        Raises:
            HanziError: the label cannot name a class, the disk is full, or the dataset is damaged or was imported under
                this name; nothing is kept.
        """
        now = time.time()
        correction = Correction(
            id=f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{time.time_ns() % 1_000_000_000:09d}",
            label=_check_label(label),
            recognised=candidates[0].label if candidates else "",
            candidates=[(each.label, each.probability) for each in candidates],
            model=card.name,
            model_created=card.created,
            time=now,
            strokes=strokes_to_json(strokes or []),
        )
        path, record = self.picture_path(correction), self._record_path(correction.id)
        with _lock, writing(self.folder):
            if self._is_imported():
                raise DatasetError(
                    mark(
                        "The dataset “{name}” was imported and takes no corrections: "
                        "import its pictures under another name, then delete it."
                    ),
                    name=CORRECTIONS,
                )
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                record.parent.mkdir(exist_ok=True)
                replace_file(path, cv2.imencode(".png", picture)[1].tobytes())
                replace_json(record, correction.model_dump())
                self._scan()
            except BaseException:  # who is told that it was not kept tries again
                self._remove(correction)
                raise
        return correction

    def all(self) -> list[Correction]:
        """Every correction, the newest first."""
        found = []
        for path in sorted((self.folder / _RECORDS).glob("*.json"), reverse=True):
            try:
                found.append(Correction.model_validate_json(path.read_bytes()))
            except (OSError, ValidationError):
                continue  # damaged by hand: the others are as good as ever
        return found

    def damaged(self) -> list[str]:
        """Names of the records that cannot be read, and so are not among :meth:`all`; their pictures stay."""
        sound = {self._record_path(each.id).name for each in self.all()}
        return sorted(path.name for path in (self.folder / _RECORDS).glob("*.json") if path.name not in sound)

    def delete(self, ids: list[str]) -> None:
        """Forget some; the picture and the record go for good.

        Raises:
            HanziError: the disk does not let us, or the dataset is damaged.
        """
        with _lock, writing(self.folder):
            is_imported = self._is_imported()
            for correction in self.all():
                if correction.id in ids:
                    self._remove(correction)
            if is_imported or any((self.folder / PICTURES).glob("*/*.png")):  # also one whose record is damaged
                self._scan()
            else:
                shutil.rmtree(self.folder, ignore_errors=True)

    def picture_path(self, correction: Correction) -> Path:
        """Where its picture lies."""
        return self.folder / PICTURES / _folder_name(correction.label) / f"{correction.id}.png"

    def picture(self, correction: Correction) -> NDArray[np.uint8] | None:
        """Its picture ``uint8 (height, width)``; ``None`` where it is damaged or gone."""
        with contextlib.suppress(OSError, ImageError):
            return decode(self.picture_path(correction).read_bytes(), correction.id)
        return None

    def export(self) -> bytes:
        """A zip of a folder a character, which can be imported anywhere, with ``corrections.json`` beside them.

        Those whose picture has gone are left out.
        """
        buffer = io.BytesIO()
        corrections = [each for each in self.all() if self.picture_path(each).is_file()]
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in corrections:
                archive.write(self.picture_path(each), f"{_folder_name(each.label)}/{each.id}.png")
            records = [each.model_dump() for each in corrections]
            archive.writestr("corrections.json", json.dumps(records, ensure_ascii=False, indent=1))
        return buffer.getvalue()

    def _remove(self, correction: Correction) -> None:
        picture = self.picture_path(correction)
        picture.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty; empty it would be told as a fault
            picture.parent.rmdir()
        self._record_path(correction.id).unlink(missing_ok=True)

    def _record_path(self, correction_id: str) -> Path:
        return self.folder / _RECORDS / f"{correction_id}.json"

    def _is_imported(self) -> bool:
        """Whether the folder is somebody's dataset that took the name before it was reserved."""
        if not (self.folder / DESCRIPTION).is_file():
            return False
        try:
            return Dataset(self.folder).description.get("location") != PICTURES
        except DatasetError:
            return not (self.folder / _RECORDS).is_dir()

    def _scan(self) -> None:
        """Bring manifest and splits up to date, so that it can be trained on at once; what is damaged is made anew."""
        if self._is_sound() or self._is_imported():
            rescan(Dataset(self.folder), _silent)
            return
        source = FolderSource(self.folder / PICTURES)
        description = describe(source, PICTURES, ZipLimits(), None)
        lay_down(self.folder, scan(source, _silent), description, SplitSettings())

    def _is_sound(self) -> bool:
        """Whether manifest and splits are there and can be read."""
        dataset = Dataset(self.folder)
        try:
            dataset.splits(), dataset.manifest()
        except DatasetError:
            return False
        return True


def _silent(_phase: str, _done: int, _total: int) -> None:
    """Corrections are few: nobody waits for their scan."""


def _folder_name(label: str) -> str:
    """The label itself where any system can have such a folder, else its code, which a scan reads as the label."""
    return label if fits_every_system(label) else folder_name(label)


def _check_label(label: str) -> str:
    """``label`` in NFC, or the character that it is the code of, if a scan reads its folder as this very class."""
    clean = unicodedata.normalize("NFC", label).strip()
    clean = from_code(clean) or clean
    if len(clean) > LABEL_LENGTH_LIMIT:
        raise DatasetError(mark("A label has {limit} letters at most."), limit=LABEL_LENGTH_LIMIT)
    folder = _folder_name(clean)
    read = file_entry((folder, "0.png"), 0, 0).label
    if not clean or not clean.isprintable() or is_hidden(folder) or (from_code(read) or read) != clean:
        raise WorkspaceError(
            mark("“{name}” cannot be a label, for no class can have a folder of this name: give the character itself."),
            name=clean[:40],
        )
    return clean
