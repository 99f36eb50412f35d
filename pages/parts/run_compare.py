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
from pages.parts.run_view import epochs, is_at_work, kept, rows_of, speed_of
from pages.parts.session import errors_shown, workspace
from pages.parts.setting_names import readable

MARK = "background-color: rgba(178, 58, 46, 0.18)"
BEST = "background-color: rgba(46, 139, 87, 0.25)"

_ACCURACY, _LOSS, _SPEED = mark("Best in validation, %"), mark("Lowest loss in validation"), mark("Images/s")
_BETTER = {_ACCURACY: "max", _LOSS: "min", _SPEED: "max"}
"""Which value of a figure is the best."""
_OTHER_PICTURES = mark(
    "These runs are validated on different pictures: neither accuracy nor loss tells which is better."
)
_OTHER_SMOOTHING = mark("Losses of different label smoothing cannot be compared.")
_DOUBTFUL = {_OTHER_PICTURES: (_ACCURACY, _LOSS), _OTHER_SMOOTHING: (_LOSS,)}

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
    with errors_shown():  # one of them may be thrown away while we look
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
    doubt = _doubt(list(runs.values()))
    better = {figure for figure in _BETTER if figure not in _DOUBTFUL.get(doubt, ())}
    st.table(written(reached).apply(_best_marked, axis=1, better=better))
    if doubt:
        st.caption(_(doubt))


def _show_settings(runs: dict[str, Job]) -> None:
    """The settings of each run, those that differ first and marked."""
    presets = list_presets(workspace())
    settings = pd.DataFrame({escape(name): readable(run.config, presets) for name, run in runs.items()})
    differ = settings.nunique(axis=1) > 1
    ordered = pd.concat([settings[differ], settings[~differ]])
    st.caption(_("Settings, those that differ first"))
    st.table(ordered.style.apply(_marked, axis=1))


def _reached(run: Job) -> dict[str, float | None]:
    rows = rows_of(run)
    best = kept(run, rows)
    return {
        _(_ACCURACY): 100 * best["val_accuracy"] if best else None,
        _("in epoch"): best["epoch"] if best else None,
        _("after"): best["elapsed_s"] if best else None,
        _(_LOSS): min((row["val_loss"] for row in rows if "val_loss" in row), default=None),
        _(_SPEED): speed_of(rows),
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


def _doubt(runs: list[Job]) -> str:
    """Why a better figure makes no better run, if it does not."""
    configs = [run.config for run in runs]
    digests = {found["split_digest"] for run in runs if (found := run.result()) and found.get("split_digest")}

    def differ(*settings: str) -> bool:
        return len({tuple(config.get(name) for name in settings) for config in configs}) > 1

    if len(digests) > 1 or differ("dataset", "split", "rehearsal", "keep_last"):
        return _OTHER_PICTURES
    return _OTHER_SMOOTHING if differ("label_smoothing") else ""


def _best_marked(row: pd.Series, better: set[str]) -> list[str]:
    """Colour the best of a figure: the highest accuracy and speed, the lowest loss; to peak early is no merit."""
    best_of = {_(name): which for name, which in _BETTER.items() if name in better}
    if row.name not in best_of or row.nunique() < 2:
        return [""] * len(row)
    best = row.agg(best_of[row.name])
    return [BEST if value == best else "" for value in row]


def _marked(row: pd.Series) -> list[str]:
    """Colour a setting in which the runs differ."""
    return [MARK if row.nunique() > 1 else ""] * len(row)
