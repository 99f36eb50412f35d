"""The look that all pages share where Streamlit has no setting for it; what a finger hits is 44 px or larger."""

import streamlit as st

_STYLE = """
<style>
.stMainBlockContainer { padding: 3rem 5rem 1.5rem; }
@media (max-width: 1000px) { .stMainBlockContainer { padding: 3rem 1rem 1.5rem; } }
@media (max-width: 640px) {
  h1 { font-size: 1.4rem !important; padding: .25rem 0 .75rem !important; }
  h2, h3 { font-size: 1.15rem !important; }
  .stMainBlockContainer { padding: 3.9rem 1rem 2rem; }
}
.st-key-page-change, .st-key-finger-on-chart { position: absolute; }
[data-testid="stCheckbox"] label:hover:has([role="switch"]:not(:checked)) > div:first-of-type {
  background-color: color-mix(in srgb, currentColor 30%, transparent) !important;
}
[class*="st-key-wide-"] { overflow-x: auto; }
[class*="st-key-wide-"] * { max-width: none !important; }
[data-testid="stImage"] { column-gap: .5rem; }
[role="tab"]:focus-visible { box-shadow: none !important; outline: 2px solid; outline-offset: -2px; }
@media (hover: none) {
  :is(button, a):is(
    [data-testid^="stBaseButton-"]:not([data-testid$="Toolbar"], [data-testid$="minimal"]),
    [data-testid="stPopoverButton"], [data-testid="stExpandSidebarButton"], [data-testid$="NavLink"], [role="radio"]
  ), [role="tab"], [data-testid="stCheckbox"] label, [role="dialog"] > button {
    min-width: 44px; min-height: 44px;
  }
  [role="tab"] { justify-content: center; flex-shrink: 0; }
  [data-testid="stCheckbox"] label { align-items: center; }
}
</style>
"""


def show_page_style() -> None:
    """Put the style sheet into the page."""
    st.html(_STYLE)
