"""``python -m hanzi_core dataset …``."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.cli.perform import perform, read_config
from hanzi_core.dataset import Dataset, SplitSettings, fault_name, import_dataset, list_datasets, split_shortfalls
from hanzi_core.dataset.importing import rescan
from hanzi_core.errors import DatasetError
from hanzi_core.jobs import Job, Work
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace

app = typer.Typer(help="Bring in, scan and split datasets.", no_args_is_help=True)


class ImportConfig(BaseModel):
    """What to bring in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: Path = Field(description="Folder or zip on this machine.")
    name: str = Field(description="Name of the new dataset.")
    split: SplitSettings = Field(default_factory=SplitSettings, description="How to divide it.")
    take: bool = Field(False, description="The zip is an upload: move it into the dataset.")


Name = Annotated[str, typer.Argument(help="Name of a dataset in the workspace.")]
Validation = Annotated[float, typer.Option(help="Share of each class to validate on, 0 to 1.")]
Test = Annotated[float, typer.Option(help="Share of each class to test on, 0 to 1.")]
Seed = Annotated[int, typer.Option(help="Seed of the shuffle: the same seed gives the same split.")]


@app.command("import")
def import_(
    context: typer.Context,
    source: Annotated[Path | None, typer.Argument(help="Folder of folders of pictures, or a zip of them.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the dataset [default: that of the source].")] = None,
    validation: Validation = 0.1,
    test: Test = 0.1,
    seed: Seed = 0,
    job: Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)] = None,
) -> None:
    """Bring in a folder or a zip, read in place, never changed: scan every picture and split by class."""
    workspace: Workspace = context.obj
    if job:
        found = Job.find(workspace, job)
    elif source is None:
        raise DatasetError(mark("Give the folder or zip to import."))
    else:
        split = read_config(SplitSettings, {"validation": validation, "test": test, "seed": seed})
        config = ImportConfig(location=source.absolute(), name=name or source.stem, split=split)
        found = Job.create(workspace, "import", config.model_dump(mode="json"), config.name)
    code = perform(found, lambda work: _import(work, workspace))
    if code == 0 and (result := found.result()):
        print(_("{name}: {images} pictures of {classes} classes, {faults} with faults.").format(**result))
    raise typer.Exit(code)


def _import(work: Work, workspace: Workspace) -> dict[str, Any]:
    config = read_config(ImportConfig, work.job.config)

    def report(phase: str, done: int, total: int) -> None:
        work.check()
        work.progress(phase, done, total)

    dataset = import_dataset(workspace, config.location, config.name, config.split, report, take=config.take)
    return {"name": dataset.name, **_counts(dataset)}


def _counts(dataset: Dataset) -> dict[str, int]:
    manifest = dataset.manifest()
    sound = manifest[manifest["fault"] == ""]
    return {
        "images": len(sound),
        "classes": int(sound["label"].nunique()),
        "faults": len(manifest) - len(sound),
    }


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the datasets of the workspace."""
    for dataset in list_datasets(context.obj):
        counts = _counts(dataset)
        print(f"{dataset.name}\t{counts['images']}\t{counts['classes']}\t{dataset.description['location']}")


@app.command("scan")
def scan(context: typer.Context, name: Name) -> None:
    """Read the dataset's source again, keep its splits' settings, and tell what is wrong with which file."""
    dataset = rescan(Dataset.find(context.obj, name), lambda _phase, _done, _total: None)
    manifest = dataset.manifest()
    faulty = manifest[manifest["fault"] != ""]
    for path, fault in zip(faulty["path"], faulty["fault"], strict=True):
        print(f"{_(fault_name(fault))}\t{path}")
    print(
        _("{name}: {images} pictures of {classes} classes, {faults} with faults.").format(name=name, **_counts(dataset))
    )


@app.command("split")
def split(
    context: typer.Context,
    name: Name,
    validation: Validation = 0.1,
    test: Test = 0.1,
    seed: Seed = 0,
    split_name: Annotated[str, typer.Option("--split", help="Name of the split to make or replace.")] = "default",
    keep_given: Annotated[bool, typer.Option(help="Keep the parts that folders train, val and test give.")] = True,
) -> None:
    """Divide a dataset into train, validation and test, class by class; a column of its manifest, no file moves."""
    values = {"name": split_name, "validation": validation, "test": test, "seed": seed, "keep_given": keep_given}
    dataset = Dataset.find(context.obj, name)
    parts = dataset.split(read_config(SplitSettings, values))
    counts = parts[parts != ""].value_counts()
    print("  ".join(f"{part} {counts.get(part, 0)}" for part in ("train", "validation", "test")))
    for row in split_shortfalls(dataset.manifest(), parts).itertuples():
        print(
            _("{label}: {images} pictures, none for {missing}").format(
                label=row.label, images=row.images, missing=row.missing
            )
        )
