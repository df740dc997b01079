"""`run` and `demo`."""

from __future__ import annotations

import errno
import os
import socket
from enum import StrEnum
from typing import Annotated

import typer

from bot.cli.common import FailedError, load, prepare_database, unusable
from bot.services.errors import UsageError


class Role(StrEnum):
    """What one process does. `web` answers Slack; `worker` polls, checks and posts; `all` is both."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"


def register(app: typer.Typer) -> None:
    app.command()(demo)
    app.command()(run)


def run(role: Annotated[Role, typer.Option(help="What this process does.")] = Role.ALL) -> None:
    """Answer in Slack, watch the price, post alerts."""
    settings = load()
    settings.require_slack()
    from bot.fallback import check_targets

    check_targets(settings.fallback_urls)

    from sqlalchemy.exc import DBAPIError

    from bot.store.engine import DatabaseUnavailableError

    try:
        prepare_database(settings)
    except (DatabaseUnavailableError, DBAPIError) as error:
        raise FailedError(unusable(settings, error)) from error

    from bot.web import serve, serve_worker

    setting, port = ("WORKER_PORT", settings.worker_port) if role is Role.WORKER else ("PORT", settings.port)
    if port is None:
        raise typer.Exit(serve_worker(settings))
    try:
        code = serve(settings, port, works=role is not Role.WEB, answers=role is not Role.WORKER)
    except (OSError, UnicodeError) as error:
        raise _cannot_listen(settings.host, port, setting, error) from error
    raise typer.Exit(code)


def demo(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where to serve its page; 0 picks a free port.")] = 8765,
    live: Annotated[bool, typer.Option("--live", help="The real price sources and the real clock.")] = False,
) -> None:
    """Show it all here: a local Slack and a simulated price."""
    from bot.demo import run_demo

    try:
        run_demo(port=port, live=live)
    except OSError as error:
        raise _cannot_listen("127.0.0.1", port, "--port", error) from None
    except KeyboardInterrupt:
        return


def _cannot_listen(host: str, port: int, setting: str, error: OSError | UnicodeError) -> Exception:
    """Why not, in one line; any other error as it is."""
    right = "HOST is an address of this machine, as 127.0.0.1"
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return UsageError(f"HOST “{host}” is not known here as an address; {right}")
    if error.errno == errno.EADDRINUSE:
        return FailedError(f"Port {port} on {host} is taken; stop what uses it, or choose another with {setting}")
    if error.errno in (errno.EADDRNOTAVAIL, errno.EACCES):
        return UsageError(f"HOST {host} port {port}: {os.strerror(error.errno)}; {right}")
    return error
