"""A model bundle as the list of models shows it."""

from collections import Counter
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import streamlit as st

from hanzi_core.bundle import CARD, LABELS, Bundle, bundle_folder, shown_name
from hanzi_core.bundle_archive import archive_bundle, archive_name, delete_bundle, is_brought_in
from hanzi_core.errors import BundleError
from hanzi_core.jobs import Job
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.training.config import NO_DATASET
from hanzi_core.workspace import Workspace
from pages.parts.plain_text import escape
from pages.parts.session import errors_shown

LABELS_SHOWN = 2000

METRIC_NAMES = {
    "validation_accuracy": mark("Accuracy in validation"),
    "test_top_1": mark("Top-1 in the test"),
    "test_top_5": mark("Top-5 in the test"),
}


def names_to_choose(bundles: dict[str, Path]) -> dict[str, str]:
    """What to call each bundle where one is chosen; those that are called alike have their key too."""
    names = {key: _name(key, folder) for key, folder in bundles.items()}
    counts = Counter(names.values())
    return {key: f"{name} · {key}" if counts[name] > 1 else name for key, name in names.items()}


def _name(key: str, folder: Path) -> str:
    try:
        return shown_name(_card_name(folder, *((folder / name).stat().st_mtime_ns for name in (CARD, LABELS))))
    except (BundleError, OSError):
        return _("{name} (damaged)").format(name=key)


@lru_cache(maxsize=1024)
def _card_name(folder: Path, *_written: int) -> str:
    """What the card calls it, until card or labels are ``_written`` anew: to read those of 40 models takes 0.2 s."""
    return Bundle.open(folder).card.name


def show_model(space: Workspace, key: str, folder: Path) -> None:
    """What it is, how good it is, what it knows, and the ways on from here; or why it cannot be used."""
    with st.container(border=True):
        card, ways = st.container(), st.container(horizontal=True, vertical_alignment="center")
        with card, errors_shown():
            bundle = Bundle.open(folder)
            _show_card(key, bundle)
            with ways:
                _show_ways_on(space, key, bundle)
        if is_brought_in(space, folder):
            with ways, st.popover(_("Delete"), icon=":material/delete:"):
                _offer_deletion(space, key)


def _show_card(key: str, bundle: Bundle) -> None:
    card = bundle.card
    st.markdown(f"**{escape(bundle.name)}**  \n`{key}`")
    st.caption(escape(" · ".join(_facts(bundle))))
    measured = {_(METRIC_NAMES[name]): value for name, value in card.metrics.items() if name in METRIC_NAMES}
    if measured:
        with st.container(horizontal=True):
            for name, value in measured.items():
                st.metric(name, f"{value:.1%}", width=190)
    with st.expander(_("Characters and card")):
        wanted = st.text_input(_("Find a character"), key=f"wanted-{key}", width=180)
        if wanted := "".join(wanted.split()):
            lacking = "" if wanted in bundle.index else "".join(each for each in wanted if each not in bundle.index)
            told = _("It lacks {characters}.").format(characters=escape(lacking)) if lacking else _("It knows that.")
            st.caption(told)
        more = " …" if len(bundle.labels) > LABELS_SHOWN else ""
        st.markdown(escape(" ".join(bundle.labels[:LABELS_SHOWN])) + more)
        st.json(card.model_dump(), expanded=False)


def _facts(bundle: Bundle) -> list[str]:
    card = bundle.card
    size_mb = sum(path.stat().st_size for path in bundle.folder.iterdir()) / 1e6
    facts = [
        _("{count} characters").format(count=f"{len(bundle.labels):,}"),
        card.network,
        f"{size_mb:.1f} MB",
        f"{datetime.fromtimestamp(card.created):%Y-%m-%d %H:%M}",
    ]
    source = _(NO_DATASET) if card.dataset == NO_DATASET else card.dataset
    return [*facts, source] if source else facts


def link_model(key: str) -> None:
    """To the pages where the model is looked into and used."""
    pages = {
        "evaluation": (_("See what it confuses"), ":material/grid_on:"),
        "recognise": (_("Draw and recognise"), ":material/stylus:"),
    }
    for page, (label, icon) in pages.items():
        st.page_link(f"pages/{page}.py", label=label, icon=icon, query_params={"model": key})


def _show_ways_on(space: Workspace, key: str, bundle: Bundle) -> None:
    link_model(key)
    if bundle.folder == bundle_folder(Job(space.jobs / key)):
        icon = ":material/model_training:"
        st.page_link("pages/training.py", label=_("Its run"), icon=icon, query_params={"run": key})
    _offer_download(key, bundle)


def _offer_deletion(space: Workspace, key: str) -> None:
    st.write(_("The model goes for good. What was trained from it, and what it was measured by, stays."))
    if st.button(_("Delete this model"), type="primary", key=f"delete-{key}"):
        with errors_shown():
            delete_bundle(space, key)
            st.rerun()


def _offer_download(key: str, bundle: Bundle) -> None:
    st.download_button(
        _("Download"),
        lambda: archive_bundle(bundle.folder),
        archive_name(key, bundle.card),
        "application/zip",
        key=f"download-{key}",
        icon=":material/archive:",
        on_click="ignore",
    )
