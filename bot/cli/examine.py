"""What `doctor` looks at. Each look is one line: all is well, or what is wrong and the next step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.domain.roles import Role, groups_of
from bot.services.errors import PlimsollError
from bot.settings import Settings, SettingsError

if TYPE_CHECKING:
    from slack_sdk import WebClient

LARGEST_SKEW = timedelta(seconds=30)
SLACK_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Result:
    """One look: `ok` is None where there was nothing to look at."""

    name: str
    ok: bool | None
    said: str

    def document(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "said": self.said}


def examine() -> list[Result]:
    """Every look there is; none of them changes anything."""
    from bot.cli.common import load

    try:
        settings = load()
    except SettingsError as error:
        return [Result("settings", False, line) for line in str(error).splitlines()]
    return [
        *_settings(settings),
        _database(settings),
        *_prices(settings),
        *_slack(settings),
        *_fallback(settings),
    ]


_SECRETS = ("slack_bot_token", "slack_signing_secret", "slack_app_token")


def _settings(settings: Settings) -> Iterator[Result]:
    """Which are set, by name. Of secrets no more than that is said."""
    from bot.settings import is_set

    names = type(settings).model_fields
    given = [name.upper() for name in names if is_set(name) and name not in _SECRETS]
    yield Result("settings", True, f"set: {', '.join(given)}" if given else "all at their defaults")
    known = (f"{name.upper()} {'set' if getattr(settings, name) else 'not set'}" for name in _SECRETS)
    yield Result("secrets", True, ", ".join(known))
    try:
        settings.require_slack()
    except SettingsError as error:
        yield Result("slack settings", False, str(error))


def _database(settings: Settings) -> Result:
    from sqlalchemy.exc import DBAPIError

    from bot.cli.common import behind, opened, sqlite_file, unusable
    from bot.store import migrate
    from bot.store.engine import DatabaseUnavailableError

    url = settings.database_url.get_secret_value()
    file = sqlite_file(url)
    where = str(file) if file is not None else "PostgreSQL"
    if file is not None and not file.exists():
        return Result("database", False, f"{where} is not there yet: plimsoll import FILE makes it")
    try:
        if lacking := migrate.pending(url):
            return Result("database", False, str(behind(lacking)))
        with opened(settings) as store, store.reading() as tx:
            treasury = tx.treasury()
    except (DatabaseUnavailableError, DBAPIError) as error:
        return Result("database", False, unusable(settings, error).removesuffix(", or: plimsoll doctor"))
    except PlimsollError as error:
        return Result("database", False, str(error))
    if treasury is None:
        return Result("database", False, f"{where}: nothing imported yet: plimsoll import FILE")
    count = len(treasury.facilities)
    return Result("database", True, f"{where}, up to date: {treasury.name}, {_many(count, 'facility', 'facilities')}")


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _prices(settings: Settings) -> Iterator[Result]:
    """Each source asked once, then what they make together, and how far our clock is from theirs."""
    import httpx

    from bot.domain.money import show_usd
    from bot.domain.quotes import aggregate
    from bot.prices.feed import PriceFeed
    from bot.services.ports import SystemClock

    quotes = []
    polls = []
    with httpx.Client() as http:
        for source in settings.price_sources:
            feed = PriceFeed([source], http, SystemClock())
            began = time.monotonic()
            poll = feed.poll()
            took = f"{(time.monotonic() - began) * 1000:.0f} ms"
            feed.close()
            polls.append(poll)
            for failure in poll.failures:
                step = "see whether this machine reaches it, or leave it out of PRICE_SOURCES"
                yield Result(f"price {source[0]}", False, f"no quote ({failure.why}) after {took}; {step}")
            for quote in poll.quotes:
                quotes.append(quote)
                yield Result(f"price {source[0]}", True, f"{show_usd(quote.price)} in {took}")
    now = SystemClock().now()
    tick = aggregate(None, _together(polls, now, settings), settings.price_policy())
    if tick.price is None:
        needed = f"{settings.price_quorum} of {len(settings.price_sources)} sources must agree (PRICE_QUORUM)"
        yield Result("price", False, f"no price: {needed}; mend a source above or name others in PRICE_SOURCES")
    else:
        yield Result(
            "price",
            True,
            f"{show_usd(tick.price)}, {tick.state.value}, {_many(len(tick.sources), 'source', 'sources')}",
        )
    yield from _clock([(quote.at, quote.fetched_at) for quote in quotes if quote.at is not None])


def _together(polls: list[Any], now: datetime, settings: Settings) -> Any:
    from bot.domain.quotes import Poll

    names = tuple(name for name, _ in settings.price_sources)
    return Poll(now, names, tuple(q for p in polls for q in p.quotes), tuple(f for p in polls for f in p.failures))


def _clock(times: list[tuple[datetime, datetime]]) -> Iterator[Result]:
    """Our clock against the sources': quotes are a little old, never from the future."""
    if not times:
        return
    ahead = max(theirs - ours for theirs, ours in times)
    behind = min(ours - theirs for theirs, ours in times)
    skew = ahead if ahead > timedelta(0) else -behind
    said = f"{abs(skew).total_seconds():.0f} s {'behind' if skew > timedelta(0) else 'ahead of'} the newest quote"
    if abs(skew) > LARGEST_SKEW:
        yield Result("clock", False, f"this machine's clock is {said}; let NTP set it")
    elif abs(skew) < timedelta(seconds=1):
        yield Result("clock", True, "in step with the sources")
    else:
        yield Result("clock", True, said)


def _slack(settings: Settings) -> Iterator[Result]:
    """The token, and whether the bot is in channels of our own that alerts and the digest may go to."""
    if settings.slack_bot_token is None:
        yield Result("slack", None, "no SLACK_BOT_TOKEN: not asked")
        return
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

    client = WebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=settings.slack_api_url,
        timeout=SLACK_TIMEOUT_S,
        retry_handlers=[],
    )
    began = time.monotonic()
    try:
        who = client.auth_test()
    except SlackApiError as error:
        step = "install the app anew and set SLACK_BOT_TOKEN to its bot token"
        yield Result("slack token", False, f"Slack says {error.response['error']}; {step}")
        return
    except OSError as error:
        reason = getattr(error, "reason", error)
        yield Result("slack token", False, f"Slack cannot be reached: {reason}; see whether this machine has a network")
        return
    took = f"{(time.monotonic() - began) * 1000:.0f} ms"
    yield Result("slack token", True, f"{who.get('user')} in {who.get('team')}, {took}")
    if settings.slack_app_token is not None:
        yield _socket(client, settings.slack_app_token.get_secret_value())
    for setting in ("ALERT_CHANNEL", "DIGEST_CHANNEL", "ESCALATION_CHANNEL", "AUDIT_CHANNEL", "APPROVAL_CHANNEL"):
        channel = getattr(settings, setting.lower())
        if channel is not None:
            yield _channel(client, setting, channel)
    for role in Role:
        if named := settings.roles().named(role):
            yield _named(client, f"{role.word.upper()}S", named)


def _fallback(settings: Settings) -> Iterator[Result]:
    """Where critical alerts go when Slack fails, by what may be said of an address. Nothing is sent."""
    from bot.fallback import check_targets, scheme

    urls = settings.fallback_urls
    try:
        check_targets(urls)
    except SettingsError as error:
        yield Result("fallback", False, str(error))
        return
    if urls:
        named = ", ".join(scheme(url) for url in urls)
        yield Result("fallback", True, f"{_many(len(urls), 'address', 'addresses')} in FALLBACK_URLS: {named}")


def _socket(client: WebClient, app_token: str) -> Result:
    """Whether Slack would give us a socket; none is opened."""
    from slack_sdk.errors import SlackApiError

    try:
        client.apps_connections_open(app_token=app_token)
    except (SlackApiError, OSError) as error:
        said = error.response["error"] if isinstance(error, SlackApiError) else str(error)
        step = "switch Socket Mode on in the app and set SLACK_APP_TOKEN to a token with connections:write"
        return Result("slack socket", False, f"Slack says {said}; {step}")
    return Result("slack socket", True, "Slack offers one")


def _channel(client: WebClient, setting: str, channel_id: str) -> Result:
    """Whether the bot may speak in the channel that `setting` names."""
    from slack_sdk.errors import SlackApiError

    from bot.services.places import shared_outside

    look = setting.lower().replace("_", " ")
    try:
        channel = client.conversations_info(channel=channel_id)["channel"]
    except (SlackApiError, OSError) as error:
        said = error.response["error"] if isinstance(error, SlackApiError) else str(error)
        step = f"set {setting} to the id of a channel that the bot is in (/invite it)"
        return Result(look, False, f"{channel_id}: Slack says {said}; {step}")
    name = f"#{channel.get('name', channel_id)} ({channel_id})"
    if shared_outside(channel):
        step = f"choose a channel of your own in {setting}"
        return Result(look, False, f"{name} is shared with another organisation: nothing is posted; {step}")
    if channel.get("is_archived"):
        return Result(look, False, f"{name} is archived; choose another in {setting}")
    if not channel.get("is_member"):
        return Result(look, False, f"the bot is not in {name}; in that channel: /invite @Plimsoll")
    return Result(look, True, name)


def _named(client: WebClient, setting: str, ids: tuple[str, ...]) -> Result:
    """Whether Slack knows the users and user groups that `setting` names, and will say who is in the groups."""
    from bot.services.access import person
    from bot.services.directory import LookUpFailedError
    from bot.slack.directory import SlackDirectory

    directory, groups = SlackDirectory(client), groups_of(ids)
    people, wrong = set[str](), list[str]()
    try:
        home = directory.home()
    except LookUpFailedError as failed:
        return Result(setting.lower(), False, f"Slack says {failed.code}; ask again")
    for one in ids:
        try:
            if one in groups:
                people |= set(directory.group(one))
            elif person(directory.user(one), home).allowed:
                people.add(one)
            else:
                wrong.append(f"{one} is no full member of this workspace, and is refused")
        except LookUpFailedError as failed:
            wrong.append(f"{one}: Slack says {failed.code}")
    if wrong:
        step = f"correct {setting}; to read user groups the app needs the scope usergroups:read (plimsoll manifest)"
        return Result(setting.lower(), False, f"{', '.join(wrong)}; {step}")
    what = [_many(len(ids) - len(groups), "user", "users"), _many(len(groups), "user group", "user groups")]
    return Result(setting.lower(), True, f"{' and '.join(what)}: {_many(len(people), 'person', 'people')}")
