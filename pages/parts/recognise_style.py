"""The look of the Recognise page where Streamlit has no setting for it."""

import streamlit as st

KAI = "'Kaiti SC', STKaiti, KaiTi, 楷体, 'AR PL UKai CN', 'Noto Serif CJK SC', serif"
"""Faces of handwritten shape, as macOS, Windows and Linux call theirs; a serif where there is none."""

_TOUCH_PX = 44
"""The least side of what a finger is to hit."""

_STYLE = f"""
<style>
[class*="-tools"] button, .st-key-writing button, [class*="choices"] button {{ min-height: {_TOUCH_PX}px; }}
[class*="choices"] button p, [class*="best"] button p {{
  font-family: {KAI}; font-size: 1.9rem; line-height: 1.15; text-align: center;
}}
[class*="best"] button p {{ font-size: 4.4rem; }}
[class*="choices"] button p span, [class*="best"] button p span {{
  display: block; font-family: system-ui, sans-serif; font-size: .8rem; line-height: 1.25; white-space: nowrap;
}}
[class*="best"] button p span {{ font-size: 1rem; }}
[class*="choices"] {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(64px, 1fr)); gap: .5rem; }}
[class*="choices"] > div, [class*="choices"] button {{ width: 100% !important; }}
[class*="choices"] button {{ padding: .35rem .2rem; }}
.st-key-written-box input {{ font-family: {KAI}; font-size: 1.5rem; min-height: {_TOUCH_PX}px; }}
[class*="-manners"] {{ position: absolute; }}
[class*="views"] > div {{ flex: 1 1 0 !important; min-width: 0; }}
.st-key-answer {{ min-width: min(340px, 100%); }}
.stMainBlockContainer {{ padding-top: 3.5rem; }}
@media (hover: none) {{ [class*="-tools"] button kbd {{ display: none; }} }}
@media (max-width: 640px) {{
  [class*="pad-canvas"] {{ zoom: .84; }}
  h1 {{ font-size: 1.5rem !important; padding: .25rem 0 !important; }}
  [class*="best"] button p {{ font-size: 3rem; }}
  .st-key-backspace button p {{ position: absolute; width: 1px; overflow: hidden; clip-path: inset(50%); }}
  .stMainBlockContainer {{ padding: 3.9rem 1rem 2rem; }}
}}
@media (max-width: 360px) {{ [class*="pad-canvas"] {{ zoom: .74; }} }}
</style>
"""


def show_style() -> None:
    """Put the style sheet into the page."""
    st.html(_STYLE)
