"""Charts as every page shows them."""

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def show_chart(figure: go.Figure, key: str, place: DeltaGenerator | None = None) -> None:
    """A chart at ``place``, else here, as wide as there is room, or as it says itself, in a box that scrolls sideways.

    Without plotly's tools, which on a phone cover legends and titles.
    """
    width = figure.layout.width
    box = (place or st).container(key=f"wide-{key}") if width else place or st
    box.plotly_chart(figure, key=key, width=width or "stretch", config={"displayModeBar": False})
