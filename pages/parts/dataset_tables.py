"""The pictures of a dataset, and the files that are no use."""

import streamlit as st

from hanzi_core.dataset import Dataset, fault_name
from hanzi_core.dataset.manifest import usable
from hanzi_core.dataset.pack import sample_pictures
from hanzi_core.language import gettext as _

PAGE_SIZE = 60


def show_pictures(dataset: Dataset) -> None:
    """A grid of samples, of all classes or of one, paged."""
    manifest = dataset.manifest()
    rows = manifest[usable(manifest)]
    counts = rows["label"].value_counts()
    everything = _("All characters")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            _("Character"),
            [everything, *counts.index],
            format_func=lambda name: name if name == everything else f"{name} · {counts[name]}",
            width=260,
        )
        # Of all characters one picture each: a page of sixty classes rather than sixty times the first class.
        chosen = rows.groupby("label").head(1) if label == everything else rows[rows["label"] == label]
        pages = max(1, -(-len(chosen) // PAGE_SIZE))
        page = st.number_input(_("Page (of {pages})").format(pages=pages), 1, pages, width=160)
    shown = chosen.iloc[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    pictures = sample_pictures(dataset.source(), list(shown["path"]))
    found = [(picture, name) for picture, name in zip(pictures, shown["label"], strict=True) if picture is not None]
    if len(found) < len(pictures):
        missing = len(pictures) - len(found)
        st.warning(_("{count} pictures can no longer be read: the source has changed.").format(count=missing))
    if found:
        st.image([picture for picture, _name in found], caption=[name for _picture, name in found], width=80)


def show_faults(dataset: Dataset) -> None:
    """Every file that cannot be used, with the reason; as a table and as CSV."""
    manifest = dataset.manifest()
    faulty = manifest[manifest["fault"] != ""]
    if faulty.empty:
        st.success(_("Every file can be used."), icon=":material/check:")
        return
    table = faulty[["path", "label", "fault", "size_bytes"]].copy()
    table["fault"] = [_(fault_name(fault)) for fault in table["fault"]]
    names = {"path": _("File"), "label": _("Character"), "fault": _("Fault"), "size_bytes": _("Bytes")}
    st.dataframe(table.rename(columns=names), hide_index=True)
    csv = table.to_csv(index=False).encode("utf-8-sig")  # with a mark, or Excel takes Chinese for Latin-1
    st.download_button(
        _("Download this list"), csv, f"{dataset.name}-faults.csv", "text/csv", icon=":material/download:"
    )
