"""What tables have in common: how shares are written, and how high they are."""

from typing import Any

import streamlit as st

_ROW_PX = 35
"""A row of a table, and its head."""


def share_column(name: str, width: int | None = None, explanation: str | None = None) -> Any:
    """A column of shares from 0 to 1: each in percent with one digit after the point, and a bar where there is room.

    ``st.column_config.NumberColumn`` cuts 45.45 % off to 45.4 %.
    """
    return st.column_config.ProgressColumn(
        name, help=explanation, format="percent", min_value=0, max_value=1, step=0.001, width=width
    )


def table_height(rows: int, most_px: int) -> int:
    """Of a table that ends with the last of its ``rows``, or scrolls within ``most_px``."""
    return min(most_px, _ROW_PX * (rows + 1) + 3)
