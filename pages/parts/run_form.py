"""All that one chooses before a run starts.

A clone begins with what another run had; a link from a dataset with that, and one from a page of corrections with the
model that is to learn them.
"""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import streamlit as st
from pydantic import ValidationError
from streamlit.delta_generator import DeltaGenerator

from hanzi_core.bundle import find_bundles
from hanzi_core.cli.perform import start
from hanzi_core.cli.training import checked, chosen_devices, estimated
from hanzi_core.dataset import Dataset, list_datasets
from hanzi_core.errors import TrainingError, of_settings
from hanzi_core.jobs import Job, State
from hanzi_core.jobs.devices import CPU, cores, list_devices, slots
from hanzi_core.jobs.queue import holders
from hanzi_core.language import gettext as _
from hanzi_core.language import listed
from hanzi_core.training.config import SIMULATED_HAND, Network, TrainingConfig
from hanzi_core.training.fine_tuning import fine_tuning
from hanzi_core.training.presets import PRESETS, preset_values
from hanzi_core.workspace import Workspace
from pages.parts.choice import show_next
from pages.parts.dataset_facts import datasets_to_choose
from pages.parts.job_panel import watch_until_done
from pages.parts.model_card import names_to_choose
from pages.parts.plain_text import escape, show_error
from pages.parts.run_settings import ask_settings
from pages.parts.session import errors_shown, first, first_of
from pages.parts.setting_names import SETTING_NAMES

CLONE = "clone-of"
"""Key of the session under which the run to clone is kept."""
STARTED = "runs-started"
"""Key of the session under which is kept how many runs it has started."""
DATASET, START, REHEARSAL = "dataset", "start", "rehearsal"
"""Parameters of a link: the dataset to train on, the model to start from, and the dataset to rehearse with."""


def is_asked_for() -> bool:
    """Whether somebody came here to start a run."""
    return CLONE in st.session_state or DATASET in st.query_params


def show_run_form(space: Workspace) -> None:
    """The form; starting shows the new run."""
    original = _original(space)
    names = [dataset.name for dataset in datasets_to_choose(space)]
    left, right = st.columns(2)
    dataset = left.selectbox(_("Dataset"), names, key=first_of(_key("dataset"), names, original.get("dataset")))
    networks = list(Network)
    network = right.selectbox(
        _("Network"),
        networks,
        format_func=lambda choice: choice.value,
        key=first_of(_key("network"), networks, original.get("network")),
    )
    about = st.empty()
    defaults = TrainingConfig(**{"dataset": dataset, **preset_values(network)})
    if original.get("network") == network:
        try:
            defaults = TrainingConfig(**{**original, "dataset": dataset})
        except ValidationError as error:  # of another version, which has other settings
            show_error(of_settings(TrainingError, error))
    started = st.session_state.get(STARTED, 0)  # the next run is not to be called as the last one
    naming = left.empty()
    devices = _ask_devices(right, space)
    values = _ask_split(left, space, defaults) | ask_settings(space, defaults, _key(network))
    trained = _tell_what_is_trained(about, space, defaults, values["start_bundle"])
    title = naming.text_input(_("Name"), placeholder=f"{dataset} {trained}", key=_key(f"title-{started}"))
    with st.container(horizontal=True):
        begin = st.button(_("Start training"), type="primary", icon=":material/play_arrow:")
        ask = st.button(_("Estimate"), icon=":material/timer:", help=_("Tries a few steps: memory and time."))
    if begin or ask:
        with errors_shown():
            config = checked(space, {**defaults.model_dump(), **values})
            kind = "train" if begin else "estimate"
            job = start(space, kind, config, title or f"{dataset} {trained}", chosen_devices(devices))
            if begin:
                show_next("run", job.id)
                st.session_state[STARTED] = started + 1
                _forget_what_was_asked()
            else:
                st.session_state["estimate"] = job.id
            st.rerun()
    _show_estimate(space, {**defaults.model_dump(), **values}, devices)


def _tell_what_is_trained(place: DeltaGenerator, space: Workspace, defaults: TrainingConfig, model: str | None) -> str:
    """Say what to expect of the network, or that ``model`` goes on with its own; the name of what is trained."""
    if model is None:
        preset = PRESETS[defaults.network]
        command = preset.command.replace("NAME", shlex.quote(defaults.dataset))
        place.caption(f"{_(preset.expect)} ``python -m hanzi_core {command}``")
        return defaults.network.value
    name = names_to_choose(find_bundles(space))[model]
    place.caption(
        _("“{model}” is trained further: it keeps its own network, picture size, dropout and precision.").format(
            model=escape(name)
        )
    )
    return name


def _forget_what_was_asked() -> None:
    st.session_state.pop(CLONE, None)
    for name in (DATASET, START, REHEARSAL):
        st.query_params.pop(name, None)


def _key(name: str) -> str:
    """Key of a widget; another clone or link has other widgets, which so begin with its values."""
    asked = st.query_params.get(START) or st.query_params.get(DATASET, "")
    return f"form-{name}-{st.session_state.get(CLONE, '')}-{asked}"


def _original(space: Workspace) -> dict[str, Any]:
    """The settings to begin with; says whose they are."""
    if CLONE not in st.session_state:
        return _linked(space) if is_asked_for() else {}
    with errors_shown():
        job = Job.find(space, st.session_state[CLONE])
        st.caption(_("With the settings of “{run}”.").format(run=escape(job.title)))
        if gone := listed(_gone(space, job.config)):
            told = _("No longer there: {names}. Look at what is chosen in its place.").format(names=gone)
            st.warning(told, icon=":material/warning:")
        return job.config
    return {}


def _gone(space: Workspace, config: dict[str, Any]) -> Iterator[str]:
    """What a run had that cannot be chosen any more."""
    datasets = {dataset.name: dataset for dataset in list_datasets(space)}
    own = datasets.get(config["dataset"])
    there = {
        "dataset": datasets,
        "split": own.splits() if own else {config["split"]},
        "start_bundle": find_bundles(space),
        "rehearsal": {SIMULATED_HAND, *datasets},
    }
    for name, choices in there.items():
        if (value := config.get(name)) and value not in choices:
            yield f"{_(SETTING_NAMES[name])} “{escape(value)}”"


def _linked(space: Workspace) -> dict[str, Any]:
    """What a link asks for: a dataset to learn, and maybe a model to go on from, and a dataset to rehearse with."""
    dataset, model = st.query_params[DATASET], st.query_params.get(START)
    names = [found.name for found in list_datasets(space)]
    models = find_bundles(space)
    if dataset not in names or model not in [None, *models]:
        st.warning(_("What this link wants to train is no longer there."), icon=":material/warning:")
        return {}
    if model is None:
        return {"dataset": dataset}
    learner = escape(names_to_choose(models)[model])
    st.caption(_("“{model}” learns “{dataset}”.").format(model=learner, dataset=escape(dataset)))
    with errors_shown():
        return fine_tuning(space, model, dataset, st.query_params.get(REHEARSAL)).model_dump(mode="json")
    return {}


def _as_stored(values: dict[str, Any]) -> dict[str, Any] | None:
    """What a job of these settings keeps; ``None`` where they cannot be."""
    with suppress(ValidationError):
        return TrainingConfig(**values).model_dump(mode="json")
    return None


def _ask_split(place: DeltaGenerator, space: Workspace, defaults: TrainingConfig) -> dict[str, str]:
    """Which of the dataset's splits, where it has several."""
    with errors_shown():
        splits = list(Dataset.find(space, defaults.dataset).splits())
        if len(splits) < 2:
            return {"split": splits[0]}
        key = first_of(_key(f"split-{defaults.dataset}"), splits, defaults.split)
        return {"split": place.selectbox(_("Split"), splits, key=key)}
    return {}


def _ask_devices(place: DeltaGenerator, space: Workspace) -> list[str]:
    """One device, or several GPUs that share each batch; under them, in full, for whom one would wait."""
    held = holders(space)
    shown = _devices(held)
    gpus = [key for key in shown if key != CPU]
    if len(gpus) < 2:
        chosen = [place.selectbox(_("Device"), shown, format_func=shown.__getitem__, key=_key("device"))]
    else:
        chosen = place.multiselect(
            _("Devices"), shown, format_func=shown.__getitem__, key=first(_key("devices"), gpus[:1]),
            help=_("Several GPUs share each batch."),
        )  # fmt: skip
    full = [key for key in chosen if len(held.get(key, [])) >= slots(key)]
    if names := listed(f"“{escape(job.title)}”" for key in full for job in held[key]):
        place.caption(_("Held by {runs}; the next one waits for its turn.").format(runs=names))
    return chosen


def _devices(held: dict[str, list[Job]]) -> dict[str, str]:
    """How each device is shown: number and name, free memory, load, and who holds it, which may be long."""
    shown = {}
    for device in list_devices():
        name = _("CPU, {cores} cores").format(cores=cores()) if device.key == CPU else f"{device.key} {device.name}"
        size = _("{size:.0f} GiB free").format(size=device.memory_free_bytes / 2**30)
        facts = [name, size, _("{load} busy").format(load=f"{device.load:.0%}")]
        facts += [_("held by “{run}”").format(run=job.title) for job in held.get(device.key, [])]
        shown[device.key] = " · ".join(facts)
    return shown


def _show_estimate(space: Workspace, values: dict[str, Any], devices: list[str]) -> None:
    """The last estimate that was asked for, or how far it is; one of other settings than ``values`` tells nothing."""
    asked = st.session_state.get("estimate")
    if not asked:
        return
    with errors_shown():
        job = Job.find(space, asked)
        status = job.status()
        if status.state.is_active:
            watch_until_done(job)
        elif job.config != _as_stored(values) or job.devices != tuple(devices) or status.state is State.STOPPED:
            return
        elif found := job.result():
            st.info(estimated(found), icon=":material/timer:")
        else:
            show_error(status.changes[-1])
