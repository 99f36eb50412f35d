"""The settings of a run, those that people change first, then all the others."""

import math
from pathlib import Path
from typing import Any

import streamlit as st

from hanzi_core.bundle import find_bundles
from hanzi_core.dataset import list_datasets
from hanzi_core.image.augment import Augmentation
from hanzi_core.image.presets import list_presets
from hanzi_core.language import gettext as _
from hanzi_core.training.config import IMAGENET_NETWORKS, SIMULATED_HAND, Optimiser, Start, TrainingConfig
from hanzi_core.workspace import Workspace
from pages.parts.model_card import names_to_choose
from pages.parts.session import first, first_of
from pages.parts.setting_names import (
    BALANCE_NAMES,
    OF_THE_RUN,
    OPTIMISER_NAMES,
    PRECISION_NAMES,
    SETTING_NAMES,
    START_NAMES,
    dataset_name,
    preset_name,
)


def ask_settings(space: Workspace, defaults: TrainingConfig, key: str) -> dict[str, Any]:
    """What differs from run to run, ``defaults`` first; ``key`` tells the widgets of one form from another's."""
    left, right = st.columns(2)
    values: dict[str, Any] = {
        "epochs": _ask_number(left, "epochs", defaults, key),
        "batch_size": _ask_number(right, "batch_size", defaults, key),
        "time_limit_min": _ask_number(
            left,
            "time_limit_min",
            defaults,
            key,
            step=1.0,
            placeholder=_("none"),
            help=_("Stops then, with the learning rate down by that time, and keeps the best."),
        ),
    }
    values["augmentation"] = _ask_augmentation(right, space, defaults, key).model_dump()
    with st.expander(_("More settings")):
        values |= _ask_start(space, defaults, key)
        is_further = values["start"] is Start.BUNDLE
        values |= _ask_optimiser(defaults, key) | _ask_rest(defaults, key, is_further) | _ask_group(defaults, key)
    return values


def _ask_augmentation(place: Any, space: Workspace, defaults: TrainingConfig, key: str) -> Augmentation:
    """One of the presets, or what a run had whose preset has been changed or deleted since."""
    presets = list_presets(space)
    preset = next((name for name, each in presets.items() if each == defaults.augmentation), OF_THE_RUN)
    if preset == OF_THE_RUN:
        presets = {OF_THE_RUN: defaults.augmentation, **presets}
    chosen = place.selectbox(
        _("Augmentation"), list(presets), format_func=preset_name, key=first(f"{key}-augmentation", preset)
    )
    return presets[chosen]


def _ask_number(place: Any, name: str, defaults: TrainingConfig, key: str, **more: Any) -> Any:
    """A field for the setting ``name``, which takes whatever a run may have."""
    least, most = _limits(name)
    shown_as = "%g" if isinstance(least, float) else None
    label, value = _(SETTING_NAMES[name]), getattr(defaults, name)
    # A field can be emptied again only where nothing is the widget's own value.
    may_be_nothing = TrainingConfig.model_fields[name].annotation in (int | None, float | None)
    empty = {"value": None} if may_be_nothing else {}
    return place.number_input(label, least, most, **empty, format=shown_as, key=first(f"{key}-{name}", value), **more)


def _limits(name: str) -> tuple[float | None, float | None]:
    """The least and the greatest number that a run may have; an open limit is none of them."""
    field = TrainingConfig.model_fields[name]
    kind = int if field.annotation in (int, int | None) else float
    limits = {word: kind(getattr(bound, word)) for bound in field.metadata for word in bound.__match_args__}
    least = limits["ge"] if "ge" in limits else math.nextafter(limits["gt"], math.inf)
    return least, math.nextafter(limits["lt"], -math.inf) if "lt" in limits else limits.get("le")


def _choose(place: Any, label: str, names: dict[Any, str], default: Any, key: str, **more: Any) -> Any:
    return place.selectbox(
        label, list(names), format_func=lambda choice: _(names[choice]), key=first(key, default), **more
    )


def _ask_start(space: Workspace, defaults: TrainingConfig, key: str) -> dict[str, Any]:
    names = START_NAMES if defaults.network in IMAGENET_NETWORKS else dict(list(START_NAMES.items())[:2])
    start = _choose(st, _("First weights"), names, defaults.start, f"{key}-start")
    nothing = {"start": start, "start_bundle": None, "start_file": None, "rehearsal": None, "keep_last": False}
    if start is Start.BUNDLE:
        return nothing | _ask_bundle(space, defaults, key)
    if start is Start.IMAGENET:
        path = st.text_input(_("File on the server"), key=first(f"{key}-file", str(defaults.start_file or "")))
        return nothing | {"start_file": Path(path) if path else None}
    return nothing


def _ask_bundle(space: Workspace, defaults: TrainingConfig, key: str) -> dict[str, Any]:
    """The model to go on from, and what keeps it from forgetting; without that pictures must be held out."""
    left, right = st.columns(2)
    names = names_to_choose(find_bundles(space))
    bundle = left.selectbox(
        _("Model"),
        list(names),
        format_func=names.__getitem__,
        key=first_of(f"{key}-bundle", names, defaults.start_bundle),
        help=_("It is trained further, as a whole; its last layer is fitted to the classes."),
    )
    others = [SIMULATED_HAND, *(dataset.name for dataset in list_datasets(space) if dataset.name != defaults.dataset)]
    rehearsal = right.selectbox(
        _("Rehearse with"),
        others,
        index=None,
        format_func=dataset_name,
        placeholder=_("nothing: it will know these classes alone"),
        key=first(f"{key}-rehearsal", defaults.rehearsal if defaults.rehearsal in others else None),
        help=_("Pictures of what it knows, mixed in so that it forgets little; all its classes are kept."),
    )
    keep_last = defaults.keep_last and rehearsal is not None
    return {"start_bundle": bundle, "rehearsal": rehearsal, "keep_last": keep_last}


def _ask_optimiser(defaults: TrainingConfig, key: str) -> dict[str, Any]:
    left, right = st.columns(2)
    optimiser = _choose(left, _("Optimiser"), OPTIMISER_NAMES, defaults.optimiser, f"{key}-optimiser")
    values = {"optimiser": optimiser, "learning_rate": _ask_number(right, "learning_rate", defaults, key, step=1e-4)}
    if optimiser is Optimiser.SGD:
        values["momentum"] = _ask_number(left, "momentum", defaults, key)
        values["decay"] = _ask_number(right, "decay", defaults, key)
    return values


def _ask_group(defaults: TrainingConfig, key: str) -> dict[str, Any]:
    """Processes that train together, on this machine or on others."""
    left, right = st.columns(2)
    processes = _ask_number(
        left, "processes", defaults, key,
        help=_("More than one train together by JAX; each takes its share of every batch."),
    )  # fmt: skip
    hosts = right.text_input(
        _("Machines"), placeholder=_("this one"), key=first(f"{key}-hosts", " ".join(defaults.hosts)),
        help=_("Names with spaces between; the processes are started there by ssh, in turn."),
    )  # fmt: skip
    return {"processes": processes, "hosts": tuple(hosts.split())}


def _ask_rest(defaults: TrainingConfig, key: str, is_further: bool) -> dict[str, Any]:
    """All the others; ``is_further`` says whether a model is trained further, which has some of its own."""
    left, right = st.columns(2)
    return {
        "image_size_px": _ask_number(left, "image_size_px", defaults, key, disabled=is_further),
        "dropout": _ask_number(right, "dropout", defaults, key, step=0.05, disabled=is_further),
        "weight_decay": _ask_number(left, "weight_decay", defaults, key),
        "label_smoothing": _ask_number(right, "label_smoothing", defaults, key, step=0.05),
        "averaging": _ask_number(
            left, "averaging", defaults, key, step=0.001, help=_("Momentum of the average, 0.999 say; 0 is off.")
        ),
        "early_stopping": _ask_number(right, "early_stopping", defaults, key, placeholder=_("never")),
        "balance": _choose(left, _("Uneven classes"), BALANCE_NAMES, defaults.balance, f"{key}-balance"),
        "precision": _choose(
            right,
            _("Numerical precision"),
            PRECISION_NAMES,
            defaults.precision,
            f"{key}-precision",
            disabled=is_further,
        ),
        "seed": _ask_number(left, "seed", defaults, key),
    }
