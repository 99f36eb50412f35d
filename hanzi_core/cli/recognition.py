"""``python -m hanzi_core predict``."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from hanzi_core.bundle import choose_bundle
from hanzi_core.cli.perform import perform, read_config
from hanzi_core.dataset.source import open_source
from hanzi_core.errors import BundleError, HanziError, ImageError
from hanzi_core.jobs import Job, Stopped, Work
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.recognition import PLAIN, Favour, Preferences, Reader, Recogniser, Vocabulary
from hanzi_core.recognition.batch import (
    TABLE,
    Faults,
    Picture,
    PredictionConfig,
    pictures_at,
    pictures_in,
    pictures_of,
    recognise_all,
    write_faults,
    write_table,
)
from hanzi_core.recognition.prototypes import TaughtCharacters, TaughtRecogniser
from hanzi_core.workspace import Workspace, writing


def predict(
    context: typer.Context,
    images: Annotated[list[str] | None, typer.Argument(help="Pictures of one character each, folders or zips.")] = None,
    model: Annotated[str | None, typer.Option(help="Run id or name of a model [default: the built-in].")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a table of ten candidates a picture here.")] = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many candidates to print a picture.")] = 5,
    vocabulary: Annotated[
        Vocabulary | None, typer.Option(help="Which characters count [default: list with --listed, else all].")
    ] = None,
    listed: Annotated[str, typer.Option(help="The characters that count, where not all do.")] = "",
    favour: Annotated[Favour, typer.Option(help="Which characters are preferred in doubt.")] = PLAIN.favour,
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
) -> None:
    """Recognise pictures, also in folders and zips: a line each (exit code 2 if one cannot be read), or a table."""
    workspace: Workspace = context.obj
    if job:
        found = Job.find(workspace, job)
        raise typer.Exit(perform(found, lambda work: _perform(work, workspace)))
    if not images or not all(images):
        raise ImageError(mark("Say which pictures or folders to recognise."))
    preferences = Preferences(vocabulary=_vocabulary(vocabulary, listed), listed=listed, favour=favour)
    reader = _reader(workspace, model)
    if lacking := preferences.lacking_words(reader.labels):
        print(lacking, file=sys.stderr)
    pictures = pictures_at(map(Path, images))
    if not pictures:
        raise ImageError(
            mark("No files are in {places}: name pictures, folders of them or zips."),
            places=", ".join(images),
        )
    if csv:  # a row tells what could not be read
        _write(csv, reader, pictures, preferences)
    elif _print(reader, pictures, preferences, count):
        raise typer.Exit(2)


def _vocabulary(named: Vocabulary | None, listed: str) -> Vocabulary:
    """What counts: one's own list where one is given, for a list that is ignored would be no list."""
    if listed and named not in (None, Vocabulary.LIST):
        raise BundleError(
            mark("Either the characters of --listed count, or those of --vocabulary {named}: leave one out."),
            named=named,
        )
    return Vocabulary.LIST if listed else named or PLAIN.vocabulary


def _reader(workspace: Workspace, model: str | None) -> TaughtRecogniser:
    """The model, and what it was taught in this workspace."""
    return TaughtRecogniser(Recogniser.open(choose_bundle(workspace, model)), TaughtCharacters(workspace).all())


def _perform(work: Work, workspace: Workspace) -> dict[str, Any]:
    """The job that a page starts: the table is left in the job's folder."""
    config = read_config(PredictionConfig, work.job.config)
    location = config.location if config.location.is_absolute() else work.folder / config.location
    pictures = pictures_of(open_source(location)) + pictures_in(work.folder / each for each in config.zips)
    reader = _reader(workspace, config.model)
    faults: Faults = []
    stopped = None
    with _new_file(work.folder / TABLE) as file:
        try:
            write_table(file, reader, pictures, config.preferences, report=work.report, faults=faults)
        except Stopped as reason:  # what was read until then is kept
            stopped = reason
        write_faults(work.folder, faults)
    if stopped:
        raise stopped
    return {"images": len(pictures), "faults": len(faults)}


def _write(path: Path, reader: Reader, pictures: list[Picture], preferences: Preferences) -> None:
    def report(phase: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{_(phase)}  {done}/{total}", end="\n" if done == total else "", file=sys.stderr)

    faults: Faults = []
    with _new_file(path) as file:
        write_table(file, reader, pictures, preferences, report=report, faults=faults)
    words = _("{images} pictures, {faults} that cannot be read: {path}")
    print(words.format(images=len(pictures), faults=len(faults), path=path))


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    """A file that takes its name when it is whole: a table that broke off is not taken for all of it."""
    with writing(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        unfinished = path.with_name(f".{path.name}.part")
        try:
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                yield file
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def _print(reader: Reader, pictures: list[Picture], preferences: Preferences, count: int) -> int:
    faults = 0
    for path, answer in recognise_all(reader, pictures, preferences, count):
        if isinstance(answer, HanziError):
            faults += 1
            typer.echo(f"{path}\t{answer}", err=True)
            continue
        candidates = "  ".join(f"{each.label} {each.probability:.1%}" for each in answer.candidates)
        doubt = "\t" + _("not sure") if candidates and not answer.is_sure else ""
        print(f"{path}\t{candidates or _('no ink found')}{doubt}")
    return faults
