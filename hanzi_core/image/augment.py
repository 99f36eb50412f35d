"""What may happen to a picture while a model is trained on it: the settings, which a page can show and store."""

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
