"""All that one chooses before a run starts; a clone begins with what another run had."""

from typing import Any

import streamlit as st

from hanzi_core.cli.perform import start
from hanzi_core.cli.training import checked, chosen_devices
from hanzi_core.dataset import list_datasets
from hanzi_core.jobs import Job
from hanzi_core.jobs.devices import list_devices
from hanzi_core.jobs.queue import holders
from hanzi_core.language import gettext as _
from hanzi_core.training.config import Network, TrainingConfig
from hanzi_core.training.presets import PRESETS, preset_values
from hanzi_core.workspace import Workspace
from pages.parts.job_panel import duration, watch_until_done
from pages.parts.run_settings import ask_settings
from pages.parts.session import errors_shown

CLONE = "clone-of"
"""Key of the session under which the run to clone is kept."""


def show_run_form(space: Workspace) -> None:
    """The form; starting shows the new run."""
    original = _original(space)
    names = [dataset.name for dataset in list_datasets(space)]
    first, second = st.columns(2)
    dataset = first.selectbox(_("Dataset"), names, index=_place(names, original.get("dataset")), key=_key("dataset"))
    networks = list(Network)
    network = second.selectbox(
        _("Network"),
        networks,
        index=_place(networks, original.get("network")),
        format_func=lambda choice: choice.value,
        key=_key("network"),
        help="  \n".join(f"**{each.value}** {_(PRESETS[each].expect)}" for each in networks),
    )
    defaults = TrainingConfig(**{"dataset": dataset, **preset_values(network)})
    if original and original["network"] == network:
        defaults = TrainingConfig(**{**original, "dataset": dataset})
    title = first.text_input(_("Name"), placeholder=f"{dataset} {network}", key=_key("title"))
    device = second.selectbox(_("Device"), _devices(space), format_func=_devices(space).__getitem__, key=_key("device"))
    values = ask_settings(space, defaults, _key(network))
    with st.container(horizontal=True):
        begin = st.button(_("Start training"), type="primary", icon=":material/play_arrow:")
        ask = st.button(_("Estimate"), icon=":material/timer:", help=_("Tries a few steps: memory and time."))
    if begin or ask:
        with errors_shown():
            config = checked(space, {**defaults.model_dump(), **values})
            kind = "train" if begin else "estimate"
            job = start(space, kind, config, title or f"{dataset} {network}", chosen_devices([device]))
            st.session_state["run" if begin else "estimate"] = job.id
            if begin:
                st.session_state.pop(CLONE, None)
            st.rerun()
    _show_estimate(space)


def _key(name: str) -> str:
    """Key of a widget; another clone has other widgets, which so begin with its values."""
    return f"form-{name}-{st.session_state.get(CLONE, '')}"


def _original(space: Workspace) -> dict[str, Any]:
    """The settings to begin with; says whose they are."""
    if CLONE not in st.session_state:
        return {}
    with errors_shown():
        job = Job.find(space, st.session_state[CLONE])
        st.caption(_("With the settings of “{run}”.").format(run=job.title))
        return job.config
    return {}


def _place(choices: list[Any], wanted: Any) -> int:
    return choices.index(wanted) if wanted in choices else 0


def _devices(space: Workspace) -> dict[str, str]:
    """How each device is shown: name, free memory, load, and who holds it."""
    held, shown = holders(space), {}
    for device in list_devices():
        facts = [device.name, _("{size:.0f} GiB free").format(size=device.memory_free_bytes / 2**30)]
        facts.append(_("{load} busy").format(load=f"{device.load:.0%}"))
        facts += [_("held by “{run}”").format(run=job.title) for job in held.get(device.key, [])]
        shown[device.key] = " · ".join(facts)
    return shown


def _show_estimate(space: Workspace) -> None:
    """The last estimate that was asked for, or how far it is."""
    asked = st.session_state.get("estimate")
    if not asked:
        return
    with errors_shown():
        job = Job.find(space, asked)
        status = job.status()
        if status.state.is_active:
            watch_until_done(job)
        elif found := job.result():
            st.info(
                _("{epoch} an epoch, {total} in all, validation apart; {memory:.1f} GiB; {rate:,.0f} images/s").format(
                    epoch=duration(found["epoch_s"]),
                    total=duration(found["total_s"]),
                    memory=found["memory_bytes"] / 2**30,
                    rate=found["images_per_s"],
                ),
                icon=":material/timer:",
            )
        else:
            st.error(str(status.changes[-1]), icon=":material/error:")
