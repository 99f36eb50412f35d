"""``python -m hanzi_core jobs …``."""

from datetime import datetime
from typing import Annotated

import typer

from hanzi_core.bundle import shown_name
from hanzi_core.cli.perform import launch_job
from hanzi_core.cli.perform import resume as take_up
from hanzi_core.cli.synthesise import give_up
from hanzi_core.errors import JobError
from hanzi_core.jobs import Job, list_jobs, notice, trash
from hanzi_core.jobs import kill as end_process
from hanzi_core.jobs import stop as ask_to_stop
from hanzi_core.jobs.devices import list_devices
from hanzi_core.jobs.queue import holders
from hanzi_core.jobs.queue import supervise as watch
from hanzi_core.jobs.store import DAMAGED, STATE_NAMES, damaged_jobs
from hanzi_core.language import gettext as _
from hanzi_core.language import mark

app = typer.Typer(help="See, stop and resume jobs: imports, runs and evaluations.", no_args_is_help=True)

JobId = Annotated[str, typer.Argument(help="Id of the job.")]


@app.command("list")
def list_(context: typer.Context) -> None:
    """List every job of the workspace, the newest first; then the damaged ones, and what is wrong with each."""
    damaged = _("damaged")
    for job in list_jobs(context.obj):
        created = datetime.fromtimestamp(job.created)
        print(f"{job.id}\t{created:%Y-%m-%d %H:%M}\t{_(STATE_NAMES[job.status().state])}\t{shown_name(job.title)}")
    for job in damaged_jobs(context.obj.jobs):
        print(f"{job.id}\t–\t{damaged}\t{_(DAMAGED).format(job=job.id)}")


@app.command("show")
def show(context: typer.Context, job: JobId) -> None:
    """Tell a job's whole life: every state with its time and reason."""
    found = Job.find(context.obj, job)
    for change in found.status().changes:
        when = datetime.fromtimestamp(change.time)
        print(f"{when:%Y-%m-%d %H:%M:%S}\t{_(STATE_NAMES[change.state])}\t{change}")


@app.command("stop")
def stop(context: typer.Context, job: JobId) -> None:
    """Ask a job to save what it has and end."""
    ask_to_stop(Job.find(context.obj, job))


@app.command("kill")
def kill(context: typer.Context, job: JobId) -> None:
    """End a job's process at once; what it had not saved is lost."""
    found = Job.find(context.obj, job)
    if not end_process(found):
        raise JobError(mark("Job “{job}” has already ended."), job=job)


@app.command("resume")
def resume(context: typer.Context, job: JobId) -> None:
    """Let a job that was stopped, lost or failed go on in the background where it was."""
    take_up(context.obj, Job.find(context.obj, job))


@app.command("delete")
def delete(context: typer.Context, job: JobId) -> None:
    """Move a job that has ended to the trash; what a synthesis wrote for a dataset that it did not make is deleted."""
    found = Job.find(context.obj, job)
    is_synthesis = not found.is_damaged and found.kind == "synthesise"
    (give_up if is_synthesis else trash.throw_away)(context.obj, found)


@app.command("describe")
def describe(
    context: typer.Context,
    job: JobId,
    title: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Word to sort by, instead of those it had; repeat it.")] = None,
    notes: Annotated[str | None, typer.Option(help="What to know about it.")] = None,
) -> None:
    """Give a job another name, tags or notes, and tell what it has."""
    found = Job.find(context.obj, job)
    given = {"title": title, "tags": tag, "notes": notes}
    if changed := {name: value for name, value in given.items() if value is not None}:
        found.describe(**changed)
    print("\t".join([found.title, *(f"#{each}" for each in found.tags), found.notes]).rstrip())


@app.command("trash")
def show_trash(context: typer.Context) -> None:
    """List what lies in the trash."""
    damaged = _("damaged")
    for job in trash.thrown_away(context.obj):
        print(f"{job.id}\t{job.title}")
    for job in trash.damaged(context.obj):
        print(f"{job.id}\t{damaged}")


@app.command("restore")
def restore(context: typer.Context, job: JobId) -> None:
    """Bring a job back from the trash."""
    thrown = {each.id: each for each in trash.thrown_away(context.obj)}
    if job not in thrown:
        raise JobError(mark("There is no job “{job}” in the trash."), job=job)
    trash.restore(context.obj, thrown[job])


@app.command("empty-trash")
def empty_trash(context: typer.Context) -> None:
    """Delete for good what lies in the trash."""
    print(_("{count} jobs deleted.").format(count=trash.empty(context.obj)))


@app.command("devices")
def devices(context: typer.Context) -> None:
    """List the devices of this machine: memory, load, and who holds them."""
    held = holders(context.obj)
    for device in list_devices():
        memory = f"{device.memory_used_bytes / 2**30:.1f}/{device.memory_bytes / 2**30:.1f} GiB"
        by = ", ".join(job.id for job in held.get(device.key, []))
        print(f"{device.key}\t{device.name}\t{memory}\t{device.load:.0%}\t{by}")


@app.command("webhook")
def webhook(
    context: typer.Context,
    url: Annotated[str | None, typer.Argument(help="Address to post to when a run ends; “none” for nobody.")] = None,
) -> None:
    """Show or set the address that is told when a run ends."""
    if url is not None:
        notice.set_webhook(context.obj, None if url == "none" else url)
    print(notice.webhook(context.obj) or _("No address is set."))


@app.command("supervise", hidden=True)
def supervise(context: typer.Context) -> None:
    """Start waiting jobs as their devices become free; ends when there is nothing left to watch."""
    watch(context.obj, launch_job)
