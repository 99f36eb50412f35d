"""``python -m hanzi_core synthesise``."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.cli.perform import perform, read_config
from hanzi_core.dataset import ImportConfig, import_dataset
from hanzi_core.errors import DatasetError
from hanzi_core.jobs import Job, Work
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.strokes.synthesis import SynthesisConfig, SynthesisResult
from hanzi_core.strokes.synthesis import synthesise as write
from hanzi_core.workspace import Workspace, check_name

WRITING = mark("Writing characters")


class StarterConfig(BaseModel):
    """A dataset to be written by the simulated hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path | None = Field(None, description="Write here instead, and import nothing.")
    name: str = Field("", description="Name of the new dataset.")
    synthesis: SynthesisConfig


def synthesise(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="Where to write, one folder a character. What is there is kept.")
    ] = None,
    characters: Annotated[
        str, typer.Option(help="Characters to write, or gb2312-1 (3,755), gb2312-2 (3,008) or library (9,574).")
    ] = "",
    per_class: Annotated[int, typer.Option(help="Pictures a character.")] = 20,
    style: Annotated[str, typer.Option(help="neat, everyday, running or brush.")] = "everyday",
    unknown: Annotated[str, typer.Option(help="Characters that the stroke library lacks: error or skip.")] = "error",
    training_only: Annotated[bool, typer.Option(help="Write below train/: never validated or tested on.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed writes the same pictures.")] = 0,
    name: Annotated[str, typer.Option(help="Make it a dataset of this name, instead of giving a folder.")] = "",
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
) -> None:
    """Write a starter dataset by a simulated hand. Started again, it goes on where it was interrupted."""
    workspace: Workspace = context.obj
    if job:
        found = Job.find(workspace, job)
    else:
        values = {key: value for key, value in context.params.items() if key in SynthesisConfig.model_fields}
        config = read_config(
            StarterConfig, {"folder": folder, "name": name, "synthesis": read_config(SynthesisConfig, values)}
        )
        found = Job.create(workspace, "synthesise", config.model_dump(mode="json"), name or str(folder))
    code = perform(found, lambda work: _synthesise(work, workspace))
    result = found.result()
    if code or result is None:
        raise typer.Exit(code)
    print(_("{images} pictures of {characters} characters.").format(**result))
    if result["skipped"]:
        print(_("The stroke library lacks: {skipped}").format(**result))


def _synthesise(work: Work, workspace: Workspace) -> dict[str, Any]:
    config = read_config(StarterConfig, work.job.config)
    folder = config.folder or _place(workspace, config.name)
    result: SynthesisResult = write(config.synthesis, folder, lambda done, total: work.report(WRITING, done, total))
    if not config.folder:
        import_dataset(workspace, ImportConfig(location=folder, name=config.name), work.report)
    return result.model_dump()


def _place(workspace: Workspace, name: str) -> Path:
    """Where the pictures of a dataset called ``name`` belong, if it can be called so and is not there yet."""
    if not name:
        raise DatasetError(mark("Give a folder to write to, or the name of the dataset to make."))
    clean = check_name(name)
    if (workspace.datasets / clean).exists():
        raise DatasetError(mark("There is already a dataset “{name}”: choose another name."), name=clean)
    return workspace.root / "handwriting" / clean
