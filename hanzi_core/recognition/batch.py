"""Recognising many pictures: a row for each in a CSV file.

| column | meaning |
|---|---|
| path | of the picture, below the folder or zip it was found in |
| label_1 … label_10 | candidates by falling probability; empty where there is no ink |
| probability_1 … probability_10 | of each, 0 to 1 |
| sure | ``yes`` or ``no``: :attr:`Answer.is_sure`, which asks for more than a probability; empty without candidates |
| error | why the file could not be read, in the language of whoever wrote the table; empty otherwise |

A job leaves the reasons beside it as sentences too: who reads the table later may read another language.
"""

import csv
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.dataset.entry import Entry, legible
from hanzi_core.dataset.manifest import Fault, fault_name
from hanzi_core.dataset.source import FolderSource, Source, open_source
from hanzi_core.errors import HanziError, ImageError
from hanzi_core.image.decode import EXTENSIONS
from hanzi_core.language import Sentence, mark
from hanzi_core.recognition.photo import open_picture, read_photos
from hanzi_core.recognition.preferences import PLAIN, Preferences
from hanzi_core.recognition.recogniser import Answer, Reader
from hanzi_core.workspace import replace_json

CANDIDATES = 10
COLUMNS = (
    "path",
    *(f"label_{place}" for place in range(1, CANDIDATES + 1)),
    *(f"probability_{place}" for place in range(1, CANDIDATES + 1)),
    "sure",
    "error",
)
YES = "yes"
TABLE = "candidates.csv"
FAULTS = "faults.json"
RECOGNISING = mark("Recognising pictures")
_BATCH = 32
_READERS = 2
"""Threads that decode: reading costs several times as much as recognising, and leaves Python's lock alone."""

Picture = tuple[str, Callable[[], bytes]]
"""A path to show, and how to read the file."""
Faults = list[tuple[str, HanziError]]
"""Paths of what could not be read, and why."""
Report = Callable[[str, int, int], None]


class PredictionConfig(BaseModel):
    """What to recognise, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: Path = Field(description="Folder or zip on this machine.")
    zips: tuple[Path, ...] = Field((), description="More zips, in the job's folder; their pictures have their names.")
    model: str = Field(description="Key of a model bundle.")
    preferences: Preferences = Field(default=PLAIN, description="Which characters count.")


def pictures_of(source: Source) -> list[Picture]:
    """Every file of a folder or zip: one that cannot be read or is no picture will have a row with its error."""
    entries = (entry for entry in source.entries() if entry.fault != Fault.EMPTY_FOLDER)
    return [(legible(entry.path), partial(_read, source, entry)) for entry in entries]


def _read(source: Source, entry: Entry) -> bytes:
    if entry.fault and entry.fault != Fault.NAME_TWICE:  # of those each has a path of its own
        raise ImageError(fault_name(entry.fault))
    return source.read(entry.path)


def pictures_at(paths: Iterable[Path]) -> list[Picture]:
    """Files by their paths, folders and zips by what they hold.

    A path that leads nowhere, or to a zip that cannot be read, will have a row with its error.
    """
    found: list[Picture] = []
    for path in paths:
        if path.is_dir():
            found += _below(str(path), FolderSource(path))
        elif _is_zip(path):
            found += _in_zip(path)
        else:
            found.append((legible(str(path)), partial(_bytes_of, path)))
    return found


def pictures_in(zips: Iterable[Path]) -> list[Picture]:
    """The files of several zips, each below the name of its zip.

    Raises:
        DatasetError: one is damaged or not to be trusted.
    """
    return [picture for path in zips for picture in _below(path.name, open_source(path))]


def _below(place: str, source: Source) -> list[Picture]:
    return [(legible(str(Path(place) / path)), read) for path, read in pictures_of(source)]


def _is_zip(path: Path) -> bool:
    """Whether it is one by its content or name; a picture may have a zip behind it, and stays one."""
    ending = path.suffix.lower()
    return ending not in EXTENSIONS and path.is_file() and (ending == ".zip" or zipfile.is_zipfile(path))


def _in_zip(path: Path) -> list[Picture]:
    try:
        return _below(str(path), open_source(path))
    except HanziError as error:
        return [(legible(str(path)), partial(_refuse, error))]


def _refuse(error: HanziError) -> bytes:
    raise error


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(mark("{path} cannot be read: {reason}."), path=path, reason=error.strerror) from error


def recognise_all(
    reader: Reader, pictures: Iterable[Picture], preferences: Preferences, count: int = CANDIDATES
) -> Iterator[tuple[str, Answer | HanziError]]:
    """The answer to each picture in turn, or the sentence that says why there is none."""
    with ThreadPoolExecutor(_READERS) as readers:
        waiting = iter(pictures)
        while some := list(islice(waiting, _BATCH)):
            opened = list(readers.map(lambda picture: _open(*picture), some))
            sound = [each for each in opened if not isinstance(each, HanziError)]
            answers = iter(read_photos(reader, sound, preferences, count, each=readers.map))
            for (path, _read), each in zip(some, opened, strict=True):
                yield path, each if isinstance(each, HanziError) else next(answers).answer


def _open(path: str, read: Callable[[], bytes]) -> NDArray[np.uint8] | HanziError:
    try:
        return open_picture(read(), Path(path).name)
    except HanziError as error:
        return error


def write_table(
    file: TextIO,
    reader: Reader,
    pictures: list[Picture],
    preferences: Preferences,
    *,
    report: Report,
    faults: Faults,
) -> None:
    """Write the CSV row by row, and add what cannot be read to ``faults``: both hold if ``report`` ends it early."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for done, (path, answer) in enumerate(recognise_all(reader, pictures, preferences), 1):
        if isinstance(answer, HanziError):
            faults.append((path, answer))
        writer.writerow(_row(path, answer))
        report(RECOGNISING, done, len(pictures))


def write_faults(folder: Path, faults: Faults) -> None:
    """Keep ``faults`` in a job's folder for :func:`read_faults`."""
    replace_json(folder / FAULTS, {path: error.sentence.to_json() for path, error in faults})


def read_faults(folder: Path) -> dict[str, str]:
    """By path, why it could not be read, in the reader's language; empty for a job that kept no sentences."""
    place = folder / FAULTS
    stored = json.loads(place.read_bytes()) if place.is_file() else {}
    return {path: str(Sentence.from_json(each)) for path, each in stored.items()}


def _row(path: str, answer: Answer | HanziError) -> list[str]:
    if isinstance(answer, HanziError):
        return [path, *[""] * (2 * CANDIDATES + 1), str(answer)]
    padding = [""] * (CANDIDATES - len(answer.candidates))
    labels = [each.label for each in answer.candidates]
    probabilities = [f"{each.probability:.6f}" for each in answer.candidates]
    sure = (YES if answer.is_sure else "no") if answer.candidates else ""
    return [path, *labels, *padding, *probabilities, *padding, sure, ""]
