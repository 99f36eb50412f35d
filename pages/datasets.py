"""Datasets: bring a collection in, see what is in it and what is wrong with it, divide it."""

import streamlit as st

from hanzi_core.charts.distribution import class_histogram
from hanzi_core.dataset import Dataset, list_datasets
from hanzi_core.dataset.manifest import usable
from hanzi_core.jobs import list_jobs
from hanzi_core.language import gettext as _
from pages.parts.choice import choose
from pages.parts.dataset_import import show_import_form
from pages.parts.dataset_split import show_split
from pages.parts.dataset_tables import show_faults, show_pictures
from pages.parts.job_panel import watch_until_done
from pages.parts.session import errors_shown, workspace


def show_overview(dataset: Dataset) -> None:
    """The figures that one asks for first."""
    manifest = dataset.manifest()
    counts = manifest.loc[usable(manifest), "label"].value_counts()
    figures = {
        _("Classes"): len(counts),
        _("Pictures"): int(counts.sum()),
        _("With faults"): int((manifest["fault"] != "").sum()),
        _("Smallest class"): int(counts.min()),
        _("Largest class"): int(counts.max()),
    }
    with st.container(horizontal=True):
        for name, value in figures.items():
            st.metric(name, f"{value:,}", border=True, width=150)
    logarithmic = st.toggle(_("Logarithmic"), key="logarithmic")
    st.plotly_chart(class_histogram(counts, logarithmic), key="histogram")


def show_dataset(dataset: Dataset) -> None:
    """One dataset, from the overview down to its files."""
    st.caption(_("Read in place from {location}").format(location=f"`{dataset.description['location']}`"))
    overview, pictures, faults, split = st.tabs([_("Overview"), _("Pictures"), _("Faults"), _("Split")])
    with overview:
        show_overview(dataset)
    with pictures:
        show_pictures(dataset)
    with faults:
        show_faults(dataset)
    with split:
        show_split(dataset)


space = workspace()
st.title(_("Datasets"))
for job in list_jobs(space, "import"):
    if job.status().state.is_active:
        watch_until_done(job)

datasets = {dataset.name: dataset for dataset in list_datasets(space)}
with st.expander(_("Bring in a dataset"), expanded=not datasets, icon=":material/add:"):
    show_import_form(space)

if datasets:
    name = choose(_("Dataset"), {name: name for name in datasets}, "dataset")
    with errors_shown():
        show_dataset(datasets[name])
else:
    st.info(
        _("There is no dataset yet. Bring in a zip or a folder with one folder a character."), icon=":material/info:"
    )
