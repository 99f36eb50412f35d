"""Divide a dataset, and see what each part got."""

import pandas as pd
import streamlit as st

from hanzi_core.cli.perform import read_config
from hanzi_core.dataset import Dataset, Part, SplitSettings, split_shortfalls
from hanzi_core.dataset.split import PART_NAMES
from hanzi_core.language import gettext as _
from pages.parts.session import errors_shown


def show_split(dataset: Dataset) -> None:
    """The present split, what it could not give, and the form that makes a new one."""
    settings = dataset.splits()["default"]
    _show_parts(dataset)
    with st.form("split"), st.container():
        st.markdown("**" + _("Split anew") + "**")
        columns = st.columns(3)
        values = {
            "validation": columns[0].number_input(_("Validation, %"), 0, 90, round(settings.validation * 100)) / 100,
            "test": columns[1].number_input(_("Test, %"), 0, 90, round(settings.test * 100)) / 100,
            "seed": columns[2].number_input(_("Seed"), 0, 2**31, settings.seed),
        }
        st.caption(_("Class by class; equal files stay on one side. The same seed gives the same split."))
        if st.form_submit_button(_("Split"), icon=":material/call_split:"):
            with errors_shown():
                dataset.split(read_config(SplitSettings, {"name": settings.name, **values}))
                st.rerun()


def _show_parts(dataset: Dataset) -> None:
    manifest, parts = dataset.manifest(), dataset.parts("default")
    table = pd.DataFrame(
        {
            _("Part"): [_(PART_NAMES[part]) for part in Part],
            _("Pictures"): [int((parts == part.value).sum()) for part in Part],
            _("Classes"): [int(manifest.loc[parts == part.value, "label"].nunique()) for part in Part],
        }
    )
    st.dataframe(table, hide_index=True, width=420)
    lacking = split_shortfalls(manifest, parts)
    if lacking.empty:
        st.success(_("Every class is in every part."), icon=":material/check:")
        return
    st.warning(_("{count} classes have too few pictures to be in every part.").format(count=len(lacking)))
    lacking["missing"] = [
        ", ".join(_(PART_NAMES[Part(name)]) for name in missing.split(", ")) for missing in lacking["missing"]
    ]
    names = {"label": _("Character"), "images": _("Pictures"), "missing": _("Not in")}
    st.dataframe(lacking.rename(columns=names), hide_index=True)
