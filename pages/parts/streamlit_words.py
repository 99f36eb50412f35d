"""Streamlit's own few words, which it has no setting for, in the reader's language."""

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from hanzi_core.language import current_language
from hanzi_core.language import gettext as _

_NOT_TAKEN = '[data-testid="stFileChip"][aria-invalid="true"] [data-testid="stFileChipName"] + div::after'

_HINT = '[data-testid="InputInstructions"] > span:first-child'
"""What a field says while one types."""


def translate_streamlit() -> None:
    """Put our words over Streamlit's English ones on the buttons that take files and photos, in fields and in lists.

    Of a file that is not taken it says so to the pointer and to screen readers only: that is told to all.
    """
    told = _quoted(" · " + _("Not taken: another kind of file, or too large"))
    st.html(f"<style>{_NOT_TAKEN} {{ content: {told} }}</style>")
    if current_language() == "en":
        return
    words = {
        '[data-testid="stFileUploaderDropzone"] button p': _("Upload"),
        '[data-testid="stCameraInput"]:has(video) button': _("Take a photo"),
        '[data-testid="stCameraInput"]:not(:has(video)) button': _("Clear the photo"),
        _HINT: _("Press Enter to apply"),
        f'[data-testid="stForm"] {_HINT}': _("Press Enter to submit"),
        f'[data-testid="stTextArea"] {_HINT}': _("Press Ctrl or ⌘ and Enter to apply"),
        '[role="listbox"] > [role="option"][style*="contents"] > span': _("Nothing fits"),
    }
    _replace(words)


def file_uploader(label: str, types: Sequence[str], key: str, **options: Any) -> Any:
    """``st.file_uploader``, which also tells in our language how large files may be, and of what ``types``."""
    if current_language() != "en":
        limit = _("At most {size:g} GB a file").format(size=st.get_option("server.maxUploadSize") / 1024)
        text = f"{limit} · {', '.join(types).upper()}"
        _replace({f'.st-key-{key} [data-testid="stFileUploaderDropzoneInstructions"] span': text})
    return st.file_uploader(label, types, key=key, **options)


def _replace(words: dict[str, str]) -> None:
    """Put a text over what stands at each place in the page."""
    rules = [
        f"{place} {{ font-size: 0; white-space: normal }} "
        f"{place}::after {{ font-size: .875rem; content: {_quoted(text)} }}"
        for place, text in words.items()
    ]
    st.html(f"<style>{' '.join(rules)}</style>")


def _quoted(text: str) -> str:
    """As a style sheet takes it."""
    return json.dumps(text, ensure_ascii=False)
