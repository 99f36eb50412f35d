"""Several runs over each other: curves, best values, and the settings in which they differ."""

import pandas as pd
import streamlit as st

from hanzi_core.charts.curves import AXIS_NAMES, Axis, compared_curves
from hanzi_core.jobs import Job
from hanzi_core.language import gettext as _
from pages.parts.run_view import rows_of

MARK = "background-color: rgba(178, 58, 46, 0.18)"


def show_comparison(runs: dict[str, Job], names: dict[str, str]) -> None:
    """Choose runs, and see them together."""
    asked = [key for key in st.query_params.get_all("compare") if key in runs]
    chosen = st.multiselect(_("Runs"), list(runs), default=asked or list(runs)[:2], format_func=names.__getitem__)
    st.query_params["compare"] = chosen
    if not chosen:
        st.info(_("Choose two runs or more."), icon=":material/info:")
        return
    axis = st.segmented_control(
        _("Over"),
        list(Axis),
        default=Axis.EPOCH,
        format_func=lambda each: _(AXIS_NAMES[each]),
        key="axis",
        required=True,
    )
    histories = {f"{runs[key].title} · {key[-4:]}": rows_of(runs[key]) for key in chosen}
    for place, figure_of in zip(st.columns(2), ("accuracy", "loss"), strict=True):
        place.plotly_chart(compared_curves(histories, figure_of, axis), key=f"compared-{figure_of}")
    st.dataframe(_table([runs[key] for key in chosen]).style.apply(_marked, axis=1), height="content")


def _table(runs: list[Job]) -> pd.DataFrame:
    """A column a run: what it reached, then every setting."""
    return pd.DataFrame({f"{run.title} · {run.id[-4:]}": _reached(run) | _settings(run) for run in runs})


def _reached(run: Job) -> dict[str, str]:
    epochs = [row for row in rows_of(run) if "val_accuracy" in row]
    best = max(epochs, key=lambda row: row["val_accuracy"], default=None)
    return {
        _("Best in validation"): f"{best['val_accuracy']:.2%}" if best else "–",
        _("in epoch"): f"{best['epoch']:g}" if best else "–",
        _("after minutes"): f"{best['elapsed_s'] / 60:.1f}" if best else "–",
        _("Images/s"): f"{max(row.get('images_per_s', 0) for row in epochs):,.0f}" if epochs else "–",
    }


def _settings(run: Job) -> dict[str, str]:
    flat = pd.json_normalize(run.config).iloc[0]
    return {str(name): "–" if value is None else str(value) for name, value in flat.items()}


def _marked(row: pd.Series) -> list[str]:
    """Colour a setting in which the runs differ."""
    return [MARK if row.nunique() > 1 else ""] * len(row)
