"""`doctor` and `manifest`: what helps while it is being set up."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import typer

from bot.cli import output
from bot.cli.common import Json
from bot.services.errors import UsageError


def register(app: typer.Typer) -> None:
    app.command()(doctor)
    app.command()(manifest)


def doctor(json: Json = False) -> None:
    """Whether settings, database, prices and Slack are well.

    Exit 1 if something is wrong; each line says the next step.
    """
    from bot.cli.examine import examine

    results = examine()
    if json:
        output.print_json({"ok": all(result.ok for result in results), "checks": [r.document() for r in results]})
    else:
        out = output.Page()
        names = max(len(result.name) for result in results)
        for result in results:
            word = {True: "ok", None: output.NOTHING, False: "wrong"}[result.ok]
            label = f"{word:<5}  {result.name:<{names}}  "
            out.hanging(label, result.said, style="bold red" if result.ok is False else None)
    raise typer.Exit(1 if any(result.ok is False for result in results) else 0)


def manifest(
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="https://HOST", help="Where Slack reaches the bot; without it, Socket Mode."),
    ] = None,
) -> None:
    """Print the manifest to create the Slack app from."""
    from bot.cli.common import load
    from bot.cli.slack_manifest import slack_manifest

    settings = load()
    if url is not None and not _can_be_reached(url):
        raise UsageError(
            f"--url “{url}” is not where Slack can reach the bot; write it as https://plimsoll.example.com"
        )
    output.print_json(slack_manifest(settings.command_prefix, url))


def _can_be_reached(url: str) -> bool:
    """Whether Slack could send its requests to `url` with a path after it. On this machine, without TLS too."""
    if not url.isascii() or not url.isprintable() or set(url) & set(" ?#\\"):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    here = host in ("localhost", "127.0.0.1", "::1")
    return bool(host) and "@" not in parts.netloc and (parts.scheme == "https" or (parts.scheme == "http" and here))
