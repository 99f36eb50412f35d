"""``python -m hanzi_core models …``."""

from pathlib import Path
from typing import Annotated

import typer

from hanzi_core.bundle import Bundle, choose_bundle, find_bundles
from hanzi_core.bundle_archive import archive_bundle, bring_in_bundle, delete_bundle
from hanzi_core.errors import BundleError, HanziError
from hanzi_core.language import mark
from hanzi_core.workspace import replace_file

app = typer.Typer(help="List model bundles, take them along, bring them in, let them go.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="Run id or name, as “models list” shows it.")]


@app.command("list")
def list_(context: typer.Context) -> None:
    """List every model bundle: key, name, number of characters."""
    for key, folder in find_bundles(context.obj).items():
        try:
            bundle = Bundle.open(folder)
            print(f"{key}\t{bundle.name}\t{len(bundle.labels)}")
        except HanziError as error:
            print(f"{key}\t{error}")


@app.command("export")
def export(
    context: typer.Context, key: Key, file: Annotated[Path, typer.Argument(help="Zip file to write; must be new.")]
) -> None:
    """Write a model bundle to a zip file."""
    if file.exists():
        raise BundleError(mark("{file} is there already: name a new file."), file=file)
    replace_file(file.absolute(), archive_bundle(choose_bundle(context.obj, key)))


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Zip file that “models export” or the Models page wrote.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the model [default: that of the file, or of the run that it is of].")
    ] = None,
) -> None:
    """Bring a model bundle in from a zip file."""
    if not file.is_file():
        raise BundleError(mark("Nothing is at {path}: check the path."), path=file)
    print(bring_in_bundle(context.obj, file, name or file.stem).folder.name)


@app.command("delete")
def delete(context: typer.Context, key: Key) -> None:
    """Delete a model bundle that was brought in; one of a run goes with its run (“jobs delete”)."""
    delete_bundle(context.obj, key)
