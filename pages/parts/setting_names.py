"""What the settings of a run are called on a page, and how their values read."""

from collections.abc import Mapping
from typing import Any

from hanzi_core.image.augment import Augmentation
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.training.config import OF_THE_MODEL, SIMULATED_HAND, Balance, Optimiser, Precision, Start

SETTING_NAMES = {
    "dataset": mark("Dataset"),
    "split": mark("Split"),
    "network": mark("Network"),
    "image_size_px": mark("Picture size, px"),
    "start": mark("First weights"),
    "start_bundle": mark("Model to start from"),
    "start_file": mark("File of first weights"),
    "rehearsal": mark("Rehearse with"),
    "keep_last": mark("Nothing held out"),
    "epochs": mark("Epochs"),
    "batch_size": mark("Batch size"),
    "optimiser": mark("Optimiser"),
    "learning_rate": mark("Learning rate"),
    "momentum": mark("Momentum"),
    "decay": mark("Decay every 10,000 steps"),
    "weight_decay": mark("Weight decay"),
    "label_smoothing": mark("Label smoothing"),
    "dropout": mark("Dropout"),
    "averaging": mark("Averaged weights"),
    "precision": mark("Numerical precision"),
    "early_stopping": mark("Stop after epochs without progress"),
    "balance": mark("Uneven classes"),
    "augmentation": mark("Augmentation"),
    "seed": mark("Seed"),
    "time_limit_min": mark("Time limit, minutes"),
    "processes": mark("Processes"),
    "hosts": mark("Machines"),
}
START_NAMES = {
    Start.RANDOM: mark("at random"),
    Start.BUNDLE: mark("from a model of ours"),
    Start.IMAGENET: mark("from a file of ImageNet weights"),
}
BALANCE_NAMES = {Balance.NONE: mark("none"), Balance.WEIGHTS: mark("by weights"), Balance.SAMPLING: mark("by sampling")}
PRECISION_NAMES = {
    Precision.AUTO: mark("what the device does well"),
    Precision.MIXED: mark("16 and 32 bits"),
    Precision.FLOAT32: mark("32 bits"),
}
OPTIMISER_NAMES = {Optimiser.ADAMW: "AdamW", Optimiser.SGD: "SGD"}
OF_THE_RUN = ":run"
"""In the place of a preset: the augmentation of a run that is cloned. No preset can be called so."""
_PRESET_NAMES = {
    "standard": mark("standard"),
    "classic": mark("classic"),
    "none": mark("none"),
    OF_THE_RUN: mark("as that run had it"),
}
_VALUE_NAMES: dict[str, Mapping[Any, str]] = {
    "start": START_NAMES,
    "balance": BALANCE_NAMES,
    "precision": PRECISION_NAMES,
    "optimiser": OPTIMISER_NAMES,
}
_OF_SGD = ("momentum", "decay")


def readable(config: Mapping[str, Any], presets: Mapping[str, Augmentation]) -> dict[str, str]:
    """The settings of a run by their names, each as a person reads it; augmentation by the name of its preset."""
    shown = {}
    for name, label in SETTING_NAMES.items():
        value = config.get(name)
        shown[_(label)] = _augmentation(value, presets) if name == "augmentation" else _readable(name, value)
    if config.get("optimiser") == Optimiser.ADAMW:
        shown |= {_(SETTING_NAMES[name]): "–" for name in _OF_SGD}
    if config.get("start") == Start.BUNDLE:
        shown |= {_(SETTING_NAMES[name]): _("the model's own") for name in OF_THE_MODEL}
    return shown


def preset_name(preset: str) -> str:
    """An augmentation as a list shows it; one of the workspace is called as somebody called it."""
    return _(_PRESET_NAMES[preset]) if preset in _PRESET_NAMES else preset


def dataset_name(dataset: str) -> str:
    """A dataset to rehearse with, which may be none but a hand that writes."""
    return _("the simulated hand") if dataset == SIMULATED_HAND else dataset


def _readable(name: str, value: Any) -> str:
    if value in (None, [], ()):
        return "–"
    if name == "rehearsal":
        return dataset_name(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in _VALUE_NAMES:
        return _(_VALUE_NAMES[name].get(value, str(value)))
    return ", ".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)


def _augmentation(value: Any, presets: Mapping[str, Augmentation]) -> str:
    if not value:
        return "–"
    own = Augmentation(**value)
    known = next((name for name, preset in presets.items() if preset == own), None)
    return preset_name(known) if known else ", ".join(f"{name} {each:g}" for name, each in value.items())
