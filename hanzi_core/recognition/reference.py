"""What one wants to know of a character: how it is said, how many strokes it has, how they are written."""

import os
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# Words have readings of their own, which take 44 MB; single characters need none of them.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
from pypinyin import Style, pinyin

from hanzi_core.strokes.frequency import frequencies_per_million
from hanzi_core.strokes.library import StrokeLibrary

_SECONDS_PER_STROKE = 0.45
_ROUNDS = 3
_SIDE = 100
_READING_LIMIT = 3


@lru_cache(4096)
def readings(character: str) -> tuple[str, ...]:
    """Its readings in pinyin with tones, the usual one first; none for what is no Chinese character."""
    if len(character) != 1:
        return ()
    found = pinyin(character, style=Style.TONE, heteronym=True, errors="ignore")
    return tuple(dict.fromkeys(found[0]))[:_READING_LIMIT] if found else ()


def stroke_count(character: str) -> int | None:
    """How many strokes it has; ``None`` where the stroke library lacks it."""
    library = StrokeLibrary.load()
    return len(library.strokes(character)) if character in library else None


def is_common(character: str) -> bool:
    """Whether it is among those that make up nearly all of a text: at least ten in a million characters."""
    return frequencies_per_million().get(character, 0.0) >= 10


@lru_cache(256)
def stroke_order_svg(character: str, size_px: int) -> str | None:
    """The character writing itself, stroke after stroke, three times; ``None`` where the library lacks it.

    Plain SVG with CSS animation in the colour of the text around it, so that it needs neither script nor network.
    Afterwards it rests, for moving pictures eat batteries, and goes on while it is pointed at; it stands still for who
    has asked the system for less motion.
    """
    library = StrokeLibrary.load()
    if character not in library:
        return None
    lines = library.strokes(character)
    period_s = _SECONDS_PER_STROKE * len(lines) + 1.5
    shape = [_path(line) for line in lines]
    faint = "".join(f'<path d="{path}"/>' for path in shape)
    inked = "".join(
        f'<path class="ink" d="{path}" pathLength="1" style="animation-name:w{ord(character):x}-{place}"/>'
        for place, path in enumerate(shape)
    )
    frames = "".join(
        _keyframes(f"w{ord(character):x}-{place}", place * _SECONDS_PER_STROKE / period_s, period_s)
        for place in range(len(shape))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{character}" viewBox="0 0 {_SIDE} {_SIDE}"'
        f' width="{size_px}" height="{size_px}" fill="none" stroke="currentColor" stroke-width="6"'
        ' stroke-linecap="round" stroke-linejoin="round">'
        f"<style>.ink{{stroke-dasharray:1 2;animation-duration:{period_s:.2f}s;animation-iteration-count:{_ROUNDS};"
        f"animation-timing-function:linear}}{frames}svg:hover>g>.ink{{animation-iteration-count:infinite}}"
        "@media (prefers-reduced-motion:reduce){.ink{animation:none}}</style>"
        f'<g opacity=".15">{faint}</g><g>{inked}</g></svg>'
    )


def _path(line: NDArray[np.float32]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in np.asarray(line) * _SIDE)


def _keyframes(name: str, begin: float, period_s: float) -> str:
    """Hidden until its turn, then drawn in the time of one stroke, then there until the character starts anew."""
    end = begin + 0.85 * _SECONDS_PER_STROKE / period_s
    # A dash of no length still shows its round cap: until its turn the stroke is moved out of sight altogether.
    hidden, shown = "stroke-dashoffset:1.1;opacity:0", "stroke-dashoffset:0;opacity:1"
    start = f"{begin:.2%}{{stroke-dashoffset:1;opacity:1}}"
    before = f"0%,{max(begin - 1e-4, 0):.2%}{{{hidden}}}" if begin > 0 else ""
    return f"@keyframes {name}{{{before}{start}{end:.2%},100%{{{shown}}}}}"
