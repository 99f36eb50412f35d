"""Long tables and grids, a page at a time."""

import pandas as pd
import streamlit as st


def page_of(rows: pd.DataFrame, size: int, key: str) -> pd.DataFrame:
    """The rows of the page that is chosen, ``size`` at most, and above them the pages to choose from if there are more.

    Args:
        rows: All of them.
        size: Rows of a page.
        key: Of the choice; another number of rows begins again at the first page.
    """
    pages = -(-len(rows) // size)
    page = st.pagination(pages, key=f"{key}-{len(rows)}") if pages > 1 else 1
    return rows.iloc[(page - 1) * size : page * size]
