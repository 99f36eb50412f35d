"""``python -m hanzi_core dataset …``."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from pydantic import BaseModel, ConfigDict, Field

from hanzi_core.cli.perform import perform, read_config
from hanzi_core.dataset import (
    Dataset,
    Fault,
    ImportConfig,
    SplitSettings,
    fault_name,
    find_faults,
    find_leaks,
    import_dataset,
    list_datasets,
    rescan,
    split_shortfalls,
)
from hanzi_core.dataset.faults import EXCLUDABLE
from hanzi_core.dataset.importing import free_place, usual_name
from hanzi_core.dataset.leaks import LEAK_NAMES
from hanzi_core.dataset.materialise import MaterialiseConfig, materialise
from hanzi_core.dataset.split import HANGS_TOGETHER, hangs_together
from hanzi_core.dataset.statistics import class_counts
from hanzi_core.errors import DatasetError, HanziError
from hanzi_core.image.presets import find_preset
from hanzi_core.jobs import Job, Work, list_jobs
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace

app = typer.Typer(help="Bring in, check, split and write out datasets.", no_args_is_help=True)


class ScanConfig(BaseModel):
    """What to scan again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(description="Name of the dataset.")


GivenPath = Annotated[
    str | None,  # no path: an empty one would be the current folder
    typer.Argument(help="Folder of pictures, zip, .gnt file or folder of them."),
]
Name = Annotated[str, typer.Argument(help="Name of a dataset in the workspace.")]
OptionalName = Annotated[str | None, typer.Argument(help="Name of a dataset in the workspace.")]
Prepared = Annotated[str | None, typer.Option(help="Work on this prepared job instead.", hidden=True)]
Validation = Annotated[float, typer.Option(help="Share of each class to validate on, 0 to 1.")]
Test = Annotated[float, typer.Option(help="Share of each class to test on, 0 to 1.")]
Seed = Annotated[int, typer.Option(help="Seed of the shuffle: the same seed gives the same split.")]
Writer = Annotated[
    str,
    typer.Option(help="Regular expression whose group is the writer in a path, as input_(\\d+)_; keeps them apart."),
]
SplitName = Annotated[str, typer.Option("--split", help="Name of the split.")]


def _do(
    workspace: Workspace,
    job: str | None,
    kind: str,
    config: Callable[[], BaseModel],
    title: str | None,
    function: Callable[[Work], dict[str, Any]],
) -> dict[str, Any]:
    """Do a prepared job, or a new one of this ``config``; its result. Ends the command where there is none."""
    if job:
        found = Job.find(workspace, job)
    else:
        values = config().model_dump(mode="json")
        found = Job.create(workspace, kind, values, title or values["dataset"])
    code = perform(found, function)
    result = found.result()
    if code or result is None:
        raise typer.Exit(code)
    return result


def check_is_new(workspace: Workspace, name: str, own: str = "") -> None:
    """Make sure that ``name`` is free for a new dataset: a second one would be refused when all is done.

    Args:
        workspace: Where it will live.
        name: As :func:`~hanzi_core.workspace.check_name` has it.
        own: The job that is to make it, where there is one by now.

    Raises:
        DatasetError: the name is taken or reserved, or another job is making such a dataset.
    """
    taken = free_place(workspace, name).name
    jobs = (job for kind in ("import", "synthesise") for job in list_jobs(workspace, kind))
    others = [job for job in jobs if job.id != own and job.config.get("name") == taken]
    if any(job.status().state.is_active for job in others):
        raise DatasetError(
            mark("A dataset “{name}” is on its way already: wait for it, or choose another name."), name=name
        )


@app.command("import")
def import_(
    context: typer.Context,
    source: GivenPath = None,
    name: Annotated[str | None, typer.Option(help="Name of the dataset [default: that of the source].")] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV, JSON or TXT: file or folder, label.")] = None,
    validation: Validation = 0.1,
    test: Test = 0.1,
    seed: Seed = 0,
    writer_pattern: Writer = "",
    max_unpacked_gib: Annotated[float, typer.Option(help="Refuse a zip that would unpack to more.")] = 64.0,
    max_ratio: Annotated[float, typer.Option(help="Refuse a zip with a file packed tighter than this.")] = 200.0,
    job: Prepared = None,
) -> None:
    """Bring in a collection, read in place, never changed: scan every picture and split by class."""
    workspace: Workspace = context.obj

    def config() -> ImportConfig:
        if not source:
            raise DatasetError(mark("Give the folder, zip or .gnt file to import."))
        shares = {"validation": validation, "test": test, "seed": seed, "writer_pattern": writer_pattern}
        wanted = name or usual_name(Path(source))
        check_is_new(workspace, wanted)
        values = {
            "location": Path(source).absolute(),
            "name": wanted,
            "label_list": labels.absolute() if labels else None,
            "split": read_config(SplitSettings, shares),
            "limits": {"total_gib": max_unpacked_gib, "ratio": max_ratio},
        }
        return read_config(ImportConfig, values)

    title = name or (usual_name(Path(source)) if source else None)
    result = _do(workspace, job, "import", config, title, lambda work: _import(work, workspace))
    print(_("{name}: {images} pictures of {classes} classes, {faults} with faults.").format(**result))


def _import(work: Work, workspace: Workspace) -> dict[str, Any]:
    config = read_config(ImportConfig, work.job.config)
    return counts(import_dataset(workspace, config, work.report))


def counts(dataset: Dataset) -> dict[str, Any]:
    """Name of a dataset, its usable pictures, their classes, and how many files anything is wrong with."""
    manifest = dataset.manifest()
    sizes = class_counts(manifest)
    faults = int(find_faults(manifest)["row"].nunique())
    return {"name": dataset.name, "images": int(sizes.sum()), "classes": len(sizes), "faults": faults}


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the datasets of the workspace: name, pictures, characters, source; of a damaged one what is wrong."""
    for dataset in list_datasets(context.obj):
        try:
            sizes = class_counts(dataset.manifest(["label", "fault", "excluded"]))
            print(f"{dataset.name}\t{sizes.sum()}\t{len(sizes)}\t{dataset.description['location']}")
        except HanziError as error:
            print(f"{dataset.name}\t{error}")


@app.command("scan")
def scan(context: typer.Context, name: OptionalName = None, job: Prepared = None) -> None:
    """Read what has changed in a dataset's source, and divide it anew with the settings of its splits."""
    workspace: Workspace = context.obj

    def config() -> ScanConfig:
        return ScanConfig(dataset=_named(workspace, name))

    def work_on(work: Work) -> dict[str, Any]:
        dataset = Dataset.find(workspace, read_config(ScanConfig, work.job.config).dataset)
        return counts(rescan(dataset, work.report))

    result = _do(workspace, job, "scan", config, None, work_on)
    table = find_faults(Dataset.find(workspace, result["name"]).manifest())
    _print_faults(table[~table["fault"].isin([fault.value for fault in EXCLUDABLE])])
    print(_("{name}: {images} pictures of {classes} classes, {faults} with faults.").format(**result))


def _named(workspace: Workspace, name: str | None) -> str:
    if name is None:
        raise DatasetError(mark("Give the name of a dataset; “dataset list” shows them."))
    return Dataset.find(workspace, name).name


@app.command("faults")
def faults(
    context: typer.Context,
    name: Name,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values with a header.")] = False,
) -> None:
    """List every fault of every file: what is wrong, the file, and the other file or class that it concerns."""
    table = find_faults(Dataset.find(context.obj, name).manifest()).drop(columns="row")
    if csv:
        table.to_csv(sys.stdout, index=False)
        return
    _print_faults(table)


def _print_faults(table: pd.DataFrame) -> None:
    for fault, path, detail in zip(table["fault"], table["path"], table["detail"], strict=True):
        print(f"{_(fault_name(fault))}\t{path}\t{detail}".rstrip())


@app.command("exclude")
def exclude(
    context: typer.Context,
    name: Name,
    fault: Annotated[list[Fault] | None, typer.Option(help="Exclude every picture with this fault.")] = None,
    path: Annotated[list[str] | None, typer.Option(help="Exclude this picture, by its path in the dataset.")] = None,
) -> None:
    """Leave pictures out of training, validation and test; exactly those named, so that none brings all back."""
    dataset = Dataset.find(context.obj, name)
    kinds, paths = set(fault or []), path or []
    if useless := kinds - set(EXCLUDABLE):
        raise DatasetError(
            mark("Pictures with the fault “{fault}” are left out anyway: name one of {known}."),
            fault=min(useless),
            known=", ".join(EXCLUDABLE),
        )
    if unknown := set(paths) - set(dataset.manifest(["path"])["path"]) - dataset.excluded_by_hand():
        raise DatasetError(
            mark("“{name}” holds no {path}: “dataset faults” lists paths as they are in it."),
            name=name,
            path=min(unknown),
        )
    dataset.exclude(kinds, paths)
    excluded = int(dataset.manifest(["excluded"])["excluded"].sum())
    print(_("{name}: {count} pictures excluded.").format(name=name, count=excluded))


@app.command("split")
def split(
    context: typer.Context,
    name: Name,
    validation: Validation = 0.1,
    test: Test = 0.1,
    seed: Seed = 0,
    writer_pattern: Writer = "",
    split_name: SplitName = "default",
    keep_given: Annotated[
        bool, typer.Option(help="Keep the parts that folders train, val and test give; take others from train.")
    ] = True,
) -> None:
    """Divide a dataset into train, validation and test, class by class; a column of its manifest, no file moves."""
    values = {
        "name": split_name,
        "validation": validation,
        "test": test,
        "seed": seed,
        "keep_given": keep_given,
        "writer_pattern": writer_pattern,
    }
    dataset = Dataset.find(context.obj, name)
    settings = read_config(SplitSettings, values)
    parts = dataset.split(settings)
    sizes = parts[parts != ""].value_counts()
    print("  ".join(f"{part} {sizes.get(part, 0)}" for part in ("train", "validation", "test")))
    if hangs_together(parts, settings):
        print(_(HANGS_TOGETHER))
        return
    for row in split_shortfalls(dataset.manifest(["label"]), parts, settings).itertuples():
        print(
            _("{label}: {images} pictures, none for {missing}").format(
                label=row.label, images=row.images, missing=row.missing
            )
        )


@app.command("leaks")
def leaks(context: typer.Context, name: Name, split_name: SplitName = "default") -> None:
    """List pictures and writers that stand in more than one part of a split; exit code 2 if there are any."""
    dataset = Dataset.find(context.obj, name)
    manifest = dataset.manifest()
    found = find_leaks(manifest, dataset.parts(split_name, manifest), dataset.splits()[split_name])
    for row in found.to_dict("records"):
        sizes = "  ".join(f"{part} {row[part]}" for part in ("train", "validation", "test"))
        print(f"{_(LEAK_NAMES[row['kind']])}\t{row['what']}\t{sizes}")
    print(_("{count} leaks.").format(count=len(found)))
    raise typer.Exit(2 if len(found) else 0)


@app.command("materialise")
def materialise_(
    context: typer.Context,
    name: OptionalName = None,
    target: Annotated[str | None, typer.Argument(help="Folder to make.")] = None,
    split_name: SplitName = "default",
    augmented: Annotated[int, typer.Option(help="Augmented files for each picture of the training part.")] = 0,
    augmentation: Annotated[str, typer.Option(help="Preset that they are changed by.")] = "classic",
    seed: Annotated[int, typer.Option(help="Seed of the augmented files.")] = 0,
    job: Prepared = None,
) -> None:
    """Write a split as folders train, val and test for other tools, with labels.txt, labels.json and labels.py.

    Each has a folder for every class, empty where it has no picture there: other tools number them in their order.
    """
    workspace: Workspace = context.obj

    def config() -> MaterialiseConfig:
        if not target:
            raise DatasetError(mark("Give the folder to write to."))
        values = {
            "dataset": _named(workspace, name),
            "target": Path(target).absolute(),
            "split": split_name,
            "augmented": augmented,
            "augmentation": find_preset(workspace, augmentation),
            "seed": seed,
        }
        return read_config(MaterialiseConfig, values)

    result = _do(workspace, job, "materialise", config, name, lambda work: _materialise(work, workspace))
    print(_("{files} files of {classes} classes; {linked} by link, {augmented} augmented.").format(**result))


def _materialise(work: Work, workspace: Workspace) -> dict[str, Any]:
    config = read_config(MaterialiseConfig, work.job.config)
    return dict(materialise(Dataset.find(workspace, config.dataset), config, work.report))


@app.command("delete")
def delete(context: typer.Context, name: Name) -> None:
    """Remove a dataset from the workspace; a folder or zip that it was read from in place stays as it is."""
    Dataset.find(context.obj, name).delete()
