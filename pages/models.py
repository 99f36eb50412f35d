"""Models: every bundle that can answer, with its card."""

from datetime import datetime

import streamlit as st

from hanzi_core.bundle import Bundle, find_bundles
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from pages.parts.session import errors_shown, workspace

METRIC_NAMES = {
    "validation_accuracy": mark("Accuracy in validation"),
    "test_top_1": mark("Top-1 in the test"),
    "test_top_5": mark("Top-5 in the test"),
}


def show_bundle(key: str, bundle: Bundle) -> None:
    """One card."""
    card = bundle.card
    with st.container(border=True):
        st.markdown(f"**{card.name}**  \n`{key}`")
        made = datetime.fromtimestamp(card.created)
        facts = [
            _("{count} characters").format(count=f"{len(bundle.labels):,}"),
            card.network,
            f"{made:%Y-%m-%d %H:%M}",
            *([card.dataset] if card.dataset else []),
            *(f"{_(METRIC_NAMES.get(name, name))} {value:.1%}" for name, value in card.metrics.items()),
        ]
        st.caption(" · ".join(facts))
        with st.expander(_("Characters")):
            st.write(" ".join(bundle.labels[:2000]) + (" …" if len(bundle.labels) > 2000 else ""))
        st.page_link(
            "pages/recognise.py", label=_("Draw and recognise"), icon=":material/stylus:", query_params={"model": key}
        )


space = workspace()
st.title(_("Models"))
bundles = find_bundles(space)
if not bundles:
    st.info(_("There is no model yet. Every finished run leaves one."), icon=":material/info:")
    st.page_link("pages/training.py", label=_("Train one"), icon=":material/model_training:")
for key, folder in bundles.items():
    with errors_shown():
        show_bundle(key, Bundle.open(folder))
