"""Many pictures at once: a job, its progress, and the table that it leaves."""

import hashlib
import shutil
import zipfile
from datetime import datetime
from itertools import chain, count
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from hanzi_core.cli.perform import begun, launch_job
from hanzi_core.dataset.source import open_source
from hanzi_core.jobs import Job, enqueue, list_jobs
from hanzi_core.jobs.store import State
from hanzi_core.language import gettext as _
from hanzi_core.language import ngettext
from hanzi_core.recognition.batch import TABLE, YES, PredictionConfig, read_faults
from hanzi_core.recognition.recogniser import SURE
from hanzi_core.workspace import writing
from pages.parts.job_panel import watch_until_done
from pages.parts.recognise_desk import Desk
from pages.parts.session import errors_shown
from pages.parts.tables import share_column

_PICTURES = "pictures.zip"
_SHOWN = "batch-shown"
_SHOWN_COLUMNS = ["path", "label_1", "probability_1", "label_2", "label_3", "error"]
_LISTED_LIMIT = 20


def show_batch(desk: Desk, files: list[UploadedFile]) -> None:
    """Start one for ``files``, if there are any, and show the one that was started or chosen."""
    if files:
        st.caption(_("Each picture is read as one character: upload a page of several by itself."))
        words = ngettext("Recognise {count} file", "Recognise {count} files", len(files))
        if st.button(words.format(count=len(files)), type="primary", icon=":material/play_arrow:"):
            with errors_shown():
                st.session_state[_SHOWN] = start(desk, files).id
    jobs = {job.id: job for job in list_jobs(desk.space, "predict")[:_LISTED_LIMIT]}
    if not jobs:
        return
    if st.session_state.get(_SHOWN) not in jobs:
        st.session_state[_SHOWN] = next(iter(jobs))
    shown = st.selectbox(_("Results"), list(jobs), format_func=lambda key: _name(jobs[key]), key=_SHOWN)
    _show_job(jobs[shown])


def _name(job: Job) -> str:
    return f"{job.title} · {datetime.fromtimestamp(job.created):%Y-%m-%d %H:%M}"


def start(desk: Desk, files: list[UploadedFile]) -> Job:
    """Make the job, put the pictures into its folder, and start it; the one that a first click has started, if it did.

    Raises:
        HanziError: no space left, or a zip that is not to be trusted; no job stays behind.
    """
    uploads = hashlib.blake2b("".join(file.file_id for file in files).encode(), digest_size=8).hexdigest()
    first, *others = packed = _divided(files)
    places = [Path(uploads) / name for name in packed]  # of their own for these very files, and named as they were
    config = PredictionConfig(
        location=places[0], zips=tuple(places[1:]), model=desk.model, preferences=desk.preferences
    )
    title = first if len(files) == 1 else _("{count} files").format(count=len(files))
    if twin := begun(desk.space, "predict", config, title):
        return twin
    job = Job.create(desk.space, "predict", config.model_dump(mode="json"), title)
    try:
        (job.folder / uploads).mkdir()
        for name, some in packed.items():
            _pack(some, job.folder / uploads / name, as_it_is=name in others or len(files) == 1)
            open_source(job.folder / uploads / name)
    except BaseException:
        shutil.rmtree(job.folder)
        raise
    enqueue(desk.space, job, launch_job)
    return job


def _divided(files: list[UploadedFile]) -> dict[str, list[UploadedFile]]:
    """The files of each zip to be kept: a file alone is one, of several those that are zips stay by themselves."""
    if len(files) == 1:
        return {Path(files[0].name).name: files}
    zips = [file for file in files if file.name.lower().endswith(".zip")]
    named = _numbered([_PICTURES, *(Path(file.name).name for file in zips)])
    pictures = [file for file in files if file not in zips]
    return dict(zip(named, [pictures, *([file] for file in zips)], strict=True))


def _numbered(names: list[str]) -> list[str]:
    """Names as they are, and with a number those that came before; a and A are one file to some systems."""
    taken: dict[str, str] = {}
    for name in names:
        choices = chain([name], (f"{number}-{name}" for number in count(2)))
        free = next(each for each in choices if each.lower() not in taken)
        taken[free.lower()] = free
    return list(taken.values())


def _pack(files: list[UploadedFile], target: Path, *, as_it_is: bool) -> None:
    """One zip as it is, or all files in one; those of the same name get numbers."""
    with writing(target):
        if as_it_is:
            target.write_bytes(files[0].getbuffer())
            return
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for name, file in zip(_numbered([file.name for file in files]), files, strict=True):
                archive.writestr(name, file.getbuffer())


def _show_job(job: Job) -> None:
    if job.status().state is not State.FINISHED:
        watch_until_done(job)
    if (job.folder / TABLE).is_file():  # one that was stopped keeps what it had read
        _show_table(job, read_table(job.folder))


def read_table(folder: Path) -> pd.DataFrame:
    """The job's table as it was written, but for the reasons: those are in the reader's language."""
    table = pd.read_csv(folder / TABLE, keep_default_na=False, dtype=str)
    faults = read_faults(folder)
    errors = zip(table["path"], table["error"], strict=True)
    return table.assign(error=[faults.get(path, error) for path, error in errors])


def _are_sure(table: pd.DataFrame) -> pd.Series:
    """Which answers are sure; a table from before that was written tells it by the probability alone."""
    return table["sure"] == YES if "sure" in table else table["probability_1"] >= SURE


def _show_table(job: Job, written: pd.DataFrame) -> None:
    table = written.assign(probability_1=pd.to_numeric(written["probability_1"], errors="coerce"))
    faulty = table["error"] != ""
    table.loc[~faulty & (table["label_1"] == ""), "error"] = _("no ink found")
    doubtful = ~_are_sure(table) & ~faulty
    choices = {
        "all": (_("All {count}").format(count=len(table)), table),
        "doubtful": (_("Doubtful {count}").format(count=int(doubtful.sum())), table[doubtful]),
        "faulty": (_("Unreadable {count}").format(count=int(faulty.sum())), table[faulty]),
    }
    shown = st.segmented_control(
        _("Show"),
        list(choices),
        format_func=lambda key: choices[key][0],
        default="all",
        required=True,
        key=f"batch-{job.id}-rows",
    )
    columns = ["path", "error"] if shown == "faulty" else _SHOWN_COLUMNS
    st.dataframe(
        choices[shown][1][columns],
        hide_index=True,
        column_config={
            "path": _("File"),
            "label_1": _("Character"),
            "probability_1": share_column(_("Probability")),
            "label_2": _("Or"),
            "label_3": _("Or else"),
            "error": _("Fault"),
        },
    )
    # Below the table, whose own buttons cover what stands above its right corner on a touch screen. With a byte order
    # mark, or Excel takes Chinese for Latin-1.
    st.download_button(
        _("Download as CSV"),
        lambda: written.to_csv(index=False).encode("utf-8-sig"),
        f"{job.id}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
