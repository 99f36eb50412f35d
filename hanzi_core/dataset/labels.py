"""Label lists: tables that say which character a file, or a folder named by a code, holds.

Any CSV, TSV, JSON or TXT does, in whatever order its columns stand: what names the collection's files or folders is
the key, what reads as characters is the label. Folder and file may stand in two columns; in a TXT a space may part
name and label. A list without keys counts from 0, or from 1 where the collection does.
"""

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice, permutations
from pathlib import PurePosixPath
from typing import Any

from hanzi_core.dataset.encoding import chinese_encoding
from hanzi_core.dataset.entry import is_unicode
from hanzi_core.errors import DatasetError, WorkspaceError
from hanzi_core.image.decode import EXTENSIONS as PICTURE_EXTENSIONS
from hanzi_core.language import mark
from hanzi_core.workspace import check_name

EXTENSIONS = (".csv", ".tsv", ".json", ".txt")
SIZE_LIMIT_BYTES = 256 * 2**20
_CODE = re.compile(r"(?:0x|u\+|uni|\\u)([0-9a-f]{4,6})", re.IGNORECASE)
_SAMPLE_ROWS = 2000
_SAMPLE_CELLS = 200_000
"""Of a table that is wide, fewer rows: pixels in a CSV have 785 columns."""
_CANDIDATES = 4
"""Columns that are tried as the key with as many as the label."""
_BEGINNING = 4096
"""Signs of a file by which its form is told."""
_SHORT = 8
_CODES = 12
"""Of a label that are written out in a folder's name; more of them would outgrow the 255 bytes of a name."""

Row = tuple[str, ...]
_Columns = tuple[tuple[int, ...], int]
"""Those that make the key, joined by ``/``, and that of the label."""


@dataclass(frozen=True)
class LabelTable:
    """Labels by key: a path, a file name with or without ending, the name of a folder, or a number."""

    labels: dict[str, str]
    others: dict[str, str] = field(default_factory=dict)
    """Labels of pictures that were none of the keys."""
    contested: str = ""
    """A key that it gives to two characters; empty where there is none."""
    of_folders: bool = False
    """Whether it names folders: its numbers are none of files then."""
    counted: bool = False
    """Whether its labels stand without keys."""

    def for_path(self, path: str) -> str | None:
        """The label that the table gives to a file by its whole path."""
        return self.labels.get(_key(path))

    def for_file(self, path: str) -> str | None:
        """The label that the table gives to a file by its name, with or without ending."""
        pure = PurePosixPath(path)
        label = self.labels.get(_key(pure.name))
        return label if label or self.of_folders else self.labels.get(_key(pure.stem))

    def for_folder(self, name: str) -> str | None:
        """The label that the table gives to all files of a folder."""
        return self.labels.get(_key(name))

    def absent_from(self, paths: Iterable[str]) -> dict[str, str]:
        """The pictures that the table names and that are none of those at ``paths``, with their labels."""
        return {key: self.others[key] for key in self.others.keys() - _file_keys(paths)}

    def repeats(self, folders: Iterable[str]) -> bool:
        """Whether it is but a list of the ``folders``' own names, as stands beside a split that was written out."""
        return self.counted and {folder_name(label) for label in self.labels.values()} <= set(folders)

    @property
    def is_of_characters(self) -> bool:
        """Whether nearly all its labels are single characters: a table of something else is not."""
        return sum(map(is_character, self.labels.values())) > 0.9 * len(self.labels)


def is_character(label: str) -> bool:
    """Whether ``label`` is one character; marks that combine with it, such as variation selectors, are part of it."""
    return sum(not unicodedata.category(sign).startswith(("M", "Cf")) for sign in label) == 1


def short_label(label: str) -> str:
    """A label as it can stand below a tile or a bar: of a longer one its beginning."""
    return label if len(label) <= _SHORT else f"{label[: _SHORT - 1]}…"


def is_settled(name: str) -> bool:
    """Whether a folder's name needs no table: one character; a digit might be a number in a list."""
    return is_character(name) and not name.isascii()


def folder_name(label: str) -> str:
    """A label as a folder's name; one that no folder can have is written by its codes, a long one by its first ones."""
    try:
        return check_name(label)
    except WorkspaceError:
        codes = [f"U+{ord(sign):04X}" for sign in label]
    if len(codes) > _CODES:
        codes[_CODES:] = [hashlib.blake2b(label.encode(), digest_size=8).hexdigest()]
    return "_".join(codes)


def from_code(name: str) -> str | None:
    """The character that a code such as ``0x4E00`` or ``U+4E00`` stands for; ``None`` if ``name`` is no code."""
    found = _CODE.fullmatch(name.strip())
    if found is None:
        return None
    number = int(found[1], 16)
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        return None
    return unicodedata.normalize("NFC", chr(number))


def from_codes(name: str) -> str | None:
    """The label that :func:`folder_name` wrote as codes joined by ``_``; ``None`` if ``name`` is none of these."""
    signs = [from_code(code) for code in name.split("_")]
    known = [sign for sign in signs if sign is not None]
    return unicodedata.normalize("NFC", "".join(known)) if len(known) == len(signs) else None


def read_table(name: str, data: bytes, folders: Iterable[str], paths: Iterable[str]) -> LabelTable:
    """The label list in the file ``name``.

    Args:
        name: Its ending tells its format.
        data: Its content, in UTF-8, GBK or Big5.
        folders: Names of the collection's folders.
        paths: Of its files; the column that names most of both is the key.

    Raises:
        DatasetError: it cannot be read, or names nothing of the collection.
    """
    named = {_key(folder) for folder in folders}
    wanted = named | _file_keys(paths)
    content = _content(name, data, wanted)
    pairs = _count(content, named, wanted) if isinstance(content, list) else _keyed(content, named, wanted)
    table = _labelled(pairs, named, wanted, counted=isinstance(content, list))
    if not table.labels:
        raise DatasetError(
            mark("The label list {file} names no file or folder of the collection: it needs the columns file,label."),
            file=name,
        )
    return table


def _file_keys(paths: Iterable[str]) -> set[str]:
    """What may name the files at ``paths``."""
    pure = ((path, PurePosixPath(path)) for path in paths)
    return {_key(name) for path, names in pure for name in (path, names.name, names.stem)}


def _count(labels: list[str], folders: set[str], wanted: set[str]) -> Iterator[tuple[str, str]]:
    """Each label with its number: from 1 where the last one's is there so, and there is no 0."""
    known = wanted if folders.isdisjoint(map(str, range(len(labels) + 1))) else folders
    first = 1 if "0" not in known and str(len(labels)) in known else 0
    return _pick(((str(number), label) for number, label in enumerate(labels, first)), ((0,), 1))


def _keyed(rows: Iterator[Row], folders: set[str], wanted: set[str]) -> Iterator[tuple[str, str]]:
    """Key and label of each row, from the columns that serve best."""
    sample = list(islice(rows, _SAMPLE_ROWS))
    columns = _columns(sample, folders, wanted)
    return iter(()) if columns is None else _pick(chain(sample, rows), columns)


def _labelled(pairs: Iterable[tuple[str, str]], folders: set[str], wanted: set[str], *, counted: bool) -> LabelTable:
    """A table of the ``pairs`` of key and label; what is no ``wanted`` key and no picture, as a header, is left out."""
    labels: dict[str, str] = {}
    others = {}
    contested = ""
    for key, label in pairs:
        if key in wanted:
            if labels.setdefault(key, label) != label:
                contested = contested or key
        elif key.lower().endswith(PICTURE_EXTENSIONS):
            others[key] = label
    return LabelTable(labels, others, contested, not folders.isdisjoint(labels), counted)


def _columns(sample: list[Row], folders: set[str], wanted: set[str]) -> _Columns | None:
    """The key and the label of a table that begins with ``sample``; ``None`` of one that has no two columns.

    Each column is looked at alone first: of 785 columns there are 615,440 pairs.
    """
    width = max(map(len, sample), default=0)
    rows = sample[: max(1, _SAMPLE_CELLS // max(1, width))]
    cells = [[row[column] for row in rows if len(row) > column] for column in range(width)]
    known = [len({_key(cell) for cell in column} & wanted) for column in cells]
    characters = [sum(is_settled(_character(cell)) for cell in column) for column in cells]
    keys, labels = (_largest(counts) for counts in (known, characters))
    joined = [*((key,) for key in keys), *permutations(keys, 2)]
    pairs = [(key, label) for key in joined for label in labels if label not in key]
    return max(pairs, key=lambda pair: _fit(rows, pair, folders, wanted), default=None)


def _largest(counts: list[int]) -> list[int]:
    """Places of the largest of ``counts``, in order."""
    return sorted(sorted(range(len(counts)), key=lambda place: -counts[place])[:_CANDIDATES])


def _pick(rows: Iterable[Row], columns: _Columns) -> Iterator[tuple[str, str]]:
    """Key and label of each row that has both."""
    keys, label = columns
    for row in rows:
        cells = [row[column].strip() for column in (*keys, label) if len(row) > column]
        if len(cells) > len(keys) and all(cells) and is_unicode("".join(cells)):
            yield _key("/".join(cells[:-1])), _character(cells[-1])


def _character(cell: str) -> str:
    clean = unicodedata.normalize("NFC", cell.strip())
    return from_code(clean) or clean


def _fit(rows: list[Row], columns: _Columns, folders: set[str], wanted: set[str]) -> tuple[float, float]:
    """How well some columns serve as key and label: keys that are known, then labels that are characters."""
    known = {key: label for key, label in _pick(rows, columns) if key in wanted}
    weights = {key: _weight(key, folders) for key in known}
    characters = sum(weights[key] for key, label in known.items() if is_settled(label))
    return characters / len(rows), sum(weights.values()) / len(rows)


def _weight(key: str, folders: set[str]) -> float:
    """How much a known key says: numbers of rows may be file names without ending by chance.

    Of several that name as many the path goes before the bare name, and a folder, with all that lies in it, before it.
    """
    if key in folders:
        return 2.2
    if key.lower().endswith(PICTURE_EXTENSIONS):
        return 2.1 if "/" in key else 2.0
    return 1.0


def _key(text: str) -> str:
    """One form for what is written in several: 00017 and 17, 0x4E00 and U+4e00, a\\b and a/b."""
    clean = unicodedata.normalize("NFC", text.strip()).replace("\\", "/").removeprefix("./")
    if clean.isascii() and clean.isdigit():
        return str(int(clean)) if len(clean) < 20 else clean
    return from_code(clean) or clean


def _content(name: str, data: bytes, wanted: set[str]) -> list[str] | Iterator[Row]:
    """Labels alone, of a list without keys; else rows, one after the other: together they take 20 times their bytes."""
    text = _text(name, data)
    if name.lower().endswith(".json"):
        return _json_content(name, text)
    if name.lower().endswith(".txt") and not _has_columns(text[:_BEGINNING]):
        lines = text.rstrip().splitlines()
        if _begin_with_keys(lines[:_SAMPLE_ROWS], wanted):
            return (tuple(line.rsplit(maxsplit=1)) for line in lines)
        return lines
    return _csv_rows(name, text)


def _has_columns(text: str) -> bool:
    """Whether most lines hold several things apart; in a list of signs one may be a comma."""
    lines = [line for line in text.splitlines() if line.strip()]
    return sum(re.search(r"[,;\t]", line.strip(" ,;\t")) is not None for line in lines) > len(lines) / 2


def _begin_with_keys(lines: list[str], wanted: set[str]) -> bool:
    """Whether most ``lines`` are of two words, the first of which names a file or folder."""
    rows = [line.rsplit(maxsplit=1) for line in lines if line.strip()]
    firsts = [row[0] for row in rows if len(row) == 2]
    known = sum(_key(first) in wanted or first.lower().endswith(PICTURE_EXTENSIONS) for first in firsts)
    return known > len(rows) / 2


def _csv_rows(name: str, text: str) -> Iterator[Row]:
    delimiter = max(",\t;", key=text[:_BEGINNING].count)
    try:
        yield from (tuple(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row)
    except csv.Error as error:
        raise _unreadable(name) from error


def _text(name: str, data: bytes) -> str:
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8-sig")
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else chinese_encoding(data))
    except UnicodeDecodeError as error:
        raise _unreadable(name) from error


def _json_content(name: str, text: str) -> list[str] | Iterator[Row]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(name) from error
    if isinstance(value, dict):
        return ((str(key), str(label)) for key, label in value.items())
    if not isinstance(value, list):
        raise _unreadable(name)
    if any(isinstance(item, dict | list) for item in value):
        return (_json_row(item) for item in value)
    return [str(item) for item in value]


def _json_row(item: Any) -> Row:
    if isinstance(item, dict):
        return tuple(map(str, item.values()))
    return tuple(map(str, item if isinstance(item, list) else [item]))


def _unreadable(name: str) -> DatasetError:
    return DatasetError(mark("The label list {file} cannot be read: save it as CSV or JSON in UTF-8."), file=name)
