"""How a running bot is, as it says itself: for `/plimsoll`."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.price import PriceState, PriceView
from bot.domain.quotes import Tick, Verdict
from bot.health import DOWN, UNDELIVERED_TOO_LONG, outbox_state
from bot.services.access import Access
from bot.services.books import Books
from bot.settings import Settings
from bot.slack.health import Health
from bot.store.store import Store


def health_of(
    store: Store, books: Books, access: Access, settings: Settings, now: datetime, silent_for: timedelta | None
) -> Health:
    """Its price and sources, its checks, what waits to be delivered, and where it may not speak. No network.

    `silent_for` is how long Slack's socket has been, None without one.
    """
    sources = tuple(name for name, _ in settings.price_sources)
    try:
        with store.reading() as tx:
            view, tick, treasury = books.price_at(tx, now), tx.last_tick(now), tx.treasury()
            checked, closed = tx.checked_ago(), access.closed(tx)
        outbox = outbox_state(store, now)
    except DOWN as error:
        return Health(now, PriceView(PriceState.NONE), sources, database=type(error).__name__, version=_version())
    return Health(
        at=now,
        price=view,
        sources=sources,
        dropped=_left_out(tick, Verdict.OUTLIER, Verdict.STALE),
        missing=_left_out(tick, Verdict.FAILED),
        last_check=None if checked is None else now - checked,
        check_within=settings.polled_within,
        undelivered=outbox.pending,
        undelivered_since=outbox.since,
        deliver_within=UNDELIVERED_TOO_LONG,
        failed=outbox.failed,
        failures=outbox.reasons,
        socket_silent_for=silent_for,
        closed=tuple(closed),
        facility=treasury.facilities[0].id if treasury and treasury.facilities else "",
        version=_version(),
    )


def _left_out(tick: Tick | None, *verdicts: Verdict) -> tuple[str, ...]:
    """The sources of the last poll that were judged so, with the reason."""
    return tuple(f"{quote.source} ({quote.why})" for quote in tick.quotes if quote.verdict in verdicts) if tick else ()


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("plimsoll-bot")
    except PackageNotFoundError:
        return ""
