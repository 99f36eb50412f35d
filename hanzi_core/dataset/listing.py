"""The rows of a manifest before any picture is opened: what the directory and the label list say."""

import unicodedata
from collections.abc import Callable, Iterator
from itertools import islice

import pandas as pd
import pyarrow as pa

from hanzi_core.dataset.entry import Entry, Source, is_unicode, legible
from hanzi_core.dataset.labels import EXTENSIONS, LabelTable, from_codes, is_settled, read_table
from hanzi_core.dataset.manifest import Fault
from hanzi_core.dataset.written import are_written
from hanzi_core.errors import DatasetError, HanziError
from hanzi_core.language import mark

Report = Callable[[str, int, int], None]
"""Called with phase, done and total (0 where unknown); raises to stop the work."""

LISTING = mark("Listing files")
_CHUNK = 16_384
_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("given_name", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified_ns", pa.int64()),
        ("given_part", pa.string()),
        ("fault", pa.string()),
    ]
)


def list_rows(source: Source, report: Report, label_list: tuple[str, bytes] | None = None) -> pd.DataFrame:
    """One row a file of ``source``: path, given_name, size_bytes, modified_ns, given_part, fault and label.

    Pictures that the label list names and that are not there come last.

    Args:
        source: Where to look.
        report: Told how many were found.
        label_list: Name and content of a table of labels; else one that lies at the top of the source is taken where
            the folders are not named by characters.

    Raises:
        DatasetError: there are no files but those written beside the source; the label list cannot be used.
    """
    chunks = []
    count = 0
    for entries in _chunks(source.entries()):
        chunks.append(_record_batch(entries))
        count += len(entries)
        report(LISTING, count, 0)
    rows = pa.Table.from_batches(chunks, _SCHEMA).to_pandas()
    if are_written(rows["path"]).all():  # a disk that is not mounted leaves an empty folder in its place
        raise DatasetError(mark("{path} holds no files: put one folder a character into it."), path=source.location)
    return _with_labels(rows, source, label_list)


def _chunks(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while chunk := list(islice(entries, _CHUNK)):
        yield chunk


def _record_batch(entries: list[Entry]) -> pa.RecordBatch:
    try:
        return _batch(entries)
    except UnicodeEncodeError:
        return _batch([entry if is_unicode(entry.path) else _escaped(entry) for entry in entries])


def _batch(entries: list[Entry]) -> pa.RecordBatch:
    columns = zip(*entries, strict=True)
    arrays = [pa.array(list(column), field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)


def _escaped(entry: Entry) -> Entry:
    """One whose name is no UTF-8, as an old tool unpacks it from a GBK zip: in escapes, for no file can hold it."""
    return entry._replace(path=legible(entry.path), given_name="", fault=Fault.NAME_ENCODING.value)


def _with_labels(rows: pd.DataFrame, source: Source, label_list: tuple[str, bytes] | None) -> pd.DataFrame:
    """``rows`` with the label of each.

    A label list speaks of the source alone. What was written beside it lies in folders named by their labels: taken for
    the source's own, they would pass for all that a list of numbers names, and the source's would lose their labels.
    What was written for a class that the source has no more, as under an earlier name, is left out with it.
    """
    written = are_written(rows["path"])
    if not written.any():
        return _with_source_labels(rows, source, label_list)
    own = _with_source_labels(rows[~written].reset_index(drop=True), source, label_list)
    beside = rows[written & rows["given_name"].isin(own["label"])]
    return pd.concat([beside.assign(label=beside["given_name"]), own], ignore_index=True)


def _with_source_labels(rows: pd.DataFrame, source: Source, label_list: tuple[str, bytes] | None) -> pd.DataFrame:
    names = {name: unicodedata.normalize("NFC", name) for name in rows["given_name"].unique()}
    unsettled = [name for name in names if not is_settled(name)]
    table = None
    if label_list is not None:
        table = _given_table(label_list, rows, names)
    elif unsettled and source.kind != "gnt":
        table, used = _own_table(rows, source, unsettled, names)
        rows = rows[rows["path"] != used].reset_index(drop=True)
    rows["label"] = rows["given_name"].map({name: from_codes(name) or label for name, label in names.items()})
    if table is not None:
        rows["label"] = _table_labels(rows, table, [*names] if label_list else unsettled)
        rows = _with_absent(rows, table)
    return rows


def _with_absent(rows: pd.DataFrame, table: LabelTable) -> pd.DataFrame:
    """``rows`` and behind them one for each picture that only the ``table`` knows of."""
    labels = table.absent_from(rows["path"]) if table.others else {}
    if not labels:
        return rows
    paths = sorted(labels)
    absent = _batch([Entry(path, "", 0, 0, "", Fault.NOT_THERE.value) for path in paths]).to_pandas()
    return pd.concat([rows, absent.assign(label=[labels[path] for path in paths])], ignore_index=True)


def _table_labels(rows: pd.DataFrame, table: LabelTable, names: list[str]) -> pd.Series:
    """Labels by the table: of a path before that of a folder, of a folder before that of a file's bare name.

    Folders may number their files alike, so that a bare name counts only where the folder says nothing.
    """
    by_folder = {name: label for name in names if (label := table.for_folder(name))}
    labels = rows["given_name"].map(by_folder)
    silent = labels.isna() & rows["given_name"].isin(names)
    labels = labels.where(~silent, rows.loc[silent, "path"].map(table.for_file))
    by_path = rows["path"].map(table.for_path)
    labels = by_path.where(by_path.notna(), labels)
    return labels.where(labels.notna(), rows["label"])


def _check_agrees(name: str, table: LabelTable) -> None:
    if table.contested:
        raise DatasetError(
            mark(
                "The label list {file} names {key} twice with different characters: "
                "give the path of each file, or take one line out."
            ),
            file=name,
            key=table.contested,
        )


def _given_table(label_list: tuple[str, bytes], rows: pd.DataFrame, names: dict[str, str]) -> LabelTable | None:
    table = read_table(*label_list, names, rows["path"])
    if table.repeats(names.values()):
        return None
    if table.counted and not table.is_of_characters:
        raise DatasetError(
            mark("The label list {file} holds no characters: it needs one a line, or the columns file,label."),
            file=label_list[0],
        )
    _check_agrees(label_list[0], table)
    return table


def _own_table(
    rows: pd.DataFrame, source: Source, unsettled: list[str], names: dict[str, str]
) -> tuple[LabelTable | None, str]:
    """The first label list at the top of the source that names files or folders of it, and its path."""
    lists = [path for path in rows["path"] if "/" not in path and path.lower().endswith(EXTENSIONS)]
    if not lists:
        return None, ""
    paths = rows.loc[rows["given_name"].isin(unsettled), "path"]
    for path in lists:
        try:
            table = read_table(path, source.read(path), unsettled, paths)
        except HanziError:  # one of something else, or too large: it is a file like any other then
            continue
        if table.is_of_characters and not table.repeats(names.values()):
            _check_agrees(path, table)
            return table, path
    return None, ""
