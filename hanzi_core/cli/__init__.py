"""The command line: every verb, and the start of whatever a page starts.

    python -m hanzi_core [--workspace FOLDER] VERB …

``--help`` lists the verbs.

A verb that takes long is a job: it has a folder, and the same folder whether a page or a person started it.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hanzi_core.cli import (
    builtin,
    datasets,
    doctor,
    evaluation,
    jobs,
    models,
    recognition,
    serving,
    synthesise,
    training,
)
from hanzi_core.errors import HanziError
from hanzi_core.workspace import ENVIRONMENT_VARIABLE, Workspace

app = typer.Typer(
    name="python -m hanzi_core",
    help="Train, watch and use recognisers of handwritten Chinese characters.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(datasets.app, name="dataset")
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")
app.add_typer(builtin.app, name="builtin")
app.command("serve")(serving.serve)
app.command("synthesise")(synthesise.synthesise)
app.command("train")(training.train)
app.command("estimate")(training.estimate)
app.command("evaluate")(evaluation.evaluate)
app.command("doctor")(doctor.doctor)
app.command("predict")(recognition.predict)


@app.callback()
def _open_workspace(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(envvar=ENVIRONMENT_VARIABLE, help="Folder of datasets, jobs and models [default: ./workspace]."),
    ] = None,
) -> None:
    if not context.resilient_parsing and "--help" not in sys.argv:
        context.obj = Workspace.open(workspace)


def main() -> None:
    """Run the command line; a mistake of the user is one sentence and exit code 2."""
    try:
        app()
    except HanziError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error
