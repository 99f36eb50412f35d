"""Tell an address of the user's choice when a job has ended."""

import http.client
import json
import re
import sys
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from hanzi_core.errors import JobError
from hanzi_core.jobs.store import Job
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, replace_json

POST_LIMIT_S = 5.0


def webhook(workspace: Workspace) -> str | None:
    """The address that is told, if one is set."""
    return _settings(workspace).get("webhook")


def set_webhook(workspace: Workspace, url: str | None) -> None:
    """Tell ``url`` from now on; ``None`` or an empty text tells nobody.

    Raises:
        JobError: it is no http or https address, or none that a request can be sent to.
    """
    url = (url or "").strip() or None
    if url and not _is_address(url):
        raise JobError(
            mark(
                "“{url}” is no address to post to: it must begin with http:// or https://, name a host, and hold "
                "neither spaces nor letters beyond ASCII."
            ),
            url=url,
        )
    replace_json(workspace.root / "settings.json", {**_settings(workspace), "webhook": url})


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that is not closed, a port that is no number
        return False
    return is_web and re.fullmatch(r"[!-~]+", url) is not None


def notify(job: Job) -> None:
    """Post how ``job`` ended, as JSON; a job that holds no device is over before anybody leaves.

    An address that does not answer is named in the log, and changes nothing about the job.
    """
    url = webhook(Workspace(job.folder.parents[1])) if job.devices else None
    if not url:
        return
    body = json.dumps(_message(job), ensure_ascii=False).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=POST_LIMIT_S):
            pass
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(f"webhook {urlsplit(url).hostname}: {error}", file=sys.stderr)


def _message(job: Job) -> dict[str, Any]:
    last = job.stored_status().changes[-1]
    ended = {"state": last.state.value, "sentence": str(last), "time": last.time}
    return {"job": job.id, "kind": job.kind, "title": job.title, **ended, "result": job.result()}


def _settings(workspace: Workspace) -> dict[str, Any]:
    try:
        return dict(json.loads((workspace.root / "settings.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}
