"""Model bundles as zip files: taken along, brought in from elsewhere, which is to say, not trusted, and let go."""

import io
import shutil
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from hanzi_core.bundle import CARD, LABELS, MODEL, WEIGHTS, Bundle, Card, choose_bundle, find_bundles, shown_place
from hanzi_core.dataset.archive import bursts
from hanzi_core.errors import BundleError, WorkspaceError
from hanzi_core.jobs import list_jobs
from hanzi_core.jobs.store import State, is_job_id
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, check_name, let_go, new_folder, sweep, writing

_SIZE_LIMITS = {CARD: 2**20, LABELS: 4 * 2**20, MODEL: 2**30, WEIGHTS: 2 * 2**30}
"""Bytes that each file of a bundle may have; a bundle has no other files, and only the weights may be missing."""
_PIECE = 2**20
_BURST_RATIO = 100
"""A file that packs so well holds no weights, which hardly pack at all."""
_NAME_LIMIT = 200
_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
"""Bidirectional classes (UAX #9) of characters that turn the writing around them."""
_BUILDING = ".incoming"


def archive_bundle(folder: Path) -> bytes:
    """The bundle in ``folder`` as a zip file.

    Raises:
        BundleError: there is no bundle any more.
    """
    buffer = io.BytesIO()
    try:
        # A system without a clock dates files before 1980, which no zip can.
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for name in _SIZE_LIMITS:
                if name != WEIGHTS or (folder / name).is_file():
                    archive.write(folder / name, name)
    except OSError as error:
        raise BundleError(
            mark("The model in {folder} cannot be read: it may have been deleted."), folder=folder.name
        ) from error
    return buffer.getvalue()


def archive_name(key: str, card: Card) -> str:
    """What to call the zip file of the model ``key``: that of a run as its card does, where a file can be called so."""
    if is_job_id(key):
        with suppress(WorkspaceError):
            return f"{check_name(card.name)}.zip"
    return f"{key}.zip"


def bring_in_bundle(workspace: Workspace, archive: Path, name: str) -> Bundle:
    """Unpack ``archive`` as the model ``name`` of the workspace, once it has proved to be a bundle that answers.

    Only the four files of a bundle are taken from it, by their names, wherever else it would put something.

    Raises:
        BundleError: it is no zip, lacks a file, holds one that is too large or of another model, or the network does
            not answer.
        WorkspaceError: the name cannot be used, or the disk is full; nothing half-made is left.
    """
    _check_free(workspace, name)
    sweep(workspace.models)
    with writing(workspace.models), new_folder(workspace.models, _BUILDING) as building:
        _unpack(archive, building)
        with _called(building, archive.name):
            bundle = Bundle.open(building)
            _check_texts(bundle)
            _check_answers(bundle)
            if (building / WEIGHTS).is_file():
                bundle.file(WEIGHTS)
        # A file that was exported from a run has its id for a name, by which that run is found if it comes back.
        target = _check_free(workspace, bundle.card.name if is_job_id(name) else name)
        building.rename(target)
    return Bundle.open(target)


@contextmanager
def _called(folder: Path, name: str) -> Iterator[None]:
    """Have errors call ``folder`` as its archive is: nobody has heard of where it is unpacked."""
    place = shown_place(folder)
    try:
        yield
    except BundleError as error:
        template, values = error.sentence.template, error.sentence.values
        named = {key: value.replace(place, name) if isinstance(value, str) else value for key, value in values.items()}
        raise BundleError(template, **named) from error


def _check_free(workspace: Workspace, name: str) -> Path:
    """Where a model called ``name`` would lie."""
    target = workspace.models / check_name(name)
    taken = {key.casefold() for key in find_bundles(workspace)}
    if target.exists() or target.name.casefold() in taken:
        raise BundleError(mark("There is already a model “{name}”: choose another name."), name=target.name)
    return target


def _check_texts(bundle: Bundle) -> None:
    """See that nothing in it takes a terminal or a page for a ride: escape sequences, turned writing, endless names."""
    texts = (bundle.card.name, *bundle.labels)
    if len(bundle.card.name) > _NAME_LIMIT or any(map(_steers, "".join(texts))):
        raise BundleError(mark("The model has a name or labels that cannot be shown: it was not made here."))


def _steers(character: str) -> bool:
    return unicodedata.category(character) == "Cc" or unicodedata.bidirectional(character) in _TURNING


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
    for job in list_jobs(workspace, "train"):
        if job.config.get("start_bundle") == model and job.status().state is not State.FINISHED:
            raise BundleError(
                mark("“{job}” starts from “{model}” and is not finished: let it finish, or delete it first."),
                job=job.title,
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
    if bursts(member, _BURST_RATIO) or member.file_size > limit:
        raise BundleError(mark("{name} is too large to be part of a model bundle."), name=member.filename)
    with archive.open(member) as packed, path.open("xb") as file:
        shutil.copyfileobj(packed, file, _PIECE)
