"""How the bot is: for `/plimsoll`, `/readyz` and `/metrics`. Asked of the database: so true of every process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import and_, func, or_, select
from sqlalchemy.exc import DBAPIError

from bot.domain.price import PriceState
from bot.domain.quotes import Verdict
from bot.domain.terms import Level
from bot.domain.words import span
from bot.services.turns import Turn
from bot.slack.outcomes import KNOWN
from bot.store import migrate
from bot.store.columns import table_of
from bot.store.engine import DatabaseUnavailableError, reading
from bot.store.tables import Outbox

if TYPE_CHECKING:
    from bot.app import Running
    from bot.domain.price import PriceView
    from bot.domain.quotes import Tick
    from bot.services.deliver import Outcome
    from bot.store.store import Store

UNDELIVERED_TOO_LONG = timedelta(minutes=2)
A_DAY = timedelta(days=1)
DOWN = (DatabaseUnavailableError, DBAPIError)
REFUSALS = KNOWN | {"refused"}
_LATE_S = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)
_DWELL_S = (0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900, 3600)
_outbox = table_of(Outbox)


@dataclass(frozen=True, slots=True)
class OutboxState:
    """`pending` messages are not known to be in Slack, the oldest `since`; `failed` were given up in the last day.

    `refusals` are the reasons for which Slack refuses pending ones until somebody mends it.
    """

    pending: int
    since: datetime | None
    failed: int
    reasons: tuple[str, ...]
    refusals: tuple[str, ...] = ()


def outbox_state(store: Store, now: datetime) -> OutboxState:
    """What waits and what was given up, as of `now`."""
    lately = and_(_outbox.c.status == "failed", _outbox.c.failed_at > now - A_DAY)
    query = select(_outbox.c.status, _outbox.c.reason, func.count(), func.min(_outbox.c.created_at))
    query = query.where(or_(_outbox.c.status == "pending", lately)).group_by(_outbox.c.status, _outbox.c.reason)
    with reading(store.engine) as connection:
        rows = connection.execute(query.order_by(_outbox.c.reason)).all()
    pending = [(count, since) for status, _, count, since in rows if status == "pending"]
    failed = [(reason, count) for status, reason, count, _ in rows if status == "failed"]
    return OutboxState(
        pending=sum(count for count, _ in pending),
        since=min((since for _, since in pending), default=None),
        failed=sum(count for _, count in failed),
        reasons=tuple(str(reason) for reason, _ in failed),
        refusals=tuple(sorted({reason for status, reason, *_ in rows if status == "pending" and reason in REFUSALS})),
    )


def price_view(running: Running, now: datetime) -> tuple[PriceView, datetime | None]:
    """The price as it is known now, and when the sources were last asked."""
    with running.store.reading() as tx:
        tick = tx.last_tick(now)
        return running.books.price_at(tx, now), tick.at if tick else None


def readiness(running: Running) -> dict[str, Any]:
    """Whether the bot can do its work now, and if not, why."""
    now = running.clock.now()
    try:
        lacking = migrate.pending(running.settings.database_url.get_secret_value())
        if lacking:
            return _ready([f"the database lacks {len(lacking)} migrations: plimsoll db upgrade"])
        view, polled = price_view(running, now)
        checked = checked_ago(running.store)
        with running.store.reading() as tx:
            closed = running.access.closed(tx)
        outbox = outbox_state(running.store, now)
    except DOWN as error:
        return _ready([f"the database cannot be used: {database_trouble(error)}"])
    reasons = [
        *_price_reasons(running, view, polled, now),
        *_check_reasons(checked, running.settings.polled_within),
        *(f"{one}: nothing is posted there; plimsoll doctor says the next step" for one in closed),
        *_outbox_reasons(outbox, now),
        *running.troubles(),
    ]
    waiting = int((now - outbox.since).total_seconds()) if outbox.since else None
    about = {"state": view.state.value, "age_s": int(view.age.total_seconds()) if view.age is not None else None}
    return {
        **_ready(reasons),
        "price": about,
        "checked_s": None if checked is None else int(checked.total_seconds()),
        "undelivered": outbox.pending,
        "oldest_undelivered_s": waiting,
    }


def _ready(reasons: list[str]) -> dict[str, Any]:
    return {"ready": not reasons, "reasons": reasons}


def _price_reasons(running: Running, view: PriceView, polled: datetime | None, now: datetime) -> Iterator[str]:
    if polled is None:
        yield "the price sources were never asked"
    elif now - polled > running.settings.polled_within:
        yield f"the price sources were last asked {span(now - polled)} ago"
    if view.state.is_blind:
        aged = f", last {span(view.age)} ago" if view.age is not None else ""
        yield f"there is no price ({view.state.value}{aged})"


def _check_reasons(checked: timedelta | None, within: timedelta) -> Iterator[str]:
    if checked is None:
        yield "the checks have not completed yet"
    elif checked > within:
        yield f"the checks last completed {span(checked)} ago"


def _outbox_reasons(outbox: OutboxState, now: datetime) -> Iterator[str]:
    for reason in outbox.refusals:
        yield f"Slack refuses messages ({reason}): plimsoll doctor says the next step"
    if outbox.since is not None and now - outbox.since > UNDELIVERED_TOO_LONG:
        yield f"{outbox.pending} messages are not delivered, the oldest for {span(now - outbox.since)}"


def checked_ago(store: Store) -> timedelta | None:
    """How long ago every check was last completed, by whichever process; None: never."""
    with store.reading() as tx:
        return tx.checked_ago()


def database_trouble(error: Exception) -> str:
    """What the database itself said, in one line."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0].removeprefix(
        "The database cannot be used now: "
    )


class Troubles:
    """Which jobs of this process could not use the database when last they tried, and what it said."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def watched(self, job: str, run: Callable[[], object]) -> Callable[[], object]:
        """`run`, remembered where the database fails it, until it comes through or somebody else has done its work."""

        def watching() -> object:
            try:
                became = run()
            except DOWN as error:
                self._said[job] = database_trouble(error)
                raise
            if became is not Turn.BUSY:
                self._said.pop(job, None)
            return became

        return watching

    def reasons(self) -> list[str]:
        """As `/readyz` says them."""
        return [f"the database cannot be written: {said}" for said in dict.fromkeys(self._said.values())]


class Metrics:
    """What Prometheus is told: counted here as it happens, and read from the database when it asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.check_seconds = Histogram(
            "plimsoll_check_seconds", "How long holding every finding against every alert took.", registry=self.registry
        )
        self.poll_seconds = Histogram(
            "plimsoll_price_poll_seconds", "How long asking the price sources took.", registry=self.registry
        )
        self.transitions = Counter(
            "plimsoll_alert_transitions", "What became of alerts.", ["change", "reason"], registry=self.registry
        )
        self.deliveries = Counter(
            "plimsoll_deliveries",
            "Calls to Slack that deliver messages.",
            ["kind", "outcome", "reason"],
            registry=self.registry,
        )

        self.fallbacks = Counter(
            "plimsoll_fallbacks",
            "What FALLBACK_URLS took and did not, an address at a time.",
            ["outcome"],
            registry=self.registry,
        )
        self.dwell_seconds = Histogram(
            "plimsoll_dwell_seconds",
            "From what a message tells of to its being in Slack.",
            ["kind"],
            buckets=_DWELL_S,
            registry=self.registry,
        )
        self.job_lateness = Histogram(
            "plimsoll_job_lateness_seconds",
            "How long after it was due a slot of a job was begun.",
            ["job"],
            buckets=_LATE_S,
            registry=self.registry,
        )
        self.jobs = Counter(
            "plimsoll_job_slots",
            "What became of the slots this process took.",
            ["job", "outcome"],
            registry=self.registry,
        )

    def fell_back(self, outcome: str) -> None:
        """Counts one message that went another way, or did not."""
        self.fallbacks.labels(outcome).inc()

    def dwelt(self, kind: str, seconds: float) -> None:
        """A message of `kind` is in Slack, so long after what it tells of."""
        self.dwell_seconds.labels(kind).observe(seconds)

    def began(self, job: str, seconds: float) -> None:
        """A slot of `job` was begun so long after it was due."""
        self.job_lateness.labels(job).observe(seconds)

    def turned(self, job: str, turn: Turn) -> None:
        """What became of a slot of `job`."""
        self.jobs.labels(job, turn.value).inc()

    def delivered(self, kind: str, outcome: Outcome) -> None:
        """Counts one call to Slack."""
        self.deliveries.labels(kind, outcome.fate.value, outcome.reason).inc()

    def read_from(self, running: Running) -> None:
        """From now on the gauges tell of `running`."""
        self.registry.register(_Gauges(running))


class _Gauges(Collector):
    def __init__(self, running: Running) -> None:
        self._running = running

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing ahead of time: to register must not ask the database."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("plimsoll_database_up", "Whether the database answers.")
        try:
            gauges = list(self._read())
        except DOWN:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from gauges

    def _read(self) -> Iterator[GaugeMetricFamily]:
        now = self._running.clock.now()
        view, polled = price_view(self._running, now)
        with self._running.store.reading() as tx:
            levels = [row.level for row in tx.open_alerts().values()]
            checked, tick = tx.checked_ago(), tx.last_tick(now)
        outbox = outbox_state(self._running.store, now)

        state = GaugeMetricFamily("plimsoll_price_state", "1 for the state that the price is in.", labels=["state"])
        for one in PriceState:
            if one is not PriceState.SCENARIO:
                state.add_metric([one.value], float(view.state is one))
        yield state
        opened = GaugeMetricFamily("plimsoll_open_alerts", "Open alerts by level.", labels=["level"])
        for level in (Level.NOTICE, Level.WARNING, Level.CRITICAL):
            opened.add_metric([level.word], levels.count(level))
        yield opened
        if view.last is not None:
            yield _gauge("plimsoll_price_usd", "The last accepted price.", view.last / 100)
        if view.age is not None:
            yield _gauge("plimsoll_price_age_seconds", "How old the price is.", view.age.total_seconds())
        if polled is not None:
            since = (now - polled).total_seconds()
            yield _gauge("plimsoll_price_poll_age_seconds", "Since the sources were last asked.", since)
        if checked is not None:
            yield _gauge(
                "plimsoll_checks_age_seconds", "Since every check was last completed.", checked.total_seconds()
            )
        yield from _of_sources(tick, now)
        yield _gauge("plimsoll_undelivered", "Messages not known to be in Slack.", outbox.pending)
        waiting = (now - outbox.since).total_seconds() if outbox.since else 0
        yield _gauge("plimsoll_undelivered_oldest_seconds", "How long the oldest of them has waited.", waiting)
        yield _gauge("plimsoll_given_up", "Messages given up in the last day.", outbox.failed)


def _of_sources(tick: Tick | None, now: datetime) -> Iterator[GaugeMetricFamily]:
    """Each source, as the last poll found it."""
    age = GaugeMetricFamily("plimsoll_source_price_age_seconds", "How old a source's last quote is.", labels=["source"])
    state = GaugeMetricFamily(
        "plimsoll_source_state", "1 for what became of a source's answer to the last poll.", labels=["source", "state"]
    )
    for quote in tick.quotes if tick else ():
        observed = quote.observed_at
        if observed is not None:
            age.add_metric([quote.source], (now - observed).total_seconds())
        for one in Verdict:
            state.add_metric([quote.source, one.value], float(quote.verdict is one))
    yield age
    yield state


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    made = GaugeMetricFamily(name, about)
    made.add_metric([], value)
    return made
