"""The settings of a run, those that people change first, then all the others."""

from pathlib import Path
from typing import Any

import streamlit as st

from hanzi_core.bundle import find_bundles
from hanzi_core.dataset import list_datasets
from hanzi_core.image.presets import list_presets
from hanzi_core.language import gettext as _
from hanzi_core.training.config import IMAGENET_NETWORKS, SIMULATED_HAND, Optimiser, Start, TrainingConfig
from hanzi_core.workspace import Workspace
from pages.parts.model_card import names_to_choose
from pages.parts.setting_names import BALANCE_NAMES, OPTIMISER_NAMES, PRECISION_NAMES, START_NAMES, dataset_name


def ask_settings(space: Workspace, defaults: TrainingConfig, key: str) -> dict[str, Any]:
    """What differs from run to run, ``defaults`` first; ``key`` tells the widgets of one form from another's."""
    left, right = st.columns(2)
    values: dict[str, Any] = {
        "epochs": left.number_input(_("Epochs"), 1, 10_000, defaults.epochs, key=f"{key}-epochs"),
        "batch_size": right.number_input(_("Batch size"), 2, 8192, defaults.batch_size, key=f"{key}-batch"),
        "time_limit_min": left.number_input(
            _("Time limit, minutes"),
            0.1,
            value=defaults.time_limit_min,
            placeholder=_("none"),
            help=_("Stops then, and keeps the best."),
            key=f"{key}-limit",
        ),
    }
    presets = list_presets(space)
    preset = next((name for name, each in presets.items() if each == defaults.augmentation), next(iter(presets)))
    chosen = _choose(right, _("Augmentation"), {name: name for name in presets}, preset, f"{key}-augmentation")
    values["augmentation"] = presets[chosen].model_dump()
    with st.expander(_("More settings")):
        values |= _ask_start(space, defaults, key) | _ask_optimiser(defaults, key) | _ask_rest(defaults, key)
        values |= _ask_group(defaults, key)
    return values


def _choose(place: Any, label: str, names: dict[Any, str], default: Any, key: str) -> Any:
    choices = list(names)
    return place.selectbox(
        label, choices, index=choices.index(default), format_func=lambda choice: _(names[choice]), key=key
    )


def _ask_start(space: Workspace, defaults: TrainingConfig, key: str) -> dict[str, Any]:
    names = START_NAMES if defaults.network in IMAGENET_NETWORKS else dict(list(START_NAMES.items())[:2])
    start = _choose(st, _("First weights"), names, defaults.start, f"{key}-start")
    nothing = {"start": start, "start_bundle": None, "start_file": None, "rehearsal": None}
    if start is Start.BUNDLE:
        return nothing | _ask_bundle(space, defaults, key)
    if start is Start.IMAGENET:
        path = st.text_input(_("File on the server"), str(defaults.start_file or ""), key=f"{key}-file")
        return nothing | {"start_file": Path(path) if path else None}
    return nothing


def _ask_bundle(space: Workspace, defaults: TrainingConfig, key: str) -> dict[str, Any]:
    """The model to go on from, and what keeps it from forgetting."""
    left, right = st.columns(2)
    names = names_to_choose(find_bundles(space))
    bundle = left.selectbox(
        _("Model"),
        list(names),
        index=list(names).index(defaults.start_bundle) if defaults.start_bundle in names else 0,
        format_func=names.__getitem__,
        key=f"{key}-bundle",
        help=_("Its body is kept, its head refitted."),
    )
    others = [SIMULATED_HAND, *(dataset.name for dataset in list_datasets(space) if dataset.name != defaults.dataset)]
    rehearsal = right.selectbox(
        _("Rehearse with"),
        others,
        index=others.index(defaults.rehearsal) if defaults.rehearsal in others else None,
        format_func=dataset_name,
        placeholder=_("nothing: it will know these classes alone"),
        key=f"{key}-rehearsal",
        help=_("Pictures of what it knows, mixed in so that it forgets little; all its classes are kept."),
    )
    return {"start_bundle": bundle, "rehearsal": rehearsal}


def _ask_optimiser(defaults: TrainingConfig, key: str) -> dict[str, Any]:
    left, right = st.columns(2)
    optimiser = _choose(left, _("Optimiser"), OPTIMISER_NAMES, defaults.optimiser, f"{key}-optimiser")
    rate = right.number_input(
        _("Learning rate"), 1e-6, 1.0, defaults.learning_rate, step=1e-4, format="%g", key=f"{key}-rate"
    )
    values = {"optimiser": optimiser, "learning_rate": rate}
    if optimiser is Optimiser.SGD:
        values["momentum"] = left.number_input(_("Momentum"), 0.0, 0.999, defaults.momentum, key=f"{key}-momentum")
        values["decay"] = right.number_input(
            _("Decay every 10,000 steps"), 0.01, 1.0, defaults.decay, key=f"{key}-decay"
        )
    return values


def _ask_group(defaults: TrainingConfig, key: str) -> dict[str, Any]:
    """Processes that train together, on this machine or on others."""
    left, right = st.columns(2)
    processes = left.number_input(
        _("Processes"), 1, 1024, defaults.processes, key=f"{key}-processes",
        help=_("More than one train together by JAX; each takes its share of every batch."),
    )  # fmt: skip
    hosts = right.text_input(
        _("Machines"), " ".join(defaults.hosts), placeholder=_("this one"), key=f"{key}-hosts",
        help=_("Names with spaces between; the processes are started there by ssh, in turn."),
    )  # fmt: skip
    return {"processes": processes, "hosts": tuple(hosts.split())}


def _ask_rest(defaults: TrainingConfig, key: str) -> dict[str, Any]:
    left, right = st.columns(2)
    return {
        "image_size_px": left.number_input(_("Picture size, px"), 32, 256, defaults.image_size_px, key=f"{key}-size"),
        "dropout": right.number_input(_("Dropout"), 0.0, 0.95, defaults.dropout, step=0.05, key=f"{key}-dropout"),
        "weight_decay": left.number_input(
            _("Weight decay"), 0.0, 1.0, defaults.weight_decay, format="%g", step=0.01, key=f"{key}-weight-decay"
        ),
        "label_smoothing": right.number_input(
            _("Label smoothing"), 0.0, 0.9, defaults.label_smoothing, step=0.05, key=f"{key}-smoothing"
        ),
        "averaging": left.number_input(
            _("Averaged weights"),
            0.0,
            0.9999,
            defaults.averaging,
            format="%g",
            step=0.001,
            key=f"{key}-averaging",
            help=_("Momentum of the average, 0.999 say; 0 is off."),
        ),
        "early_stopping": right.number_input(
            _("Stop after epochs without progress"),
            1,
            value=defaults.early_stopping,
            placeholder=_("never"),
            key=f"{key}-early",
        ),
        "balance": _choose(left, _("Uneven classes"), BALANCE_NAMES, defaults.balance, f"{key}-balance"),
        "precision": _choose(right, _("Precision"), PRECISION_NAMES, defaults.precision, f"{key}-precision"),
        "seed": left.number_input(_("Seed"), 0, 2**31, defaults.seed, key=f"{key}-seed"),
    }
