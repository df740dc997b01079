"""The composition root: settings in, a running bot out. Nothing happens at import, and nothing runs before `start`."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import httpx
import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.slots import Claim
from bot.domain.transitions import Transition
from bot.domain.words import span
from bot.fallback import AppriseTargets, check_targets
from bot.health import DOWN, REFUSALS, Metrics, Troubles
from bot.heartbeat import Ping
from bot.illustrating import Illustrating
from bot.jobs import DIGEST_LEASE, jobs_of
from bot.logs import Redaction
from bot.own_health import health_of
from bot.prices.feed import FeedPolicy, PriceFeed
from bot.schedule import Schedule
from bot.services.access import Access
from bot.services.acting import Acting
from bot.services.agreeing import Agreements
from bot.services.auditing import Auditing
from bot.services.books import Books
from bot.services.checking import poll_price, run_checks
from bot.services.deliver import Delivery
from bot.services.digest import Digests
from bot.services.fallback import Fallback
from bot.services.interest import InterestReminders
from bot.services.month_end import MonthEnds
from bot.services.plans import Plans
from bot.services.ports import Clock, SystemClock
from bot.services.questions import Questions
from bot.services.recording import Channels
from bot.services.records import Records
from bot.services.turns import Turn, Turns
from bot.services.weekend import Weekends
from bot.settings import Settings
from bot.slack.app import build_app
from bot.slack.directory import SlackDirectory
from bot.slack.health import Health
from bot.slack.notifier import TIME_OUT_S, Notifier
from bot.slack.outcomes import UNREACHABLE
from bot.slack.requests import Requests
from bot.slack.socket import SocketMode
from bot.slack.token import TokenWatch
from bot.slack.uploads import Uploads
from bot.store.engine import open_engine
from bot.store.store import Store
from bot.treasury_file import read_part

LAST_ENTRIES_WITHIN = timedelta(seconds=2)
SOCKET_SILENCE = timedelta(minutes=1)
"""A socket that Slack has not answered for so long is dead, whatever it says itself."""
LATER_THREADS = 4
_log = structlog.get_logger()


class Running:
    """Every part of one bot, wired. `start` and `stop` once each; the parts may be used without either.

    `turn` is held from a poll to the end of its checks: who moves the clock (the demo) does so between turns.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        slack: WebClient,
        http: httpx.Client,
        database_clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._built_at = clock.now()
        self.metrics = Metrics()
        self.troubles_of_jobs = Troubles()
        self.store = Store(
            open_engine(settings.database_url.get_secret_value()),
            database_clock.now if database_clock else None,
            Redaction(settings.secrets()).clean,
        )
        self.books = Books(settings.alert_policy(), settings.price_policy())
        self.questions = Questions(self.store, self.books, clock)
        self.channels = Channels(
            settings.alert_channel or "",
            settings.escalation_channel,
            settings.escalation_group,
            settings.digest_channel,
            settings.audit_channel,
            settings.approval_channel,
        )
        self.acting = Acting(self.store, self.books, clock, self.channels, self._changed)
        self.records = Records(self.store, self.books, clock, self.channels, self._recorded, Agreements(read_part))
        self.plans = Plans(self.store, self.books, clock, self.channels, self._wake_delivery)
        self._illustrating = Illustrating(self.questions, Uploads(slack).picture)
        self.digests = Digests(
            self.store, self.books, clock, settings.digest_at, self._wake_delivery, self._illustrating
        )
        self.month_ends = MonthEnds(self.store, self.books, clock, settings.digest_at.at, self._wake_delivery)
        self.interest = InterestReminders(self.store, self.books, clock, settings.digest_at.at, self._wake_delivery)
        self.weekends = Weekends(self.store, self.books, clock, self._wake_delivery)
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._role = "worker"
        self.turns = Turns(
            self.store, clock, self._worker, unavailable=DOWN, tell=self.metrics.turned, tell_late=self.metrics.began
        )
        self.turn = threading.Lock()
        self._http = http
        url = settings.heartbeat_url
        self.ping = Ping(self.store, http, url.get_secret_value(), settings.polled_within) if url else None
        self._feed = PriceFeed(settings.price_sources, http, clock, FeedPolicy(every=settings.price_every))
        self.access = Access(self.store, SlackDirectory(slack), clock, settings.roles(), self.channels)
        self._token = TokenWatch(self.access.ask_home)
        self.delivery = Delivery(
            self.store,
            Notifier(slack, self.access, time_out_s=_posting_time_out(settings.settle_after)),
            clock,
            worker_id=self._worker,
            settle_after=settings.settle_after,
            tell=self.metrics.delivered,
            tell_dwell=self.metrics.dwelt,
        )
        self.fallback = Fallback(
            self.store,
            AppriseTargets(settings.fallback_urls),
            clock,
            self._worker,
            after=settings.fallback_after,
            refusals=REFUSALS,
            channel=self.channels.alerts,
            tell=self.metrics.fell_back,
        )
        self.signing_secret = _signing_secret(settings)
        self._later = ThreadPoolExecutor(LATER_THREADS, thread_name_prefix="later")
        self.audit = Auditing(self.store, clock, self._run_later, DOWN)
        self.slack_app = build_app(
            signing_secret=self.signing_secret,
            client=slack,
            questions=self.questions,
            acting=self.acting,
            records=self.records,
            plans=self.plans,
            digests=self.digests,
            access=self.access,
            requests=Requests(self.store, clock),
            audit=self.audit,
            health=self.health,
            run_later=self._run_later,
            command_prefix=settings.command_prefix,
            unavailable=DOWN,
        )
        token = settings.slack_app_token
        self._socket = SocketMode(self.slack_app, token.get_secret_value(), slack) if token else None
        self.schedule: Schedule | None = None
        self.metrics.read_from(self)

    def poll_and_check(self, claim: Claim | None = None) -> None:
        """One poll of the price, then every check, as one turn; what they have to say is delivered at once.

        LostClaimError, and nothing of it counts, where the slot that was claimed for it is gone by the time of the
        answers.
        """
        with self.turn:
            self._poll_and_check(claim)

    def _poll_and_check(self, claim: Claim | None) -> None:
        with self.metrics.poll_seconds.time():
            tick = poll_price(self.store, self._feed, self.books.prices, self.clock, claim)
        for quote in tick.quotes if tick else ():
            if quote.why:
                _log.info("quote_not_used", source=quote.source, verdict=quote.verdict.value, why=quote.why)
        with self.metrics.check_seconds.time():
            said = run_checks(self.store, self.books, self.clock, self.channels)
        self.beat(checked=True)
        self._changed(said)

    def _changed(self, said: Sequence[Transition]) -> None:
        """What people see something of is recorded: counted, logged, and delivered at once."""
        for one in said:
            self.metrics.transitions.labels(one.change.value, one.reason.value).inc()
            known = one.alert or one.before
            _log.info(
                "alert",
                key=one.key,
                change=one.change.value,
                reason=one.reason.value,
                alert_level=known.level.word if known else None,
                tier=known.tier if known else None,
            )
        if said:
            self._wake_delivery()

    def _recorded(self, said: Sequence[Transition]) -> None:
        """Somebody recorded something: the audit channel is told, whatever the checks had to say of it."""
        self._changed(said)
        self._wake_delivery()

    def thin(self) -> None:
        """Of ticks older than 90 days one an hour stays; slots and processes of long ago are forgotten."""
        with self.store.writing() as tx:
            now = self.clock.now()
            gone, forgotten = tx.thin_ticks(now), tx.forget_jobs(now)
        if gone or forgotten:
            _log.info("ticks_thinned", gone=gone, forgotten=forgotten)

    def beat(self, *, checked: bool = False) -> None:
        """This process is alive; `checked`: and has just completed every check."""
        with self.store.sharing() as tx:
            tx.beat(self._worker, self._role, checked=checked)

    def start(self, *, works: bool, answers: bool) -> None:
        """`works`: poll, check, post. `answers`: know people and channels, and in Socket Mode hold the socket."""
        self._role = role_of(works=works, answers=answers)
        if not answers:
            self._socket = None
        deliver = self.troubles_of_jobs.watched("deliver", self.delivery.run_once)
        jobs = list(jobs_of(self, works=works, answers=answers))
        self.schedule = Schedule(jobs, deliver if works else None)
        self.schedule.start()

    def post_digest(self) -> Turn | None:
        """Posts the digest of the week that has ended, if none has; None where there is none to post."""
        slot, channel = self.digests.due(), self.settings.digest_channel
        if slot is None or channel is None:
            return None
        return self.turns.take_slot(slot, lambda claim: self.digests.work(claim, channel), DIGEST_LEASE)

    def post_month_end(self) -> Turn | None:
        """Posts the report of the month that has ended, if none has; None where there is none to post."""
        slot, channel = self.month_ends.due(), self.settings.digest_channel
        if slot is None or channel is None:
            return None
        return self.turns.take_slot(slot, lambda claim: self.month_ends.work(claim, channel))

    def remind_of_interest(self) -> None:
        """Posts the reminders of interest that are to be there by now, where none has."""
        if self.settings.alert_channel:
            self.interest.post(self.settings.alert_channel)

    def speak_of_weekends(self) -> None:
        """Posts what is to be known before rails shut for longer than overnight, where nobody has."""
        if self.settings.alert_channel:
            self.weekends.post(self.settings.alert_channel)

    def fall_back(self) -> None:
        """What Slack does not take goes another way, once Slack has had its chance since the start.

        A first round that is still under way by then, as where Slack answers slowly, is not waited for.
        """
        had_its_chance = self.delivery.rounds or self.clock.now() - self._built_at >= self.settings.fallback_after
        if had_its_chance and self.fallback.run_once():
            self._wake_delivery()

    def know_token(self) -> None:
        """Asks Slack whose bot this is, unless it said so lately: each process must know."""
        self._token.look()

    def connect(self) -> None:
        """Opens the socket, or sees to it that it is still alive."""
        if self._socket is None:
            return
        silent = self._socket.silent_for()
        if silent is not None and silent < SOCKET_SILENCE:
            return
        if silent is not None:
            _log.warning("socket_silent", seconds=int(silent.total_seconds()))
            self._socket.stop()
        try:
            self._socket.start()
        except (SlackApiError, SlackClientError, *UNREACHABLE) as error:
            self._socket.stop()  # so that the next turn tries again
            _log.error("socket_not_connected", reason=_reason(error))

    def stop(self, within: float) -> None:
        """Ends it all; what is under way gets `within` seconds."""
        self.turns.stop()
        self._illustrating.stop()
        self.delivery.stop()
        if self.schedule:
            self.schedule.stop(within)
        self.turns.let_go()
        if self._socket:
            self._socket.stop()
        self._later.shutdown(wait=False, cancel_futures=True)
        self._feed.close()
        self._http.close()
        self.audit.flush(LAST_ENTRIES_WITHIN)
        self.store.close()

    def dead_threads(self) -> list[str]:
        """What should be running in this process and is not."""
        return self.schedule.dead() if self.schedule else []

    def troubles(self) -> list[str]:
        """What else keeps it from its work. No network."""
        found = self.troubles_of_jobs.reasons()
        if refused := self._token.trouble():
            found += [refused]
        if self._socket is None:
            return found
        silent = self.heard()
        if silent is None:
            return [*found, "Slack's socket is not open"]
        return [*found, f"Slack's socket was last heard {span(silent)} ago"] if silent > SOCKET_SILENCE else found

    def health(self) -> Health:
        """How it is, for `/plimsoll`."""
        return health_of(self.store, self.books, self.access, self.settings, self.clock.now(), self.heard())

    def heard(self) -> timedelta | None:
        """How long Slack's socket has been silent; None without one."""
        return self._socket.silent_for() if self._socket else None

    def _wake_delivery(self) -> None:
        """Something was written for the channel: where this process delivers, it does so at once."""
        if self.schedule:
            self.schedule.wake_delivery()

    def _run_later(self, work: Callable[[], None]) -> None:
        """Whatever talks to Slack after the acknowledgement; its errors are logged, nobody waits for it."""

        def run() -> None:
            try:
                work()
            except Exception:  # noqa: BLE001  # nobody would ever look at this future
                _log.exception("later_failed")

        self._later.submit(run)


def role_of(*, works: bool, answers: bool) -> str:
    """The role as `run --role` has it."""
    return "all" if works and answers else "web" if answers else "worker"


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    slack: WebClient | None = None,
    http: httpx.Client | None = None,
    database_clock: Clock | None = None,
) -> Running:
    """Every part of the bot. `slack` and `http` are made from the settings where they are not given.

    `database_clock` stands for the database's own time, where that must be set by hand. SettingsError where apprise
    does not know one of FALLBACK_URLS.
    """
    check_targets(settings.fallback_urls)
    http = http or httpx.Client()
    return Running(settings, clock or SystemClock(), slack or _slack_client(settings), http, database_clock)


def _slack_client(settings: Settings) -> WebClient:
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else None
    return WebClient(token=token, base_url=settings.slack_api_url, timeout=TIME_OUT_S)


def _signing_secret(settings: Settings) -> str:
    """The app's; in Socket Mode, where no request comes over HTTP, one that nobody knows."""
    given = settings.slack_signing_secret
    return given.get_secret_value() if given else secrets.token_hex()


def _reason(error: Exception) -> str:
    return str(error.response["error"]) if isinstance(error, SlackApiError) else str(error)


def _posting_time_out(settle_after: timedelta) -> int:
    """A post must have ended, one way or the other, before it is looked for."""
    return max(1, min(TIME_OUT_S, int(settle_after.total_seconds()) - 1))
