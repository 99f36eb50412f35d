"""What another model made of the same pictures."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from hanzi_core.errors import DatasetError
from hanzi_core.evaluation.comparison import Comparison, compare, side_by_side
from hanzi_core.evaluation.predictions import EvaluationConfig, list_evaluations
from hanzi_core.jobs import Job
from hanzi_core.jobs.store import State
from hanzi_core.language import gettext as _
from hanzi_core.language import sentences
from hanzi_core.workspace import Workspace
from pages.parts.choice import choose
from pages.parts.evaluated_caveats import show_caveats_of_other
from pages.parts.evaluated_pictures import show_evaluated
from pages.parts.plain_text import escape, show_error

_UNLIKELY, _TINY = 0.05, 0.001


def show_comparison(
    space: Workspace,
    job: Job,
    predictions: pd.DataFrame,
    names: dict[str, str],
    read: Callable[[Path], pd.DataFrame],
) -> None:
    """Another model that was evaluated on the same part, to be chosen; what it does better, down to the pictures.

    Args:
        space: The workspace.
        job: The evaluation that is shown.
        predictions: Of it.
        names: What each model is called.
        read: Gives the predictions in an evaluation's folder, counted as those that are shown.
    """
    shown = EvaluationConfig.model_validate(job.config)
    others = dict(_others(space, shown, names))
    if not others:
        st.info(
            _("No other model has been evaluated on these pictures: choose one above, and evaluate it."),
            icon=":material/info:",
        )
        return
    other = choose(_("Compare with"), {model: names[model] for model in others}, "other")
    this, that = names[shown.model], names[other]
    show_caveats_of_other(space, others[other], that)
    try:
        pairs = side_by_side(predictions, read(others[other].folder))
    except DatasetError as error:
        show_error(error)
        return
    if pairs.empty:
        st.info(_("The two have no picture in common: evaluate both again."), icon=":material/info:")
        return
    found = compare(pairs)
    st.markdown(_verdict(found, this, that))
    _show_counts(found)
    _show_pictures(job, pairs, this, that)


def _others(space: Workspace, shown: EvaluationConfig, names: dict[str, str]) -> Iterator[tuple[str, Job]]:
    """Other models, each with its finished evaluations of the same pictures, the newest last."""
    for other, asked in reversed(list(list_evaluations(space))):
        is_of_these = asked.model_copy(update={"model": shown.model}) == shown
        is_other = asked.model != shown.model and asked.model in names
        if is_of_these and is_other and other.status().state is State.FINISHED:
            yield asked.model, other


def _verdict(found: Comparison, this: str, that: str) -> str:
    """Which is better, and whether that may be chance."""
    better, worse = (this, that) if found.difference >= 0 else (that, this)
    if found.difference == 0:
        return _("Both read equally many of the {images} pictures right.").format(images=f"{found.images:,}")
    told = _("**{better}** reads {points} points more of the {images} pictures right than **{worse}**.").format(
        better=escape(better),
        worse=escape(worse),
        points=f"{100 * abs(found.difference):.2f}",
        images=f"{found.images:,}",
    )
    if found.chance < _UNLIKELY:
        why = _("That is hardly chance: p {chance} (McNemar's test).")
    else:
        why = _("That may be chance: p {chance} (McNemar's test).")
    chance = f"= {found.chance:.2g}" if found.chance >= _TINY else f"< {_TINY:g}"
    return sentences(told, why.format(chance=chance))


def _show_counts(found: Comparison) -> None:
    """How often both, one or none was right; on a phone their names would be cut to what they have in common."""
    counts = {
        _("Both right"): found.both,
        _("Only this one right"): found.first_alone,
        _("Only the other right"): found.second_alone,
        _("Both wrong"): found.neither,
    }
    with st.container(horizontal=True):
        for name, count in counts.items():
            st.metric(name, f"{count:,}", border=True)


def _show_pictures(job: Job, pairs: pd.DataFrame, this: str, that: str) -> None:
    """Those that one alone has read right."""
    right, other_right = pairs["rank"] == 1, pairs["other_rank"] == 1
    sides = ((this, right & ~other_right, "other_predicted"), (that, ~right & other_right, "predicted_1"))
    for place, (model, chosen, taken_for) in zip(st.columns(2), sides, strict=True):
        rows = by_turns(pairs[chosen])
        if rows.empty:
            continue
        with place:
            st.markdown(_("Only **{model}** reads these right").format(model=escape(model)))
            captions = [f"{label} → {taken}" for label, taken in zip(rows["label"], rows[taken_for], strict=True)]
            show_evaluated(job, rows, captions, _("Below each, what is written, and what the other took it for."))


def by_turns(rows: pd.DataFrame) -> pd.DataFrame:
    """One picture of each character first, then a second: else the first forty are of one large class."""
    return rows.iloc[np.argsort(rows.groupby("label").cumcount(), kind="stable")]
