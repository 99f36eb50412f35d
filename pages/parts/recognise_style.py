"""The look of the Recognise page alone, where Streamlit has no setting for it."""

import streamlit as st

KAI = "'Kaiti SC', STKaiti, KaiTi, 楷体, 'AR PL UKai CN', 'Noto Serif CJK SC', serif"
"""Faces of handwritten shape, as macOS, Windows and Linux call theirs; a serif where there is none."""

_TOUCH_PX = 44
"""The least side of what a finger is to hit."""

_STYLE = f"""
<style>
[class*="-tools"] button, .st-key-writing button {{ min-height: {_TOUCH_PX}px; }}
.st-key-written-box input {{ font-family: {KAI}; font-size: 1.5rem; min-height: {_TOUCH_PX}px; }}
.st-key-written-box input::placeholder {{
  font: .875rem "Source Sans", sans-serif; transform: translateY(-.2rem);
}}
[class*="-manners"] {{ position: absolute; }}
[class*="views"] > div {{ flex: 1 1 0 !important; min-width: 0; }}
.st-key-answer, .st-key-picture-answer {{ min-width: min(340px, 100%); }}
@media (max-width: 1000px) {{ div:has(> .st-key-picture-answer) {{ order: -1; }} }}
@media (hover: none) {{ [class*="-tools"] button kbd {{ display: none; }} }}
@media (max-width: 640px) {{
  [class*="pad-canvas"] {{ zoom: .84; }}
  .st-key-backspace button p {{ position: absolute; width: 1px; overflow: hidden; clip-path: inset(50%); }}
}}
@media (max-width: 360px) {{ [class*="pad-canvas"] {{ zoom: .74; }} }}
</style>
"""


def show_style() -> None:
    """Put the style sheet into the page."""
    st.html(_STYLE)
