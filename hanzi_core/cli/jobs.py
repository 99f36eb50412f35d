"""``python -m hanzi_core jobs …``."""

from datetime import datetime
from typing import Annotated

import typer

from hanzi_core.jobs import Job, list_jobs
from hanzi_core.jobs import kill as end_process
from hanzi_core.jobs.store import STATE_NAMES
from hanzi_core.language import gettext as _

app = typer.Typer(help="See and stop jobs: imports, runs and evaluations.", no_args_is_help=True)

JobId = Annotated[str, typer.Argument(help="Id of the job.")]


@app.command("list")
def list_(context: typer.Context) -> None:
    """List every job of the workspace, the newest first."""
    for job in list_jobs(context.obj):
        created = datetime.fromtimestamp(job.created)
        print(f"{job.id}\t{created:%Y-%m-%d %H:%M}\t{_(STATE_NAMES[job.status().state])}\t{job.title}")


@app.command("stop")
def stop(context: typer.Context, job: JobId) -> None:
    """Ask a job to save what it has and end."""
    Job.find(context.obj, job).request_stop()


@app.command("kill")
def kill(context: typer.Context, job: JobId) -> None:
    """End a job's process at once; what it had not saved is lost."""
    end_process(Job.find(context.obj, job))
