"""A dataset in figures: classes, imbalance, sizes, ink."""

import pandas as pd
import streamlit as st

from hanzi_core.charts.distribution import class_histogram, value_histogram
from hanzi_core.dataset import Dataset
from hanzi_core.dataset.statistics import imbalance
from hanzi_core.language import gettext as _
from hanzi_core.language import ngettext, sentences
from hanzi_core.workspace import Workspace
from pages.parts.chart import show_chart
from pages.parts.dataset_facts import counts_of, faults_of, usable_rows
from pages.parts.dataset_top_up import show_top_up
from pages.parts.plain_text import escape


def show_overview(dataset: Dataset, space: Workspace) -> None:
    """The figures that one asks for first, then how pictures are spread."""
    counts = counts_of(dataset)
    if counts.empty:
        st.warning(_("Every picture is excluded or faulty: see the faults."), icon=":material/warning:")
        return
    _show_figures(dataset, counts)
    _show_classes(counts)
    show_top_up(dataset, space)
    _show_pictures(usable_rows(dataset))


def _show_figures(dataset: Dataset, counts: pd.Series) -> None:
    spread = imbalance(counts)
    figures = {
        _("Classes"): f"{len(counts):,}",
        _("Pictures"): f"{int(counts.sum()):,}",
        _("Synthetic"): f"{int(usable_rows(dataset)['synthetic'].sum()):,}",
        _("With faults"): f"{faults_of(dataset)['row'].nunique():,}",
        _("Smallest class"): f"{int(counts.min()):,}",
        _("Largest class"): f"{int(counts.max()):,}",
        _("Largest to smallest"): f"{spread.ratio:.3g} : 1",
        _("Gini coefficient"): f"{spread.gini:.2f}",
    }
    with st.container(horizontal=True):
        for name, value in figures.items():
            st.metric(name, value, border=True, width=150)


def _show_classes(counts: pd.Series) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input(_("Find a character"), key="marked", width=180).strip()
        few = st.number_input(_("Classes under … pictures"), 2, 100_000, 10, key="few", width=200)
        logarithmic = st.toggle(_("Logarithmic"), key="logarithmic")
    small = counts[counts < few]
    words = ngettext(
        "{count} of {all} classes has fewer than {few} pictures.",
        "{count} of {all} classes have fewer than {few} pictures.",
        len(small),
    )
    notes = [words.format(count=f"{len(small):,}", all=f"{len(counts):,}", few=few)]
    if wanted and wanted not in counts.index:
        notes.append(_("There is no class “{label}” among the usable pictures.").format(label=escape(wanted)))
    elif wanted:
        words = ngettext("“{label}” has {count} picture.", "“{label}” has {count} pictures.", int(counts[wanted]))
        notes.append(words.format(label=escape(wanted), count=f"{counts[wanted]:,}"))
    st.caption(sentences(*notes))
    show_chart(class_histogram(counts, logarithmic, wanted), "histogram")


def _show_pictures(rows: pd.DataFrame) -> None:
    light = float(rows["ink_is_light"].mean())
    st.caption(
        _(
            "{dark:.0%} of the pictures are dark ink on light paper, {light:.0%} light on dark; both are read alike."
        ).format(dark=1 - light, light=light)
    )
    left, right = st.columns(2)
    longer = rows[["width_px", "height_px"]].max(axis=1)
    show_chart(value_histogram(longer, _("Longer side, px")), "sizes", left)
    show_chart(value_histogram(100 * rows["ink_coverage"], _("Ink coverage, %")), "coverage", right)
