"""``python -m hanzi_core serve``: the dashboard."""

import errno
import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from hanzi_core.errors import WorkspaceError
from hanzi_core.language import gettext as _
from hanzi_core.language import mark
from hanzi_core.workspace import ENVIRONMENT_VARIABLE, Workspace

PROJECT = Path(__file__).parents[2]


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, help="TCP port to listen on.")] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "localhost",
) -> None:
    """Start the dashboard and keep it running until Ctrl+C."""
    workspace: Workspace = context.obj
    _check_port(address, port)
    print(
        _("Hanzi Workbench: http://{address}:{port}  (Ctrl+C ends it; runs go on)").format(address=address, port=port)
    )
    options = [f"--server.port={port}", f"--server.address={address}", "--server.headless=true"]
    command = [sys.executable, "-m", "pages.parts.server", "run", str(PROJECT / "app.py"), *options]
    environment = {**os.environ, ENVIRONMENT_VARIABLE: str(workspace.root), "PYTHONUTF8": "1"}
    os.chdir(PROJECT)  # Streamlit reads .streamlit/config.toml from where it is started
    sys.stdout.flush()
    os.execve(sys.executable, command, environment)


def _check_port(address: str, port: int) -> None:
    """Streamlit would silently take another port, and the page that one opens would be somebody else's."""
    if not address.strip():  # to a socket, every address
        raise WorkspaceError(mark("Give the address to listen on: localhost, or 0.0.0.0 to let other machines in."))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise WorkspaceError(
                    mark(
                        "Port {port} is in use, perhaps by another dashboard: stop that, or use make run PORT={other}."
                    ),
                    port=port,
                    other=port + 1,
                ) from error
            raise WorkspaceError(
                mark("Cannot listen on {address}:{port}: {reason}."), address=address, port=port, reason=error.strerror
            ) from error
