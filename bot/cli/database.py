"""`db upgrade` and `db check`."""

from __future__ import annotations

import typer

from bot.cli.common import FailedError, load, sqlite_file, unusable
from bot.services.errors import UsageError

database = typer.Typer(help="Look after the database's schema.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(database, name="db")


@database.command()
def upgrade() -> None:
    """Bring the database to the newest schema, all or nothing."""
    from sqlalchemy.exc import DBAPIError

    from bot.store import migrate
    from bot.store.engine import DatabaseUnavailableError

    settings = load()
    try:
        applied = migrate.upgrade(settings.database_url.get_secret_value())
    except ValueError as error:
        raise UsageError(str(error)) from None
    except (DatabaseUnavailableError, DBAPIError) as error:
        raise FailedError(unusable(settings, error)) from error
    for revision in applied:
        typer.echo(f"Applied {revision}")
    typer.echo("The database is up to date")


@database.command()
def check() -> None:
    """Say what is wrong with the schema, if anything is."""
    from sqlalchemy.exc import DBAPIError

    from bot.store import migrate
    from bot.store.engine import DatabaseUnavailableError

    settings = load()
    url = settings.database_url.get_secret_value()
    file = sqlite_file(url)
    if file is not None and not file.exists():
        raise FailedError(f"There is no database at {file} yet: plimsoll db upgrade, or plimsoll import FILE")
    try:
        wrong = migrate.check(url)
    except (DatabaseUnavailableError, DBAPIError) as error:
        raise FailedError(unusable(settings, error)) from error
    if wrong:
        raise FailedError("\n".join(wrong))
    typer.echo("The database is up to date and sound")
