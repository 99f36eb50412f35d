"""Any long work as a folder and a process: who started it, what it does, how far it is, how it ended.

The folder is the only truth. Training, evaluation, import and all later kinds share this code; it knows none of them.
"""

from hanzi_core.jobs.history import Follower, History
from hanzi_core.jobs.launcher import kill, launch, stop
from hanzi_core.jobs.queue import enqueue, requeue
from hanzi_core.jobs.store import Change, Job, Progress, State, Status, list_jobs
from hanzi_core.jobs.work import Stopped, Work, run_work

__all__ = [
    "Change",
    "Follower",
    "History",
    "Job",
    "Progress",
    "State",
    "Status",
    "Stopped",
    "Work",
    "enqueue",
    "kill",
    "launch",
    "list_jobs",
    "requeue",
    "run_work",
    "stop",
]
