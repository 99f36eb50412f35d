"""What a hand is like: how far it strays from the model, how it joins strokes, what it writes with and on what.

Lengths are shares of the character's size. A value named in the plural form ``(low, high)`` is a range from which each
simulated writer draws one value; every other figure is the standard deviation of what varies, or a share from 0 to 1.
"""

from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hanzi_core.errors import HanziError, of_settings
from hanzi_core.language import mark


class StyleError(HanziError):
    """A style of the simulated hand that does not exist, or lies out of range."""


Share = Annotated[float, Field(ge=0, le=1)]
Spread = Annotated[float, Field(ge=0, le=0.5)]
Shares = tuple[Share, Share]
Factor = Annotated[float, Field(ge=0, le=3)]


class HandStyle(BaseModel):
    """The distribution of writers, pens and papers that one style stands for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # The whole character
    slant: Spread = 0.08
    tilt: Spread = 0.05  # horizontals rise to the right
    rotation_degrees: Annotated[float, Field(ge=0, le=45)] = 3.0
    aspect: Spread = 0.13
    tallness: Spread = 0.17  # how much taller than the model, on average, as a logarithm
    warp: Spread = 0.025
    # Its components
    cursive: Share = 0.1  # abbreviated, in characters that have such forms
    drift: Spread = 0.025
    component_scale: Spread = 0.08
    # Its strokes
    sloppiness: Annotated[tuple[Factor, Factor], Field(description="multiplies what follows")] = (0.4, 1.6)
    place: Spread = 0.02
    length: Spread = 0.1
    angle_degrees: Annotated[float, Field(ge=0, le=45)] = 5.0
    bend: Spread = 0.04
    tremor: Spread = 0.004
    # Its movement
    smoothing: Shares = (0.05, 0.5)
    joins: Shares = (0.0, 0.3)
    hook_loss: Share = 0.4
    drop: Share = 0.0
    # The pen
    pen_width: Shares = (0.02, 0.07)
    pressure: Shares = (0.0, 0.5)
    taper: Shares = (0.0, 0.5)
    nib: Shares = (0.0, 0.2)
    # Ink and paper
    resolution_px: tuple[Annotated[float, Field(ge=8, le=512)], Annotated[float, Field(ge=8, le=512)]] = (16, 110)
    blur: Share = 0.4
    noise: Share = 0.35
    jpeg: Share = 0.2
    ink_flaws: Share = 0.3

    @model_validator(mode="after")
    def _ranges_ascend(self) -> Self:
        for name in ("sloppiness", "smoothing", "joins", "pen_width", "pressure", "taper", "nib", "resolution_px"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(mark("a range must ascend from 0 or more, like joins=0.1,0.6"))
        if self.pen_width[0] < 0.005:
            raise ValueError(mark("a pen must be 0.005 wide or more"))
        return self


PRESETS: dict[str, HandStyle] = {
    "neat": HandStyle(
        slant=0.05,
        tilt=0.04,
        rotation_degrees=2,
        aspect=0.1,
        tallness=0.0,
        warp=0.02,
        cursive=0.0,
        drift=0.02,
        component_scale=0.07,
        sloppiness=(0.3, 1.2),
        smoothing=(0.0, 0.3),
        joins=(0.0, 0.04),
        hook_loss=0.5,
        pen_width=(0.015, 0.05),
        pressure=(0.0, 0.15),
        taper=(0.0, 0.1),
        nib=(0.0, 0.05),
        resolution_px=(56, 110),
        blur=0.08,
        noise=0.04,
        jpeg=0.05,
        ink_flaws=0.01,
    ),
    "everyday": HandStyle(),
    "running": HandStyle(
        slant=0.12,
        tilt=0.08,
        rotation_degrees=5,
        aspect=0.16,
        warp=0.035,
        cursive=0.4,
        drift=0.035,
        component_scale=0.12,
        sloppiness=(0.6, 1.8),
        place=0.025,
        length=0.14,
        angle_degrees=7,
        bend=0.06,
        smoothing=(0.15, 0.85),
        joins=(0.1, 0.8),
        hook_loss=0.6,
        drop=0.02,
        pen_width=(0.015, 0.07),
        pressure=(0.0, 0.6),
        taper=(0.0, 0.6),
        nib=(0.0, 0.3),
    ),
    "brush": HandStyle(
        slant=0.08,
        tilt=0.09,
        rotation_degrees=4,
        aspect=0.16,
        tallness=0.07,
        warp=0.03,
        cursive=0.4,
        drift=0.035,
        component_scale=0.12,
        sloppiness=(0.5, 1.6),
        length=0.13,
        angle_degrees=6,
        bend=0.06,
        smoothing=(0.1, 0.9),
        joins=(0.0, 0.75),
        hook_loss=0.25,
        drop=0.01,
        pen_width=(0.05, 0.22),
        pressure=(0.3, 1.0),
        taper=(0.2, 0.9),
        nib=(0.1, 0.6),
        blur=0.12,
        noise=0.08,
        jpeg=0.15,
        ink_flaws=0.15,
    ),
}
"""``neat`` is drawn with a mouse or on a tablet, ``everyday`` with a pen on paper."""


def blend(one: HandStyle, other: HandStyle, share: float) -> HandStyle:
    """A style between two: every figure ``share`` of the way, 0 to 1, from ``one`` to ``other``."""
    values = {}
    for name in HandStyle.model_fields:
        begin, end = np.array(getattr(one, name)), np.array(getattr(other, name))
        values[name] = (begin + share * (end - begin)).tolist()
    return HandStyle.model_validate(values)


def style_named(name: str, **changes: float | tuple[float, float]) -> HandStyle:
    """The preset ``name``, with ``changes`` to single values.

    Raises:
        StyleError: no such preset or value, or a value out of range.
    """
    if name not in PRESETS:
        raise StyleError(
            mark("There is no style “{name}”: choose one of {names}."), name=name, names=", ".join(PRESETS)
        )
    try:
        return HandStyle.model_validate({**PRESETS[name].model_dump(), **changes})
    except ValidationError as error:
        raise of_settings(StyleError, error) from error
