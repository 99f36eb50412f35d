"""Model bundles as zip files: taken along, brought in from elsewhere, which is to say, not trusted, and let go."""

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np

from hanzi_core.bundle import CARD, LABELS, MODEL, WEIGHTS, Bundle, choose_bundle, find_bundles
from hanzi_core.errors import BundleError
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, check_name, let_go, new_folder, sweep, writing

_SIZE_LIMITS = {CARD: 2**20, LABELS: 4 * 2**20, MODEL: 2**30, WEIGHTS: 2 * 2**30}
"""Bytes that each file of a bundle may have; a bundle has no other files, and only the weights may be missing."""
_PIECE = 2**20
_BUILDING = ".incoming"


def archive_bundle(folder: Path) -> bytes:
    """The bundle in ``folder`` as a zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _SIZE_LIMITS:
            if (folder / name).is_file():
                archive.write(folder / name, name)
    return buffer.getvalue()


def bring_in_bundle(workspace: Workspace, archive: Path, name: str) -> Bundle:
    """Unpack ``archive`` as the model ``name`` of the workspace, once it has proved to be a bundle that answers.

    Only the four files of a bundle are taken from it, by their names, wherever else it would put something.

    Raises:
        BundleError: it is no zip, lacks a file, holds one that is too large, or the network does not answer.
        WorkspaceError: the name cannot be used, or the disk is full; nothing half-made is left.
    """
    target = workspace.models / check_name(name)
    taken = {key.casefold() for key in find_bundles(workspace)}
    if target.exists() or target.name.casefold() in taken:
        raise BundleError(mark("There is already a model “{name}”: choose another name."), name=target.name)
    sweep(workspace.models)
    with writing(workspace.models), new_folder(workspace.models, _BUILDING) as building:
        _unpack(archive, building)
        _check_answers(Bundle.open(building))
        building.rename(target)
    return Bundle.open(target)


def is_brought_in(workspace: Workspace, folder: Path) -> bool:
    """Whether the bundle in ``folder`` came from elsewhere: it is neither the built-in one nor that of a run."""
    return folder.parent == workspace.models


def delete_bundle(workspace: Workspace, model: str) -> None:
    """Remove the model with the key ``model``, which was brought in, from the workspace.

    Raises:
        BundleError: there is none, or it was not brought in.
        WorkspaceError: the disk does not let us.
    """
    folder = choose_bundle(workspace, model)
    if not is_brought_in(workspace, folder):
        raise BundleError(
            mark("“{model}” was not brought in: the built-in model stays, and that of a run goes when the run goes."),
            model=model,
        )
    let_go(folder)


def _check_answers(bundle: Bundle) -> None:
    """See that the network answers to two pictures at once, which is as much as any page asks of it."""
    model, side_px = bundle.load(), bundle.card.image_size_px
    try:
        output = model.predict(np.zeros((2, side_px, side_px), np.uint8))
        if output.probabilities.shape != (2, len(bundle.labels)) or output.embedding.shape[:-1] != (2,):
            raise ValueError(output.probabilities.shape, output.embedding.shape)
    except Exception as error:  # whatever the runtime raises in the middle of a network that it could load
        raise BundleError(
            mark("The model “{name}” is damaged: it cannot answer to a picture."), name=bundle.name
        ) from error


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            members = {Path(info.filename).name: info for info in opened.infolist() if not info.is_dir()}
            for name, limit in _SIZE_LIMITS.items():
                if name in members:
                    _extract(opened, members[name], folder / name, limit)
                elif name != WEIGHTS:
                    raise BundleError(mark("{file} is no model bundle: it lacks {name}."), file=archive.name, name=name)
    except Exception as error:  # zlib.error, lzma.LZMAError: each compression has its own; bzip2 an empty OSError
        if isinstance(error, BundleError) or (isinstance(error, OSError) and error.errno):
            raise
        raise BundleError(mark("{file} is damaged or no zip: pack it again."), file=archive.name) from error


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, limit: int) -> None:
    """Unpack one file piece by piece; never more of it comes than its directory entry promises."""
    if member.file_size > limit:
        raise BundleError(mark("{name} is too large to be part of a model bundle."), name=member.filename)
    with archive.open(member) as packed, path.open("xb") as file:
        shutil.copyfileobj(packed, file, _PIECE)
