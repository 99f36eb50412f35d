"""The command line: every verb, and the start of whatever a page starts.

    python -m hanzi_core [--workspace FOLDER] VERB …

``--help`` lists the verbs.

A verb that takes long is a job: it has a folder, and the same folder whether a page or a person started it.
"""

import signal
import sys
from collections.abc import Iterable
from importlib import import_module
from io import TextIOWrapper
from types import FrameType
from typing import Annotated

import typer

from hanzi_core.errors import HanziError
from hanzi_core.workspace import ENVIRONMENT_VARIABLE, Workspace

VERBS = {
    "serve": "serving.serve",
    "dataset": "datasets.app",
    "synthesise": "synthesise.synthesise",
    "train": "training.train",
    "fine-tune": "training.fine_tune",
    "estimate": "training.estimate",
    "evaluate": "evaluation.evaluate",
    "predict": "recognition.predict",
    "jobs": "jobs.app",
    "models": "models.app",
    "builtin": "builtin.app",
    "doctor": "doctor.doctor",
}
"""Where each verb is: a function, or the app of a group of verbs."""


def build(verbs: Iterable[str] = VERBS) -> typer.Typer:
    """The command line with these verbs; what a verb needs is imported with it, two seconds for all of them."""
    app = typer.Typer(
        name="python -m hanzi_core",
        help="Train, watch and use recognisers of handwritten Chinese characters.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_open_workspace)
    for verb in verbs:
        module, name = VERBS[verb].split(".")
        found = getattr(import_module(f"hanzi_core.cli.{module}"), name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb)
        else:
            app.command(verb)(found)
    return app


def _open_workspace(
    context: typer.Context,
    workspace: Annotated[
        str | None,  # no path: an empty one would be the current folder
        typer.Option(
            envvar=ENVIRONMENT_VARIABLE,
            metavar="FOLDER",
            help="Folder of datasets, jobs and models [default: ./workspace].",
        ),
    ] = None,
) -> None:
    if not context.resilient_parsing and "--help" not in sys.argv:
        context.obj = Workspace.open(workspace)


def main() -> None:
    """Run the command line; a mistake of the user is one sentence and exit code 2.

    Ctrl+C ends it with 130, a polite signal from the system with 143, and neither leaves half of a file.
    """
    signal.signal(signal.SIGTERM, _leave)
    # More may stand there than the one that is meant, a folder called “train” say, but never less.
    asked = [verb for verb in VERBS if verb in sys.argv]
    if isinstance(sys.stdout, TextIOWrapper):  # it may be closed
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: of a character that the terminal lacks
    try:
        build(asked or VERBS)()
    except HanziError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error


def _leave(number: int, _frame: FrameType | None) -> None:
    """End as by an error: what is half written is cleared away on the way out."""
    raise SystemExit(128 + number)
