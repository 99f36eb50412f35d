"""Choose a style of the simulated hand: a preset, and sliders that start from it."""

import streamlit as st

from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.strokes.style import PRESETS
from hanzi_core.strokes.synthesis import MIXED
from pages.parts.session import first

STYLE_NAMES = {
    "neat": mark("Neat"),
    "everyday": mark("Everyday"),
    "running": mark("Running"),
    "brush": mark("Brush"),
    MIXED: mark("All in turn"),
}

# Value of the style, its name, the slider's ends, and what it does.
_SLIDERS = {
    mark("Form"): [
        ("sloppiness", mark("Sloppiness"), 0.0, 3.0, mark("How far place, length, angle and bend of strokes stray.")),
        ("slant", mark("Slant"), 0.0, 0.5, mark("How far whole characters lean, one way or the other.")),
        ("drift", mark("Drifting parts"), 0.0, 0.2, mark("How far components come apart or run into each other.")),
        ("tremor", mark("Tremor"), 0.0, 0.03, mark("Of an unsteady hand.")),
    ],
    mark("Movement"): [
        ("joins", mark("Joined strokes"), 0.0, 1.0, mark("How many strokes are written without lifting the pen.")),
        ("smoothing", mark("Haste"), 0.0, 1.0, mark("How much corners are rounded and strokes cut short.")),
        ("cursive", mark("Cursive forms"), 0.0, 1.0, mark("How often a component is abbreviated, where it can be.")),
        ("hook_loss", mark("Lost hooks"), 0.0, 1.0, mark("How many writers leave hooks away.")),
    ],
    mark("Pen"): [
        ("pen_width", mark("Width of the pen"), 0.005, 0.3, mark("As a share of the character's size.")),
        ("pressure", mark("Pressure"), 0.0, 1.0, mark("How much the line swells and thins.")),
        ("taper", mark("Thin ends"), 0.0, 1.0, mark("How much strokes thin out where the pen comes and goes.")),
    ],
    mark("Paper"): [
        ("resolution_px", mark("Resolution, px"), 8.0, 200.0, mark("Of the character on the scan.")),
        ("blur", mark("Blurred"), 0.0, 1.0, mark("Share of the pictures that are out of focus.")),
        ("noise", mark("Grainy"), 0.0, 1.0, mark("Share of the pictures with grain and uneven light.")),
        ("ink_flaws", mark("Patchy ink"), 0.0, 1.0, mark("Share of the pictures whose ink runs dry in places.")),
    ],
}


def choose_preset() -> str:
    """A preset by its key."""
    chosen = st.segmented_control(
        _("Style"),
        list(PRESETS),
        format_func=lambda key: _(STYLE_NAMES[key]),
        required=True,
        key=first("hand-preset", "everyday"),
    )
    return str(chosen)


def adjust_style(name: str) -> dict[str, float | tuple[float, float]]:
    """Sliders for the preset ``name``; what they change of it."""
    changes: dict[str, float | tuple[float, float]] = {}
    for tab, sliders in zip(st.tabs([_(group) for group in _SLIDERS]), _SLIDERS.values(), strict=True):
        for key, label, low, high, explanation in sliders:
            start = _floats(getattr(PRESETS[name], key))
            step, shown = (1.0, "%d") if high > 3 else (high / 100, "percent")
            place = first(f"hand-{name}-{key}", start)
            chosen = tab.slider(_(label), low, high, None, step, format=shown, key=place, help=_(explanation))
            if chosen != start:
                changes[key] = chosen
    if changes:
        st.button(_("Back to the preset"), icon=":material/undo:", on_click=_go_back, args=[name])
    return changes


def _floats(value: float | tuple[float, float]) -> float | tuple[float, float]:
    """A slider takes no whole numbers beside others."""
    return (float(value[0]), float(value[1])) if isinstance(value, tuple) else float(value)


def _go_back(name: str) -> None:
    for sliders in _SLIDERS.values():
        for key, *_rest in sliders:
            st.session_state[f"hand-{name}-{key}"] = _floats(getattr(PRESETS[name], key))
