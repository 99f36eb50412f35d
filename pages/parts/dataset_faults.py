"""The faults of a dataset by kind, the files behind each, and which of them to leave out."""

import pandas as pd
import streamlit as st

from hanzi_core.dataset import Dataset, Fault, fault_name
from hanzi_core.dataset.faults import EXCLUDABLE, pictures_beside
from hanzi_core.dataset.pack import sample_pictures
from hanzi_core.image.thumbnail import thumbnail
from hanzi_core.language import gettext as _
from hanzi_core.language import ngettext
from pages.parts.dataset_facts import faults_of, manifest_of, source_of
from pages.parts.paging import page_of
from pages.parts.plain_text import escape
from pages.parts.session import errors_shown

PAGE_SIZE = 100
TILE_PX = 96


def show_faults(dataset: Dataset) -> None:
    """Every kind of fault with its count; the files of the chosen one."""
    faults = faults_of(dataset)
    excluded = int(manifest_of(dataset)["excluded"].sum())
    if excluded:
        words = ngettext(
            "{count} picture is excluded; its file stays as it is.",
            "{count} pictures are excluded; their files stay as they are.",
            excluded,
        )
        st.caption(words.format(count=f"{excluded:,}"))
    if faults.empty:
        st.success(_("Every file can be used."), icon=":material/check:")
        return
    counts = faults["fault"].value_counts()
    kinds = [fault for fault in Fault if fault.value in counts.index]
    _show_kinds(dataset, kinds, counts)
    csv = faults.drop(columns="row").to_csv(index=False).encode("utf-8-sig")  # marked, or Excel takes it for Latin-1
    st.download_button(
        _("Download this list"), csv, f"{dataset.name}-faults.csv", "text/csv", icon=":material/download:"
    )
    kind = st.selectbox(
        _("Files with"),
        kinds,
        format_func=lambda fault: f"{_(fault_name(fault))} · {counts[fault]:,}",
        key="fault-kind",
    )
    _show_files(dataset, kind, faults[faults["fault"] == kind.value])


def _show_kinds(dataset: Dataset, kinds: list[Fault], counts: pd.Series) -> None:
    """A box for each kind; those that nothing can be done with are ticked for good."""
    chosen = dataset.excluded_kinds()
    with st.form("kinds", width="content"):
        st.caption(_("Ticked kinds are left out; no file is touched."))
        ticked = {
            kind: st.checkbox(
                f"{_(fault_name(kind))} · {counts[kind.value]:,}",
                kind in chosen or kind not in EXCLUDABLE,
                key=f"kind-{dataset.name}-{kind.value}-{kind in chosen}",
                disabled=kind not in EXCLUDABLE,
            )
            for kind in kinds
        }
        applied = st.form_submit_button(_("Apply"), icon=":material/filter_alt:")
    if applied:
        wanted = {kind for kind, is_ticked in ticked.items() if is_ticked}
        _exclude(dataset, (wanted | chosen - set(kinds)) & set(EXCLUDABLE), set(_by_hand(dataset)))


def _by_hand(dataset: Dataset) -> pd.Series:
    manifest = manifest_of(dataset)
    return manifest.loc[manifest["excluded_by_hand"], "path"]


def _exclude(dataset: Dataset, kinds: set[Fault], paths: set[str]) -> None:
    with errors_shown():
        dataset.exclude(kinds, paths)
        st.rerun()


def _show_files(dataset: Dataset, kind: Fault, faults: pd.DataFrame) -> None:
    """The files of one kind, paged; those selected can be left out or taken back."""
    shown = page_of(faults, PAGE_SIZE, f"faults-{kind}")
    # Paths last, which may be longer than a phone is wide.
    names = {"excluded": _("Excluded"), "label": _("Character"), "path": _("File"), "detail": _("Concerns")}
    if kind not in EXCLUDABLE:  # never used anyway: an empty box would say otherwise
        del names["excluded"]
    # Above the table, for on a phone the table's own buttons cover what stands there.
    st.caption(_("Select files to see them, to leave them out or to take them back."))
    table = st.dataframe(
        shown[list(names)].rename(columns=names),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"files-{dataset.name}-{kind}-{len(faults)}-{shown.index[0]}",
    )
    selected = shown.iloc[table.selection.rows]
    if selected.empty:
        return
    by_hand = set(_by_hand(dataset))
    with st.container(horizontal=True):
        if kind in EXCLUDABLE and st.button(_("Exclude these"), icon=":material/block:"):
            _exclude(dataset, dataset.excluded_kinds(), by_hand | set(selected["path"]))
        if by_hand & set(selected["path"]) and st.button(_("Take these back"), icon=":material/undo:"):
            _exclude(dataset, dataset.excluded_kinds(), by_hand - set(selected["path"]))
    _show_beside(dataset, selected.head(12))


def _show_beside(dataset: Dataset, faults: pd.DataFrame) -> None:
    """Each file, and beside it the other file that it concerns."""
    wanted = pictures_beside(faults, manifest_of(dataset))
    pictures = sample_pictures(source_of(dataset), wanted)
    found = [(picture, path) for picture, path in zip(pictures, wanted, strict=True) if picture is not None]
    if found:
        st.image(
            [thumbnail(picture, TILE_PX) for picture, _path in found],
            caption=[escape(path[-24:]) for _picture, path in found],
            width=TILE_PX,
        )
