"""Augmentations by name: made on a page or by hand, used by training and by augmented files."""

import json
from pathlib import Path

from pydantic import ValidationError

from hanzi_core.errors import WorkspaceError
from hanzi_core.image.augment import CLASSIC, NO_AUGMENTATION, Augmentation
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, check_name, replace_json, writing

BUILT_IN = {"standard": Augmentation(), "classic": CLASSIC, "none": NO_AUGMENTATION}
"""Presets that every workspace has: names are part of configurations and are not translated."""


def list_presets(workspace: Workspace) -> dict[str, Augmentation]:
    """The built-in presets, then those of the workspace by name; files that are none are passed over."""
    presets = dict(BUILT_IN)
    for path in sorted(_folder(workspace).glob("*.json")):
        try:
            presets[path.stem] = Augmentation(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError, ValidationError):
            continue
    return presets


def find_preset(workspace: Workspace, name: str) -> Augmentation:
    """The preset called ``name``.

    Raises:
        WorkspaceError: there is none.
    """
    presets = list_presets(workspace)
    if name not in presets:
        raise WorkspaceError(
            mark("There is no augmentation “{name}”; there are: {known}."), name=name, known=", ".join(presets)
        )
    return presets[name]


def save_preset(workspace: Workspace, name: str, augmentation: Augmentation) -> str:
    """Keep ``augmentation`` under ``name``, in place of an earlier one; the name as it is kept.

    Raises:
        WorkspaceError: it cannot be a name, or is a built-in one.
    """
    name = check_name(name)
    if name in BUILT_IN:
        raise WorkspaceError(mark("“{name}” is built in: choose another name."), name=name)
    folder = _folder(workspace)
    with writing(folder):
        folder.mkdir(exist_ok=True)
    replace_json(folder / f"{name}.json", augmentation.model_dump())
    return name


def delete_preset(workspace: Workspace, name: str) -> None:
    """Forget a preset of the workspace.

    Raises:
        WorkspaceError: there is none of that name.
    """
    path = _folder(workspace) / f"{check_name(name)}.json"
    if not path.exists():
        raise WorkspaceError(mark("There is no augmentation “{name}” in this workspace."), name=name)
    with writing(path):
        path.unlink()


def _folder(workspace: Workspace) -> Path:
    return workspace.root / "augmentations"
