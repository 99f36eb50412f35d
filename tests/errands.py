"""``python -m tests.errands WORKSPACE JOB``: a job's process that works until its folder holds the file “enough”.

One whose configuration says ``deaf`` never asks whether to stop, as amid one long step, and has a child.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from hanzi_core.jobs import Job, State, Work, run_work
from hanzi_core.language import Sentence
from hanzi_core.workspace import Workspace, replace_file
from tests.conftest import PROJECT

LIMIT_S = 60.0


def launch_errand(job: Job) -> None:
    """Start the process; what :func:`hanzi_core.cli.perform.launch_job` is for the kinds of the product."""
    job.forget_process()
    job.write_status(job.stored_status().to(State.STARTING, Sentence("Starting."), process=None))
    command = [sys.executable, "-m", "tests.errands", str(job.folder.parents[1]), job.id]
    with job.log_path.open("ab") as log:
        process = subprocess.Popen(command, cwd=PROJECT, start_new_session=True, stdout=log, stderr=log)
    job.write_launched(process.pid)


def until(condition: Callable[[], Any], limit_s: float = 30.0) -> None:
    """Wait for ``condition``, and fail if it does not come true."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def main() -> None:
    """Work."""
    job = Job.find(Workspace.open(sys.argv[1]), sys.argv[2])

    def work_on(work: Work) -> dict[str, Any]:
        with (job.folder / "begun").open("a") as file:
            file.write("begun\n")
        begun = time.monotonic()
        if job.config.get("deaf"):
            child = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({2 * LIMIT_S})"])
            replace_file(job.folder / "child", str(child.pid).encode())
            child.wait()
        while not (job.folder / "enough").exists() and time.monotonic() - begun < LIMIT_S:
            work.check()
            work.progress("Working", int(time.monotonic() - begun), int(LIMIT_S))
            time.sleep(0.02)
        return {"seconds": time.monotonic() - begun}

    raise SystemExit(run_work(job, work_on))


if __name__ == "__main__":
    main()
