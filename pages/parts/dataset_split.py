"""Divide a dataset, and see what each part got, what it lacks, and what crosses its parts."""

import pandas as pd
import streamlit as st

from hanzi_core.cli.perform import read_config
from hanzi_core.dataset import Dataset, Part, SplitSettings
from hanzi_core.dataset.leaks import LEAK_NAMES
from hanzi_core.dataset.split import HANGS_TOGETHER, PART_NAMES, hangs_together
from hanzi_core.language import gettext as _
from hanzi_core.language import listed, ngettext
from pages.parts.dataset_facts import manifest_of, split_report
from pages.parts.paging import page_of
from pages.parts.session import errors_shown, first
from pages.parts.tables import table_height

PAGE_SIZE = 100
_TABLE_PX = 220
_MADE = "split-made"
"""Key of the session under which the split that was just made is kept: it is the one to look at."""


def show_split(dataset: Dataset) -> None:
    """One split with its report, and the form that makes it anew or makes another."""
    splits = dataset.splits()
    key = f"split-{dataset.name}"
    if (made := st.session_state.pop(_MADE, None)) in splits:
        st.session_state[key] = made
    name = st.selectbox(_("Split"), list(splits), key=key, width=260) if len(splits) > 1 else "default"
    name = name if name in splits else next(iter(splits))
    settings = splits[name]
    with errors_shown():  # what is wrong with a split is mended by the form below
        _show_report(dataset, name, settings)
    _show_form(dataset, settings)
    if len(splits) > 1 and st.button(_("Delete this split"), icon=":material/delete:"):
        with errors_shown():
            dataset.delete_split(name)
            st.rerun()


def _show_report(dataset: Dataset, name: str, settings: SplitSettings) -> None:
    parts, lacking, leaks = split_report(dataset, name)
    left, right = st.columns(2)
    with left:
        _show_parts(manifest_of(dataset), parts)
    with right:
        _show_leaks(leaks, settings)
    if hangs_together(parts, settings):
        st.warning(_(HANGS_TOGETHER))
    else:
        _show_shortfalls(lacking)


def _show_parts(manifest: pd.DataFrame, parts: pd.Series) -> None:
    table = pd.DataFrame(
        {
            _("Part"): [_(PART_NAMES[part]) for part in Part],
            _("Pictures"): [f"{(parts == part.value).sum():,}" for part in Part],
            _("Synthetic"): [f"{(manifest['synthetic'] & (parts == part.value)).sum():,}" for part in Part],
            _("Classes"): [f"{manifest.loc[parts == part.value, 'label'].nunique():,}" for part in Part],
        }
    )
    st.table(table, hide_index=True)  # no st.dataframe: on a phone its buttons would cover the tabs above it


def _show_leaks(leaks: pd.DataFrame, settings: SplitSettings) -> None:
    """How many pictures and writers stand in more than one part."""
    if leaks.empty:
        known = _("No picture and no writer") if settings.writer_pattern else _("No picture")
        st.success(_("{known} is in more than one part.").format(known=known), icon=":material/check:")
        return
    counts = listed(f"{_(LEAK_NAMES[str(kind)])} · {count:,}" for kind, count in leaks["kind"].value_counts().items())
    st.error(_("Some are in more than one part: {counts}.").format(counts=counts), icon=":material/leak_add:")
    names = {"kind": _("Leak"), "what": _("File or writer"), **{part.value: _(PART_NAMES[part]) for part in Part}}
    shown = page_of(leaks, PAGE_SIZE, "leaks")
    st.caption(_("How many pictures of it each part has."))  # on a phone a table's own buttons cover what is above it
    kinds = [_(LEAK_NAMES[kind]) for kind in shown["kind"]]
    st.dataframe(shown.assign(kind=kinds).rename(columns=names), hide_index=True, height=_height(shown))


def _show_shortfalls(lacking: pd.DataFrame) -> None:
    if lacking.empty:
        st.success(_("Every class is in every part that was asked for."), icon=":material/check:")
        return
    words = ngettext(
        "{count} class has too few pictures to be in every part.",
        "{count} classes have too few pictures to be in every part.",
        len(lacking),
    )
    st.warning(words.format(count=f"{len(lacking):,}"))
    shown = page_of(lacking, PAGE_SIZE, "lacking")
    st.caption(_("The smallest first."))  # not the pages, which a table's own buttons would cover on a phone
    missing = [listed(_(PART_NAMES[Part(name)]) for name in names.split(", ")) for names in shown["missing"]]
    names = {"label": _("Character"), "images": _("Pictures"), "missing": _("Not in")}
    st.dataframe(shown.assign(missing=missing).rename(columns=names), hide_index=True, height=_height(shown))


def _height(rows: pd.DataFrame) -> int:
    return table_height(len(rows), _TABLE_PX)


def ask_shares(settings: SplitSettings, key: str) -> dict[str, object]:
    """Fields for what decides who gets into which part, first filled with ``settings``; their values.

    ``key`` tells those of one form from those of another.
    """
    columns = st.columns(3)
    validation, test = (round(100 * share) for share in (settings.validation, settings.test))
    return {
        "validation": columns[0].number_input(_("Validation, %"), 0, 90, key=first(f"{key}-validation", validation))
        / 100,
        "test": columns[1].number_input(_("Test, %"), 0, 90, key=first(f"{key}-test", test)) / 100,
        "seed": columns[2].number_input(_("Seed"), 0, 2**31, key=first(f"{key}-seed", settings.seed)),
        "writer_pattern": st.text_input(
            _("Writer pattern"),
            placeholder=r"input_(\d+)_",
            help=_("A regular expression whose brackets hold the writer in a file's path: a writer stays in one part."),
            key=first(f"{key}-writers", settings.writer_pattern),
        ).strip(),
    }


def _show_form(dataset: Dataset, settings: SplitSettings) -> None:
    with st.form("split"):
        st.markdown("**" + _("Split anew") + "**")
        values = ask_shares(settings, f"shares-{dataset.name}-{settings.model_dump_json()}")  # of another, other fields
        values["name"] = st.text_input(_("Name of the split"), settings.name)
        if (manifest_of(dataset)["given_part"] != "").any():
            values["keep_given"] = st.checkbox(_("Keep the parts that the folders give"), settings.keep_given)
        st.caption(_("Class by class; copies and near copies stay in one part. The same seed gives the same split."))
        if st.form_submit_button(_("Split"), icon=":material/call_split:"):
            with errors_shown():
                made = read_config(SplitSettings, values)
                dataset.split(made)
                st.session_state[_MADE] = made.name
                st.rerun()
