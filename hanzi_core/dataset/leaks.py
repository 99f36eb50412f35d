"""What crosses the parts of a split: pictures that a model is trained on and, as a copy, judged by."""

import pandas as pd

from hanzi_core.dataset.split import Part, SplitSettings, writers_of
from hanzi_core.language import mark

SAME, NEAR, WRITER = "same", "near", "writer"
LEAK_NAMES = {SAME: mark("identical picture"), NEAR: mark("nearly identical picture"), WRITER: mark("writer")}


def find_leaks(manifest: pd.DataFrame, parts: pd.Series, settings: SplitSettings) -> pd.DataFrame:
    """Identical and near-identical pictures that stand in several parts, and writers if the split has a pattern.

    Returns:
        ``kind`` (a key of :data:`LEAK_NAMES`), ``what`` (a path, or the writer), ``train``, ``validation``, ``test``:
        how many pictures of it each part has.
    """
    rows = manifest.loc[parts != "", ["path", "digest", "copy_group"]].assign(part=parts[parts != ""])
    same = _crossing(rows, rows["digest"], SAME)
    near = _crossing(rows, rows["copy_group"], NEAR)
    found = [same, near[~near["what"].isin(same["what"])]]
    if settings.writer_pattern:
        writers = writers_of(rows["path"], settings.writer_pattern)
        named = writers[writers != ""]
        found.append(_crossing(rows.loc[named.index].assign(path=named), named, WRITER))
    return pd.concat(found, ignore_index=True)


def _crossing(rows: pd.DataFrame, keys: pd.Series, kind: str) -> pd.DataFrame:
    """The keys with rows in more than one part; ``what`` is the path of the first row."""
    copied = keys.duplicated(keep=False)
    rows, keys = rows[copied], keys[copied]
    columns = [part.value for part in Part]
    counts = pd.crosstab(keys, rows["part"]).reindex(columns=columns, fill_value=0)
    counts = counts[(counts > 0).sum(axis=1) > 1]
    firsts = rows["path"].groupby(keys.to_numpy()).first().reindex(counts.index)
    table = pd.DataFrame({"kind": kind, "what": firsts.to_numpy()}, index=counts.index)
    return pd.concat([table, counts], axis=1).reset_index(drop=True).rename_axis(columns=None)
