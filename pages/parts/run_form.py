"""All that one chooses before a run starts."""

import streamlit as st

from hanzi_core.cli.perform import start
from hanzi_core.cli.training import DEFAULTS, checked
from hanzi_core.dataset import list_datasets
from hanzi_core.language import gettext as _
from hanzi_core.training.config import Network
from hanzi_core.workspace import Workspace
from pages.parts.session import errors_shown


def show_run_form(space: Workspace) -> None:
    """The form; starting shows the new run."""
    datasets = {dataset.name: dataset for dataset in list_datasets(space)}
    with st.form("run-form", border=False):
        first, second = st.columns(2)
        dataset = first.selectbox(_("Dataset"), list(datasets), key="run-dataset")
        network = second.selectbox(_("Network"), list(Network), format_func=lambda choice: choice.value)
        epochs = first.number_input(_("Epochs"), 1, 10_000, DEFAULTS.epochs)
        batch_size = second.number_input(_("Batch size"), 2, 8192, DEFAULTS.batch_size)
        title = first.text_input(_("Name"), placeholder=f"{dataset} {network}")
        time_limit_min = second.number_input(
            _("Time limit, minutes"), 0.0, value=None, placeholder=_("none"), help=_("Stops then, and keeps the best.")
        )
        with st.expander(_("More settings")):
            left, right = st.columns(2)
            rate = left.number_input(_("Learning rate"), 1e-6, 1.0, DEFAULTS.learning_rate, format="%g", step=1e-4)
            smoothing = right.number_input(_("Label smoothing"), 0.0, 0.9, DEFAULTS.label_smoothing, step=0.05)
            decay = left.number_input(_("Weight decay"), 0.0, 1.0, DEFAULTS.weight_decay, format="%g", step=0.01)
            seed = right.number_input(_("Seed"), 0, 2**31, DEFAULTS.seed)
        begin = st.form_submit_button(_("Start training"), type="primary", icon=":material/play_arrow:")
    if not begin:
        return
    values = {
        "dataset": dataset,
        "network": network,
        "epochs": epochs,
        "batch_size": batch_size,
        "time_limit_min": time_limit_min or None,
        "learning_rate": rate,
        "label_smoothing": smoothing,
        "weight_decay": decay,
        "seed": seed,
    }
    with errors_shown():
        job = start(space, "train", checked(space, values), title or f"{dataset} {network}")
        st.session_state["run"] = job.id
        st.rerun()
