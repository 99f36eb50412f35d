"""What may happen to a picture while a model is trained on it: the settings, and the same changes on one picture.

Training applies the settings to whole batches on its device (:mod:`hanzi_core.training.distortion`); :func:`augment`
means the same for one picture, for a preview and for augmented files.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class Augmentation(BaseModel):
    """Random changes to a normalised picture; each range is drawn from evenly, anew for every picture and epoch.

    No flips: a mirrored character is another shape.
    """

    model_config = ConfigDict(frozen=True)

    rotation_deg: float = Field(15.0, ge=0, le=45, description="Turn by up to this many degrees either way.")
    shift: float = Field(0.06, ge=0, le=0.5, description="Move by up to this share of the side, in both directions.")
    zoom: float = Field(0.1, ge=0, le=0.5, description="Scale by 1 - this to 1 + this, each direction apart.")
    shear_deg: float = Field(12.0, ge=0, le=45, description="Slant by up to this many degrees either way.")
    contrast: float = Field(0.2, ge=0, le=0.9, description="Multiply the contrast by 1 - this to 1 + this.")
    brightness: float = Field(0.2, ge=0, le=0.9, description="Multiply the brightness by 1 - this to 1 + this.")

    @property
    def is_none(self) -> bool:
        """Whether nothing would ever change."""
        return not any(self.model_dump().values())


NO_AUGMENTATION = Augmentation(rotation_deg=0, shift=0, zoom=0, shear_deg=0, contrast=0, brightness=0)
CLASSIC = Augmentation(rotation_deg=15, shift=5 / 64, zoom=0.1, shear_deg=0, contrast=0.2, brightness=0.2)
"""The five of most scripts: turn by 15°, shift by 5 px of 64, zoom, contrast and brightness."""


@dataclass(frozen=True)
class Change:
    """One draw from an :class:`Augmentation`."""

    angle_rad: float
    slant_rad: float
    scale_x: float
    scale_y: float
    shift_x: float
    """Share of the width."""
    shift_y: float
    """Share of the height."""
    contrast: float
    brightness: float

    @classmethod
    def draw(cls, augmentation: Augmentation, random: np.random.Generator) -> "Change":
        """A change at random; the ranges are even."""

        def within(reach: float) -> float:
            return float(random.uniform(-reach, reach))

        return cls(
            angle_rad=within(math.radians(augmentation.rotation_deg)),
            slant_rad=within(math.radians(augmentation.shear_deg)),
            scale_x=1 + within(augmentation.zoom),
            scale_y=1 + within(augmentation.zoom),
            shift_x=within(augmentation.shift),
            shift_y=within(augmentation.shift),
            contrast=1 + within(augmentation.contrast),
            brightness=1 + within(augmentation.brightness),
        )

    def apply(self, picture: NDArray[np.uint8], ground: int = 0) -> NDArray[np.uint8]:
        """The changed picture.

        Args:
            picture: ``uint8`` of shape ``(height, width)``.
            ground: Gray level of what comes in from outside; 0 for a normalised picture.
        """
        height, width = picture.shape
        moved = cv2.warpAffine(
            picture.astype(np.float32),
            self._matrix(width, height),
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=float(ground),
        )
        mean = moved.mean()
        toned = ((moved - mean) * self.contrast + mean) * self.brightness
        return np.clip(toned, 0, 255).astype(np.uint8)

    def _matrix(self, width: int, height: int) -> NDArray[np.float64]:
        """From places in the result to places in the source, about the centre."""
        cos, sin, slant = math.cos(self.angle_rad), math.sin(self.angle_rad), math.tan(self.slant_rad)
        turn = np.array(
            [
                [cos / self.scale_x, (cos * slant - sin) / self.scale_x],
                [sin / self.scale_y, (sin * slant + cos) / self.scale_y],
            ]
        )
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        offset = np.array([self.shift_x * width, self.shift_y * height]) + centre - turn @ centre
        return np.column_stack([turn, offset])


def augment(
    picture: NDArray[np.uint8], augmentation: Augmentation, random: np.random.Generator, ground: int = 0
) -> NDArray[np.uint8]:
    """``picture`` after one change drawn from ``augmentation``; see :meth:`Change.apply`."""
    return Change.draw(augmentation, random).apply(picture, ground)


def paper_level(gray: NDArray[np.uint8]) -> int:
    """The gray level of the paper, told by the edge of a picture."""
    return int(np.median(np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])))
