"""Charts as every page shows them."""

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def show_chart(figure: go.Figure, key: str, place: DeltaGenerator | None = None) -> None:
    """A chart at ``place``, else here; without plotly's tools, which on a phone cover legends and titles."""
    (place or st).plotly_chart(figure, key=key, config={"displayModeBar": False})
