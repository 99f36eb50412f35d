"""The pictures of a dataset: a sample of every class, or one class with its mean."""

from collections.abc import Callable
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import streamlit as st

from hanzi_core.dataset import Dataset
from hanzi_core.dataset.labels import short_label
from hanzi_core.dataset.pack import sample_pictures
from hanzi_core.dataset.statistics import mean_picture
from hanzi_core.image.normalise import normalise
from hanzi_core.image.thumbnail import thumbnail
from hanzi_core.language import gettext as _
from hanzi_core.language import ngettext
from pages.parts.dataset_facts import counts_of, source_of, usable_rows
from pages.parts.paging import page_of
from pages.parts.plain_text import escape

PAGE_SIZE = 60
TILE_PX = 84
_NAME_LENGTH = 12
MEAN_OF = 200
"""Pictures that the mean of a class is taken of: more change it no more, and take longer to read."""


def show_pictures(dataset: Dataset) -> None:
    """A grid of samples, of all classes or of one, paged."""
    rows, counts = usable_rows(dataset), counts_of(dataset)
    wanted = st.text_input(_("Character"), key="wanted", placeholder=_("all; type one or several"), width=260).replace(
        " ", ""
    )
    labels = [wanted] if wanted in counts.index else [sign for sign in dict.fromkeys(wanted) if sign in counts.index]
    if wanted and not labels:
        st.info(_("There is no class “{label}” among the usable pictures.").format(label=escape(wanted)))
        return
    if len(labels) == 1:
        _show_class(dataset, rows[rows["label"] == labels[0]])
    else:
        # Of each character one picture: a page of sixty classes rather than sixty times the first class.
        firsts = rows.drop_duplicates("label").set_index("label").reindex(labels or counts.index).reset_index()
        _show_grid(dataset, firsts, lambda part: [_caption(label, counts[label]) for label in part["label"]])


def _show_class(dataset: Dataset, rows: pd.DataFrame) -> None:
    sample = rows.sample(min(MEAN_OF, len(rows)), random_state=0)
    left, right = st.columns([1, 5])
    pictures = [
        normalise(picture)
        for picture in sample_pictures(source_of(dataset), list(sample["path"]))
        if picture is not None
    ]
    if pictures:
        left.image(
            mean_picture(np.stack(pictures)), caption=_("Mean of {count}").format(count=len(pictures)), width=128
        )
    with right:
        _show_grid(dataset, rows, _file_names)


def _caption(label: str, count: int) -> str:
    return f"{escape(short_label(label))} · {count:,}"


def _short(name: str) -> str:
    """Its end, by which names of one folder differ; as much as fits below a tile."""
    return name if len(name) <= _NAME_LENGTH else f"…{name[1 - _NAME_LENGTH :]}"


def _file_names(rows: pd.DataFrame) -> list[str]:
    return [
        _("synthetic") if is_ours else escape(_short(PurePosixPath(path).stem))
        for path, is_ours in zip(rows["path"], rows["synthetic"], strict=True)
    ]


def _show_grid(dataset: Dataset, rows: pd.DataFrame, caption: Callable[[pd.DataFrame], list[str]]) -> None:
    part = page_of(rows, PAGE_SIZE, f"page-{dataset.name}")
    pictures = sample_pictures(source_of(dataset), list(part["path"]))
    found = [(picture, text) for picture, text in zip(pictures, caption(part), strict=True) if picture is not None]
    if len(found) < len(pictures):
        missing = len(pictures) - len(found)
        words = ngettext(
            "{count} picture can no longer be read: the source has changed.",
            "{count} pictures can no longer be read: the source has changed.",
            missing,
        )
        st.warning(words.format(count=missing))
    if found:
        st.image(
            [thumbnail(picture, TILE_PX) for picture, _text in found],
            caption=[text for _picture, text in found],
            width=TILE_PX,
        )
    with st.expander(_("Names in full")):
        names = {"label": _("Character"), "path": _("File")}
        st.dataframe(part[list(names)].rename(columns=names), hide_index=True)
