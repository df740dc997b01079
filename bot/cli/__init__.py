"""The command line: parses, calls, prints.

Commands import what they need when they are called, so that `plimsoll --help` answers at once: with everything
imported it took 2 s.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli import (
    audit,
    database,
    digest,
    holdings_ltv,
    listing,
    months,
    pictures,
    plans,
    reading_in,
    replaying,
    risk,
    running,
    sales,
    setting_up,
)
from bot.services.errors import PlimsollError, RefusedError, UsageError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

# typer carries its own copy of click since 0.20 and used the real one before: this is the same class in both
_WrongUsage: type[Exception] = typer.BadParameter.__bases__[0]

app = typer.Typer(
    help="Watches bitcoin-backed loans against their covenants. Questions read the database; they change nothing.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"plimsoll {version('plimsoll-bot')}")
        except PackageNotFoundError:
            typer.echo("plimsoll, not installed: run from its source")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(EXIT_USAGE)


for family in (
    running,
    reading_in,
    replaying,
    holdings_ltv,
    sales,
    months,
    pictures,
    listing,
    plans,
    risk,
    digest,
    audit,
    database,
    setting_up,
):
    family.register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code: 0 ok, 1 failed, 2 wrong usage or settings."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show “≥” must not end the answer
    try:
        code = app(args=arguments, prog_name="plimsoll", standalone_mode=False)
        sys.stdout.flush()
    except _WrongUsage as error:
        return _refuse(_usage_line(error), EXIT_USAGE)
    except (UsageError, RefusedError) as error:
        return _refuse(str(error), EXIT_USAGE)
    except PlimsollError as error:
        return _refuse(str(error), EXIT_FAILED)
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # whoever reads has seen enough; without this Python complains once more while it shuts down
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return int(code or 0)


def _refuse(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


def _usage_line(error: Exception) -> str:
    """typer's complaint as one line, with where to look."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "plimsoll"
    said = " ".join(str(getattr(error, "format_message", error.__str__)()).split())
    said = said.replace("Value error, ", "").rstrip(".")
    stop = "" if said.endswith("?") else "."
    return f"{command}: {said[:1].lower()}{said[1:]}{stop} Try: {command} --help"
