"""``python -m hanzi_core synthesise``."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.cli.datasets import check_is_new
from hanzi_core.cli.perform import perform, read_config
from hanzi_core.dataset import Dataset, ImportConfig, import_dataset, list_datasets, rescan
from hanzi_core.dataset.importing import is_made_of, take_over
from hanzi_core.errors import DatasetError
from hanzi_core.jobs import Job, Work, list_jobs, trash
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.strokes.character_sets import characters_named
from hanzi_core.strokes.style import StyleError
from hanzi_core.strokes.synthesis import SynthesisConfig, SynthesisResult, remove_written, top_up
from hanzi_core.strokes.synthesis import synthesise as write
from hanzi_core.workspace import Workspace, check_name, let_go, sweep


class StarterConfig(BaseModel):
    """What the simulated hand is to write, and where to: one of the first three."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path | None = Field(None, description="Write here, and import nothing.")
    name: str = Field("", description="Name of a new dataset.")
    top_up: str = Field("", description="Name of a dataset whose classes have too few pictures.")
    remove: bool = Field(False, description="Take away again what was written for the dataset to top up.")
    synthesis: SynthesisConfig


def synthesise(
    context: typer.Context,
    folder: Annotated[
        str | None, typer.Argument(help="Where to write, one folder a character. What is there is kept.")
    ] = None,
    name: Annotated[str, typer.Option(help="Instead: make it a dataset of this name.")] = "",
    top_up: Annotated[
        str,
        typer.Option(help="Instead: fill up each class of this dataset that has fewer than --per-class pictures."),
    ] = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="With --top-up: take away again all that was written for it.")
    ] = False,
    characters: Annotated[
        str,
        typer.Option(
            help="Characters to write; or gb2312-1 (3,755), gb2312-2 (3,008), big5-1 (5,105), library (9,574), or "
            "common-300 (any number of the most frequent ones)."
        ),
    ] = "",
    per_class: Annotated[int, typer.Option(help="Pictures a character.")] = 20,
    style: Annotated[str, typer.Option(help="neat, everyday, running, brush, or mixed.")] = "everyday",
    adjust: Annotated[
        list[str] | None, typer.Option(help="A value of the style to change: slant=0.2, or a range: joins=0.1,0.6.")
    ] = None,
    unknown: Annotated[str, typer.Option(help="Characters that the stroke library lacks: error or skip.")] = "error",
    seed: Annotated[int, typer.Option(help="The same seed writes the same pictures.")] = 0,
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
) -> None:
    """Write characters by a simulated hand: a starter dataset, or more pictures for rare classes of one.

    Started again, it goes on where it was interrupted.
    """
    workspace: Workspace = context.obj
    if job:
        found = Job.find(workspace, job)
    else:
        characters_named(characters)  # or a job would have to keep what no file can hold
        values = {key: value for key, value in context.params.items() if key in SynthesisConfig.model_fields}
        synthesis = read_config(SynthesisConfig, {**values, "adjust": read_adjustments(adjust or [])})
        name = name and check_name(name)
        where = {
            "folder": Path(folder).absolute() if folder else None,
            "name": name,
            "top_up": top_up,
            "remove": remove,
        }
        config = read_config(StarterConfig, {**where, "synthesis": synthesis})
        _check(workspace, config)  # or a job would be left that says to everybody that it failed
        if name:
            check_is_new(workspace, name)
        found = Job.create(workspace, "synthesise", config.model_dump(mode="json"), name or top_up or str(folder))
    code = perform(found, lambda work: _synthesise(work, workspace))
    result = found.result()
    if code or result is None:
        raise typer.Exit(code)
    print(summary(found))
    if result["skipped"]:
        print(_("The stroke library lacks: {skipped}").format(**result))


def summary(job: Job) -> str:
    """What a finished synthesis has done, in the reader's language."""
    done = _("{images} pictures of {characters} characters.") if not job.config["remove"] else _("{images} removed.")
    return done.format(**(job.result() or {}))


def give_up(workspace: Workspace, job: Job) -> None:
    """Throw away a synthesis that has ended, with the pictures that it has written for a dataset that was never made.

    Raises:
        JobError: it is still at work.
        WorkspaceError: the disk does not let us.
    """
    job.check_is_over()
    config = read_config(StarterConfig, job.config)
    place = _place(workspace, config)
    twins = (each for each in list_jobs(workspace, job.kind) if each.config == job.config)
    is_needed = _made_of(workspace, config, place) or any(each.status().state.is_active for each in twins)
    if config.name and place.exists() and not is_needed:
        sweep(place.parent)
        let_go(place)
    trash.throw_away(workspace, job)


def read_adjustments(texts: Sequence[str]) -> dict[str, float | tuple[float, float]]:
    """Values of a style from ``name=value`` or ``name=low,high``.

    Raises:
        StyleError: one is written otherwise.
    """
    found: dict[str, float | tuple[float, float]] = {}
    for text in texts:
        name, _equals, values = text.partition("=")
        try:
            match [float(number) for number in values.split(",")]:
                case [value]:
                    found[name.strip()] = value
                case [low, high]:
                    found[name.strip()] = low, high
                case _:
                    raise ValueError
        except ValueError:
            raise StyleError(
                mark("“{text}” changes no style: write name=number, or name=low,high."), text=text
            ) from None
    return found


def _check(workspace: Workspace, config: StarterConfig) -> None:
    """Make sure that it is said what to do, of a style and a dataset that are there.

    Raises:
        HanziError: it is not.
    """
    if sum(map(bool, (config.folder, config.name, config.top_up))) != 1:
        raise DatasetError(mark("Give a folder to write to, the name of a dataset to make, or that of one to top up."))
    if config.remove and not config.top_up:
        raise DatasetError(
            mark("Only what was written to top up a dataset can be removed: name that dataset with --top-up.")
        )
    if config.top_up:
        Dataset.find(workspace, config.top_up)
    config.synthesis.styles()


def _synthesise(work: Work, workspace: Workspace) -> dict[str, Any]:
    config = read_config(StarterConfig, work.job.config)
    _check(workspace, config)

    result: SynthesisResult
    if config.top_up:
        dataset = Dataset.find(workspace, config.top_up)
        result = remove_written(dataset) if config.remove else top_up(dataset, config.synthesis, work.report)
        rescan(dataset, work.report)
    elif config.folder:
        result = write(config.synthesis, config.folder, work.report)
    else:
        result = _make_dataset(work, workspace, config)
    return result.model_dump()


def _make_dataset(work: Work, workspace: Workspace, config: StarterConfig) -> SynthesisResult:
    """Write a new dataset; of one that was made before its job could say so, do what is left."""
    place = _place(workspace, config)
    if dataset := _made_of(workspace, config, place):
        take_over(dataset, place)
        return write(config.synthesis, dataset.source().location, work.report)
    check_is_new(workspace, config.name, work.job.id)
    result = write(config.synthesis, place, work.report)
    import_dataset(workspace, ImportConfig(location=place, name=config.name, take=True), work.report)
    return result


def _made_of(workspace: Workspace, config: StarterConfig, place: Path) -> Dataset | None:
    """The dataset that was made of the pictures at ``place``, if it has been."""
    named = (dataset for dataset in list_datasets(workspace) if dataset.name == config.name)
    return next((dataset for dataset in named if is_made_of(dataset, place)), None)


def _place(workspace: Workspace, config: StarterConfig) -> Path:
    """Where the pictures of the new dataset grow; one of other characters or another hand grows elsewhere."""
    what = config.synthesis.tag() + config.synthesis.model_dump_json(include={"characters", "per_class"})
    return workspace.root / "handwriting" / f"{config.name}-{zlib.crc32(what.encode()):08x}"
