"""What commands share: settings, the database, instants and amounts as people type them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from bot.services.errors import NothingImportedError, PlimsollError, UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bot.services.books import Scenario
    from bot.settings import Settings
    from bot.store.store import Store

At: TypeAlias = Annotated[
    str | None, typer.Option("--at", metavar="INSTANT", help="As of then, as 2026-01-31T23:59:59Z; default now.")
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="JSON on stdout, and nothing else there.")]
Named: TypeAlias = Annotated[
    str | None, typer.Argument(metavar="FACILITY", help="Only this one, or this group, by its id.")
]
AtPrice: TypeAlias = Annotated[str | None, typer.Option("--price", metavar="USD", help="What if bitcoin were at this?")]
Drop: TypeAlias = Annotated[
    str | None, typer.Option("--drop", metavar="PCT", help="What if it were this much under the last price?")
]
HIGHEST_PRICE = 10_000_000_000


class FailedError(PlimsollError):
    """It was asked rightly and cannot be done now: exit 1."""


def load() -> Settings:
    """The settings, with logs going to stderr as they say. SettingsError where one is wrong."""
    from bot.logs import configure_logs
    from bot.settings import SettingsError, load_settings
    from bot.store.engine import parse_url

    settings = load_settings()
    try:
        parse_url(settings.database_url.get_secret_value())
    except ValueError as error:
        raise SettingsError(str(error)) from None
    configure_logs(settings.log_format, settings.secrets())
    return settings


@contextmanager
def store_to_read(settings: Settings) -> Iterator[Store]:
    """The database for a question: nothing is made or migrated, whatever is there or not."""
    from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

    from bot.store.engine import DatabaseUnavailableError

    if is_new(settings):
        raise NothingImportedError
    try:
        with opened(settings) as store:
            yield store
    except (DatabaseUnavailableError, DBAPIError) as error:
        if isinstance(error, (DataError, IntegrityError)):
            raise  # a bug of ours, not the state of the database
        raise _why_unreadable(settings, error) from error


def _why_unreadable(settings: Settings, error: Exception) -> PlimsollError:
    """A question failed in the database: it has never been used, it is behind, or it cannot be reached."""
    from sqlalchemy import inspect
    from sqlalchemy.exc import DBAPIError

    from bot.store import migrate
    from bot.store.engine import DatabaseUnavailableError

    try:
        with opened(settings) as store:
            if not inspect(store.engine).has_table("alembic_version"):
                return NothingImportedError()
        lacking = migrate.pending(settings.database_url.get_secret_value())
    except (DatabaseUnavailableError, DBAPIError):
        lacking = []
    return behind(lacking) if lacking else FailedError(unusable(settings, error))


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The database as it is. Its own errors are the caller's."""
    from bot.logs import Redaction
    from bot.store.engine import open_engine
    from bot.store.store import Store

    try:
        engine = open_engine(settings.database_url.get_secret_value())
    except ValueError as error:
        raise UsageError(str(error)) from None
    store = Store(engine, clean=Redaction(settings.secrets()).clean)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def store_to_write(settings: Settings) -> Iterator[Store]:
    """The database, brought up to date where it is SQLite. FailedError where a PostgreSQL one is behind."""
    from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

    from bot.store.engine import DatabaseUnavailableError

    try:
        prepare_database(settings)
        with opened(settings) as store:
            yield store
    except (DatabaseUnavailableError, DBAPIError) as error:
        if isinstance(error, (DataError, IntegrityError)):
            raise
        raise FailedError(unusable(settings, error)) from error


def prepare_database(settings: Settings) -> None:
    """Makes and migrates a SQLite database; FailedError where a PostgreSQL one lacks migrations.

    Checked before it is migrated, so that nothing waits for a writer where nothing is to be done.
    """
    from bot.store import migrate

    url = settings.database_url.get_secret_value()
    file = sqlite_file(url)
    try:
        if file is not None and not file.exists():
            migrate.upgrade(url)
        elif lacking := migrate.pending(url):
            if file is None:
                raise behind(lacking)
            migrate.upgrade(url)
    except ValueError as error:
        raise UsageError(str(error)) from None


def behind(lacking: list[str]) -> FailedError:
    count = f"{len(lacking)} migration{'s' if len(lacking) > 1 else ''}"
    return FailedError(f"The database lacks {count}: plimsoll db upgrade")


def unusable(settings: Settings, error: Exception) -> str:
    """Why the database cannot be used, in one line, without its password."""
    url = settings.database_url.get_secret_value()
    file = sqlite_file(url)
    where = str(file) if file is not None else "PostgreSQL"
    cause = getattr(error, "orig", None) or error
    said = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    said = said.removeprefix("The database cannot be used now: ")
    for secret in settings.secrets():
        said = said.replace(secret, "…")
    return f"The database ({where}) cannot be used: {said.rstrip('.')}. Check DATABASE_URL, or: plimsoll doctor"


def is_new(settings: Settings) -> bool:
    """Whether the database is a SQLite file that is not there yet."""
    file = sqlite_file(settings.database_url.get_secret_value())
    return file is not None and not file.exists()


def sqlite_file(url: str) -> Path | None:
    """The file behind a SQLite URL; None for PostgreSQL."""
    from bot.store.engine import parse_url

    parsed = parse_url(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def instant(text: str | None) -> datetime | None:
    """`--at` as an aware instant in UTC."""
    if text is None:
        return None
    from bot.domain.periods import as_utc

    try:
        written = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"--at “{text}” is no instant; write it as 2026-01-31T23:59:59Z") from None
    sensible("--at", text, written.date())
    try:
        return as_utc(written)
    except ValueError:
        raise UsageError(f"--at {text} has no time zone; write it with one, as 2026-01-31T23:59:59Z") from None


def day(option: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    """The day that `option` gives, as the instant at which it begins in `zone`."""
    if text is None:
        return None
    from bot.domain.periods import midnight

    try:
        written = date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{option} “{text}” is no date; write it as 2026-02-01") from None
    return midnight(sensible(option, text, written), zone)


def sensible(option: str, text: str, day: date) -> date:
    """`day`, which `text` says. UsageError where it is in no year that a treasury file could have."""
    from bot.domain.periods import FIRST_DAY, LAST_DAY

    if not FIRST_DAY <= day <= LAST_DAY:
        raise UsageError(f"{option} {text} is out of range; write a year from 2009 to 2199")
    return day


def scenario(price: str | None, drop: str | None) -> Scenario | None:
    """What `--price` or `--drop` asks about; at most one of them."""
    from bot.services.books import Scenario

    if price is not None and drop is not None:
        raise UsageError("--price and --drop are two answers to one question; give one of them")
    if price is not None:
        return Scenario(price=_price(price))
    return Scenario(drop=_drop(drop)) if drop is not None else None


def _price(text: str) -> int:
    from bot.domain.money import parse_usd

    try:
        cents = parse_usd(text.strip().removeprefix("$").replace(",", ""))
    except ValueError:
        cents = 0
    if not 0 < cents <= HIGHEST_PRICE:
        raise UsageError(f"--price “{text}” is not a price in dollars per bitcoin; write it as 55000 or 55000.50")
    return cents


def _drop(text: str) -> Fraction:
    from bot.domain.money import parse_amount

    try:
        millionths = parse_amount(text.strip().removesuffix("%").strip(), 6)
    except ValueError:
        millionths = -1
    if not 0 <= millionths < 100 * 10**6:
        raise UsageError(f"--drop “{text}” is not a fall in percent; write 20 for a price 20 % lower")
    return Fraction(millionths, 100 * 10**6)


def read_text(path: Path) -> str:
    """A file of text, to the letter: its SHA-256 is the file's. UsageError, in one line, where there is none."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise UsageError(f"{path}: is a directory; name a file in it") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def who() -> str:
    """Who gives the command, for the record."""
    for name in ("SUDO_USER", "USER", "LOGNAME"):
        if os.environ.get(name):
            return f"cli:{os.environ[name]}"
    return "cli"
