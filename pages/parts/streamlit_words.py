"""Streamlit's own few words, which it has no setting for, in the reader's language."""

import json

import streamlit as st

from hanzi_core.language import current_language
from hanzi_core.language import gettext as _


def translate_streamlit() -> None:
    """Put our words over Streamlit's English ones on the buttons that take files and photos."""
    if current_language() == "en":
        return
    limit = _("At most {size:g} GB a file").format(size=st.get_option("server.maxUploadSize") / 1024)
    words = {
        '[data-testid="stFileUploaderDropzone"] button p': _("Upload"),
        '[data-testid="stFileUploaderDropzoneInstructions"] span': limit,
        '[data-testid="stCameraInput"]:has(video) button': _("Take a photo"),
        '[data-testid="stCameraInput"]:not(:has(video)) button': _("Clear the photo"),
    }
    quoted = {place: json.dumps(text, ensure_ascii=False) for place, text in words.items()}
    rules = [
        f"{place} {{ font-size: 0 }} {place}::after {{ font-size: .875rem; content: {text} }}"
        for place, text in quoted.items()
    ]
    st.html(f"<style>{' '.join(rules)}</style>")
