"""``python -m hanzi_core predict``."""

from pathlib import Path
from typing import Annotated

import typer

from hanzi_core.bundle import find_bundles
from hanzi_core.errors import BundleError, HanziError, ImageError
from hanzi_core.image.decode import decode
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.recognition import Recogniser
from hanzi_core.workspace import Workspace


def predict(
    context: typer.Context,
    images: Annotated[list[Path], typer.Argument(help="Pictures of one character each.")],
    model: Annotated[str | None, typer.Option(help="Run id or name of a model [default: the newest].")] = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many candidates a picture.")] = 5,
) -> None:
    """Recognise pictures: a line each, with candidates and their probabilities; exit code 2 if one cannot be read."""
    recogniser = Recogniser.open(choose_bundle(context.obj, model))
    failed = False
    for path in images:
        try:
            print(f"{path}\t{_candidates(recogniser, path, count)}")
        except HanziError as error:
            failed = True
            typer.echo(f"{path}\t{error}", err=True)
    raise typer.Exit(2 if failed else 0)


def choose_bundle(workspace: Workspace, model: str | None) -> Path:
    """The folder of the bundle with key ``model``, or of the newest.

    Raises:
        BundleError: there is no such bundle, or none at all.
    """
    bundles = find_bundles(workspace)
    if not bundles:
        raise BundleError(mark("There is no model yet: import a dataset and train one."))
    if model is None:
        return next(iter(bundles.values()))
    if model not in bundles:
        raise BundleError(
            mark("There is no model “{model}”; there are: {known}."), model=model, known=", ".join(bundles)
        )
    return bundles[model]


def _candidates(recogniser: Recogniser, path: Path, count: int) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(mark("{path} cannot be read: {reason}."), path=path, reason=error.strerror) from error
    candidates = recogniser.recognise(decode(data, path.name), count)
    return "  ".join(f"{each.label} {each.probability:.1%}" for each in candidates) or _("no ink found")
