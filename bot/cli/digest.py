"""`digest`: a week that has ended, as it is posted on its last day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import output
from bot.cli.common import At, Json, instant, load, store_to_read, store_to_write, who
from bot.services.errors import UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bot.domain.digest import Digest
    from bot.services.posting import Posting
    from bot.settings import Settings
    from bot.store.store import Store


def register(app: typer.Typer) -> None:
    app.command()(digest)


def digest(
    at: At = None,
    json: Json = False,
    post: Annotated[
        bool, typer.Option("--post", help="Post it in DIGEST_CHANNEL, if that week's is not there already.")
    ] = False,
) -> None:
    """The last week that ended, and what comes.

    Its figures are those of its end: DIGEST_AT, in the treasury's zone.
    """
    settings = load()
    from bot.services.books import Books
    from bot.services.digest import Digests
    from bot.services.ports import SystemClock

    asked = instant(at)
    channel = settings.digest_channel
    if post and channel is None:
        raise UsageError("DIGEST_CHANNEL is not set: --post needs the id of the channel to post in, as C0123456789")
    with _store(settings, post=post) as store:
        books = Books(settings.alert_policy(), settings.price_policy())
        digests = Digests(store, books, SystemClock(), settings.digest_at)
        found = digests.ended(asked)
        became = digests.post(found, channel, who()) if post and channel is not None else None
    if json:
        from bot.domain.digest_document import digest_document

        more = {"post": {"channel": channel, "status": became.value}} if became is not None else {}
        output.print_json({**digest_document(found), **more})
    else:
        _print(found, _posted(found, channel or "", became) if became is not None else "")


def _store(settings: Settings, *, post: bool) -> AbstractContextManager[Store]:
    """The database, to be written only where something is; what was never imported is not made for that."""
    from bot.cli.common import is_new

    return store_to_write(settings) if post and not is_new(settings) else store_to_read(settings)


def _print(found: Digest, posted: str) -> None:
    from bot.domain.digest_words import told

    out = output.Page()
    out.told(told(found))
    if posted:
        out.print()
        out.print(posted)


def _posted(found: Digest, channel: str, became: Posting) -> str:
    """What became of --post, and what comes next."""
    from bot.services.posting import Posting

    match became:
        case Posting.QUEUED:
            return f"Week {found.week.name}: a running plimsoll run posts it in {channel} now."
        case Posting.WAITING:
            return f"Week {found.week.name} waits to be posted already; nothing was added. Is plimsoll run running?"
        case _:
            return f"Week {found.week.name} was posted already; nothing was added."
