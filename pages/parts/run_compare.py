"""Several runs over each other: curves, best values, and the settings in which they differ."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from hanzi_core.charts.curves import AXIS_NAMES, Axis, compared_curves
from hanzi_core.errors import HanziError
from hanzi_core.image.presets import list_presets
from hanzi_core.jobs import Job
from hanzi_core.language import duration, mark
from hanzi_core.language import gettext as _
from pages.parts.chart import show_chart
from pages.parts.plain_text import escape
from pages.parts.run_view import epochs, is_at_work, rows_of
from pages.parts.session import workspace
from pages.parts.setting_names import readable

MARK = "background-color: rgba(178, 58, 46, 0.18)"
BEST = "background-color: rgba(46, 139, 87, 0.25)"

_REFRESH_S = 2.0
"""While a run is at work: several runs are read at each, and nobody waits for a comparison second by second."""


def show_comparison(runs: dict[str, Job], names: dict[str, str]) -> None:
    """Choose runs, and see them together."""
    asked = [key for key in st.query_params.get_all("compare") if key in runs]
    chosen = st.multiselect(
        _("Runs"),
        list(runs),
        default=asked or list(runs)[:2],
        format_func=names.__getitem__,
        placeholder=_("Choose runs"),
    )
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
    compared = {f"{runs[key].title} · {key[-4:]}": runs[key] for key in chosen}
    at_work = _at_work(compared)
    if at_work:
        _show_live(compared, axis, at_work)
    else:
        _show(compared, axis)
    _show_settings(compared)


def _at_work(runs: dict[str, Job]) -> list[str]:
    """Those that are still changing; one whose folder was deleted meanwhile changes no more."""
    found = []
    for name, run in runs.items():
        with suppress(HanziError):
            if is_at_work(run, run.status()):
                found.append(name)
    return found


@st.fragment(run_every=_REFRESH_S)
def _show_live(runs: dict[str, Job], axis: Axis, drawn: list[str]) -> None:
    """The list of runs names their states, so the whole page is drawn anew when one of ``drawn`` has ended."""
    _show(runs, axis)
    if _at_work(runs) != drawn:
        st.rerun()


def _show(runs: dict[str, Job], axis: Axis) -> None:
    """Curves, and what each run reached by now, the best marked."""
    histories = {name: rows_of(run) for name, run in runs.items()}
    for place, figure_of in zip(st.columns(2), ("accuracy", "loss"), strict=True):
        chart = compared_curves(histories, figure_of, axis)
        show_chart(chart, f"compared-{figure_of}", place)
    reached = pd.DataFrame({escape(name): _reached(run) for name, run in runs.items()})  # a table reads Markdown
    st.table(written(reached).apply(_best_marked, axis=1))


def _show_settings(runs: dict[str, Job]) -> None:
    """The settings of each run, those that differ first and marked."""
    presets = list_presets(workspace())
    settings = pd.DataFrame({escape(name): readable(run.config, presets) for name, run in runs.items()})
    differ = settings.nunique(axis=1) > 1
    ordered = pd.concat([settings[differ], settings[~differ]])
    st.caption(_("Settings, those that differ first"))
    st.table(ordered.style.apply(_marked, axis=1))


def _reached(run: Job) -> dict[str, float | None]:
    rows = [row for row in rows_of(run) if "val_accuracy" in row]
    best = max(rows, key=lambda row: row["val_accuracy"], default=None)
    return {
        _("Best in validation, %"): 100 * best["val_accuracy"] if best else None,
        _("in epoch"): best["epoch"] if best else None,
        _("after"): best["elapsed_s"] if best else None,
        _("Lowest loss in validation"): min((row["val_loss"] for row in rows if "val_loss" in row), default=None),
        _("Images/s"): max((row.get("images_per_s", 0) for row in rows), default=None),
    }


def written(reached: pd.DataFrame) -> Styler:
    """What runs have reached, each figure as people write it."""
    table = reached.style.format(_figure, na_rep="–")
    own: dict[str, Callable[[Any], str]] = {_("in epoch"): epochs, _("after"): duration}
    for row, write in own.items():
        table = table.format(write, subset=([row], reached.columns), na_rep="–")
    return table


def _figure(value: Any) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _best_marked(row: pd.Series) -> list[str]:
    """Colour the best of a figure: the highest accuracy and speed, the lowest loss; to peak early is no merit."""
    best_of = {_("Best in validation, %"): row.max, _("Images/s"): row.max, _("Lowest loss in validation"): row.min}
    if row.name not in best_of or row.nunique() < 2:
        return [""] * len(row)
    best = best_of[row.name]()
    return [BEST if value == best else "" for value in row]


def _marked(row: pd.Series) -> list[str]:
    """Colour a setting in which the runs differ."""
    return [MARK if row.nunique() > 1 else ""] * len(row)
