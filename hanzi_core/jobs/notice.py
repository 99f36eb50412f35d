"""Tell an address of the user's choice when a job has ended."""

import http.client
import json
import re
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from hanzi_core.errors import JobError
from hanzi_core.jobs.store import Job
from hanzi_core.language import mark
from hanzi_core.workspace import Workspace, replace_json

POST_LIMIT_S = 5.0


class _Settings(BaseModel):
    """What ``settings.json`` says."""

    model_config = ConfigDict(frozen=True)

    webhook: str | None = None


def webhook(workspace: Workspace) -> str | None:
    """The address that is told, if one is set.

    Raises:
        JobError: the settings of the workspace are damaged.
    """
    path = _path(workspace)
    try:
        return _Settings.model_validate_json(path.read_bytes()).webhook
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise JobError(
            mark("{path} is damaged, so nobody is told when a run ends: set the address anew."), path=path
        ) from error


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
    replace_json(_path(workspace), _Settings(webhook=url).model_dump())


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that is not closed, a port that is no number
        return False
    return is_web and re.fullmatch(r"[!-~]+", url) is not None


def notify(job: Job) -> None:
    """Post how ``job`` ended, as JSON; a job that holds no device is over before anybody leaves.

    An address that does not answer is named in the log, and changes nothing about the job; so is one that is damaged.
    """
    try:
        url = webhook(Workspace(job.folder.parents[1])) if job.devices else None
    except JobError as error:
        print(error, file=sys.stderr)
        return
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


def _path(workspace: Workspace) -> Path:
    return workspace.root / "settings.json"
