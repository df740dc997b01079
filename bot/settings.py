"""The environment, read once: every setting typed, with its default, and refused in one line that names it.

Anything that may hold a secret (tokens, the signing secret, a database URL with its password) is a `SecretStr`, and no
refusal repeats the value of one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, PlainValidator, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bot.domain.alerts import AlertPolicy
from bot.domain.money import parse_ratio
from bot.domain.quotes import PricePolicy
from bot.domain.roles import Roles
from bot.domain.weeks import Weekly
from bot.logs import password_in, secrets_in
from bot.prices.registry import DEFAULT_SOURCES, parse_sources
from bot.services.errors import UsageError

DEFAULT_DATABASE_URL = "sqlite:///var/plimsoll.db"
DEFAULT_SLACK_API_URL = "https://slack.com/api/"

_ALERTS, _PRICES = AlertPolicy(), PricePolicy()
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,6})([smhd])\Z", re.ASCII)
_CHANNEL = re.compile(r"[CG][A-Z0-9]+\Z", re.ASCII)
_GROUP = re.compile(r"S[A-Z0-9]+\Z", re.ASCII)
_HOLDER = re.compile(r"[UWS][A-Z0-9]+\Z", re.ASCII)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s]+\Z", re.ASCII)
_POLLS_MISSED, _LEAST_PATIENCE = 3, timedelta(seconds=10)
_PREFIX = re.compile(r"[a-z0-9_-]{0,20}\Z", re.ASCII)


class SettingsError(UsageError):
    """A wrong or missing setting: a line each, which names it and says what would be right."""


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def _duration(least: timedelta) -> Callable[[Any], timedelta]:
    def read(value: Any) -> timedelta:
        length = value if isinstance(value, timedelta) else _read_duration(str(value).strip())
        if length < least:
            raise ValueError(f"is {value}; it must be at least {int(least.total_seconds())}s")
        return length

    return read


def _read_duration(text: str) -> timedelta:
    found = _DURATION.match(text)
    if not found:
        raise ValueError(f"“{text}” is not a duration; write it as 30s, 15m or 8h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _ratio(value: Any) -> Fraction:
    try:
        ratio = value if isinstance(value, Fraction) else parse_ratio(str(value).strip())
    except ValueError:
        raise ValueError(f"“{value}” is not a ratio; write 1.5 % as 0.015") from None
    if not 0 < ratio < 1:
        raise ValueError(f"is {value}; it must be between 0 and 1 (write 1.5 % as 0.015)")
    return ratio


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = str(value).strip()
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"“{text}” is not a whole number from {least} to {most}")
        return int(text)

    return read


def _sources(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple(parse_sources(value)) if isinstance(value, str) else tuple(value)


def _database_url(value: Any) -> Any:
    """Refuses what is no URL; the store says which databases there are, when it opens one."""
    text = str(value).strip()
    if "://" not in text:
        raise ValueError(f"is not a database URL; write it as {DEFAULT_DATABASE_URL} or postgresql+psycopg://…")
    return text


def _token(prefixes: tuple[str, ...], called: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        if not text.strip().startswith(prefixes):
            raise ValueError(f"is not {called}: one begins with {prefixes[0]} (its value is not shown)")
        return text.strip()

    return read


def _signing_secret(value: Any) -> Any:
    text = (value.get_secret_value() if isinstance(value, SecretStr) else str(value)).strip()
    if not text:
        raise ValueError("is blank; it is under Basic Information of the Slack app")
    return text


def _api_url(value: Any) -> str:
    text = str(value).strip()
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"is not the address of a Slack Web API; leave it out, or write it as {DEFAULT_SLACK_API_URL}")
    return text.rstrip("/") + "/"


def _channel(value: Any) -> str:
    text = str(value).strip()
    if not _CHANNEL.match(text):
        raise ValueError(f"“{text}” is not a channel's id; it is at the foot of the channel's details, as C0123456789")
    return text


def _group(value: Any) -> str:
    text = str(value).strip()
    if not _GROUP.match(text):
        raise ValueError(f"“{text}” is not a user group's id; it is in the group's link, as S0123456789")
    return text


def _holders(value: Any) -> tuple[str, ...]:
    """Users and user groups, each once, in the order they are written."""
    ids = [part.strip() for part in str(value).split(",") if part.strip()]
    for one in ids:
        if not _HOLDER.match(one):
            raise ValueError(
                f"“{one}” is no user's or user group's id; write them as U0123456789 (“Copy member ID” in a profile) "
                "and S0123456789 (in the group's link), with commas between"
            )
    if not ids:
        raise ValueError("names nobody; leave it out, or write ids as U0123456789 or S0123456789, with commas between")
    return tuple(dict.fromkeys(ids))


def _fallback_urls(value: Any) -> tuple[SecretStr, ...]:
    """Addresses as the apprise library writes them; whether it knows each is asked when the bot is built."""
    parts = [str(part).strip() for part in (re.split(r"[,\s]+(?=[a-z][a-z0-9+.-]*://)", str(value).strip()))]
    for part in parts:
        if not _ADDRESS.match(part):
            raise ValueError(
                "is not a list of apprise addresses; write them as mailto://… or json://…, with commas between "
                "(its value is not shown)"
            )
    return tuple(SecretStr(part) for part in parts)


def _heartbeat_url(value: Any) -> Any:
    text = (value.get_secret_value() if isinstance(value, SecretStr) else str(value)).strip()
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("is not a web address; write it as https://… (its value is not shown)")
    return text


def _weekly(value: Any) -> Weekly:
    return value if isinstance(value, Weekly) else Weekly.parse(str(value).strip())


def _prefix(value: Any) -> str:
    text = str(value).strip().removeprefix("/")
    if not _PREFIX.match(text):
        raise ValueError(f"“{text}” cannot begin a command; use a-z, 0-9, - and _, as tr- for /tr-alerts")
    return text


def _log_format(value: Any) -> LogFormat:
    try:
        return LogFormat(str(value).strip())
    except ValueError:
        raise ValueError(f"“{value}” is not a log format; write text or json") from None


Moment: TypeAlias = Annotated[timedelta, PlainValidator(_duration(timedelta(seconds=1)))]
Wait: TypeAlias = Annotated[timedelta, PlainValidator(_duration(timedelta(0)))]
Ratio: TypeAlias = Annotated[Fraction, PlainValidator(_ratio)]
Sources: TypeAlias = Annotated[tuple[tuple[str, str], ...], NoDecode, PlainValidator(_sources)]
BotToken: TypeAlias = Annotated[SecretStr, BeforeValidator(_token(("xoxb-", "xoxe.xoxb-"), "a bot token"))]
AppToken: TypeAlias = Annotated[SecretStr, BeforeValidator(_token(("xapp-",), "an app-level token"))]

SigningSecret: TypeAlias = Annotated[SecretStr, BeforeValidator(_signing_secret)]


class Settings(BaseSettings):
    """Every setting by its environment name in lower case. A variable that is set to nothing counts as not set."""

    model_config = SettingsConfigDict(
        frozen=True,
        alias_generator=str.upper,
        case_sensitive=True,
        populate_by_name=True,
        env_ignore_empty=True,
        env_file=None,
        extra="ignore",
        hide_input_in_errors=True,
        validate_default=False,
    )

    database_url: Annotated[SecretStr, BeforeValidator(_database_url)] = SecretStr(DEFAULT_DATABASE_URL)

    slack_bot_token: BotToken | None = None
    slack_signing_secret: SigningSecret | None = None
    slack_app_token: AppToken | None = None
    slack_api_url: Annotated[str, PlainValidator(_api_url)] = DEFAULT_SLACK_API_URL
    command_prefix: Annotated[str, PlainValidator(_prefix)] = ""

    host: str = "127.0.0.1"
    port: Annotated[int, PlainValidator(_whole(0, 65_535))] = 3000
    worker_port: Annotated[int, PlainValidator(_whole(0, 65_535))] | None = None

    price_sources: Sources = Field(default_factory=lambda: tuple(parse_sources(DEFAULT_SOURCES)))
    price_every: Moment = timedelta(seconds=30)
    price_max_age: Moment = _PRICES.max_age
    price_max_deviation: Ratio = _PRICES.max_deviation
    price_quorum: Annotated[int, PlainValidator(_whole(1, 99))] = _PRICES.quorum
    price_max_jump: Ratio = _PRICES.max_jump

    alert_channel: Annotated[str, PlainValidator(_channel)] | None = None
    clear_margin: Ratio = _ALERTS.clear_margin
    clear_after: Wait = _ALERTS.clear_after
    repeat_every: Moment = timedelta(minutes=30)
    ack_expires: Moment = timedelta(hours=8)
    flap_limit: Annotated[int, PlainValidator(_whole(1, 999))] = 4
    settle_after: Moment = timedelta(seconds=20)

    digest_channel: Annotated[str, PlainValidator(_channel)] | None = None
    audit_channel: Annotated[str, PlainValidator(_channel)] | None = None
    approval_channel: Annotated[str, PlainValidator(_channel)] | None = None
    digest_at: Annotated[Weekly, NoDecode, PlainValidator(_weekly)] = Field(
        default_factory=lambda: Weekly.parse("mon 09:00")
    )

    escalation_channel: Annotated[str, PlainValidator(_channel)] | None = None
    escalation_group: Annotated[str, PlainValidator(_group)] | None = None
    escalate_after: Wait = timedelta(minutes=15)
    fallback_urls: Annotated[tuple[SecretStr, ...], NoDecode, PlainValidator(_fallback_urls)] = ()
    fallback_after: Moment = timedelta(minutes=2)
    heartbeat_url: Annotated[SecretStr, BeforeValidator(_heartbeat_url)] | None = None

    viewers: Annotated[tuple[str, ...] | None, NoDecode, PlainValidator(_holders)] = None
    operators: Annotated[tuple[str, ...], NoDecode, PlainValidator(_holders)] = ()
    approvers: Annotated[tuple[str, ...], NoDecode, PlainValidator(_holders)] = ()

    log_format: Annotated[LogFormat, PlainValidator(_log_format)] = LogFormat.TEXT

    @model_validator(mode="after")
    def _can_agree(self) -> Settings:
        if self.price_quorum > len(self.price_sources):
            named = len(self.price_sources)
            raise ValueError(
                f"PRICE_QUORUM: {self.price_quorum} sources must agree, but PRICE_SOURCES names {named}: "
                "there could never be a price; name more sources or lower the quorum"
            )
        if self.escalation_group and not self.escalation_channel:
            raise ValueError("ESCALATION_GROUP is set and ESCALATION_CHANNEL is not: name the channel to mention it in")
        return self

    @property
    def socket_mode(self) -> bool:
        return self.slack_app_token is not None

    @property
    def polled_within(self) -> timedelta:
        """How long ago the sources may have been asked and the checks have run; longer ago, they do not run."""
        return max(_POLLS_MISSED * self.price_every, _LEAST_PATIENCE)

    def alert_policy(self) -> AlertPolicy:
        """When alerts clear and speak again."""
        return AlertPolicy(
            clear_margin=self.clear_margin,
            clear_after=self.clear_after,
            repeat_every=self.repeat_every,
            ack_expires=self.ack_expires,
            escalate_after=self.escalate_after if self.escalation_channel else None,
            flap_limit=self.flap_limit,
        )

    def roles(self) -> Roles:
        """Who may do what."""
        return Roles(self.viewers, self.operators, self.approvers)

    def price_policy(self) -> PricePolicy:
        """When a quote, a price and a jump are believed."""
        return PricePolicy(
            max_age=self.price_max_age,
            max_deviation=self.price_max_deviation,
            quorum=self.price_quorum,
            max_jump=self.price_max_jump,
        )

    def secrets(self) -> tuple[str, ...]:
        """Every secret there is, and the secret parts of addresses, so that logs can be kept free of them."""
        tokens = (self.slack_bot_token, self.slack_signing_secret, self.slack_app_token)
        addresses = (self.heartbeat_url, *self.fallback_urls)
        known = {token.get_secret_value() for token in tokens if token is not None}
        for address in addresses:
            known |= secrets_in(address.get_secret_value()) if address is not None else set()
        return tuple(known | password_in(self.database_url.get_secret_value()))

    def require_slack(self) -> None:
        """SettingsError, one line, where `run` lacks what it needs to speak to Slack and to be spoken to."""
        needed = {
            "SLACK_BOT_TOKEN": self.slack_bot_token,
            "SLACK_SIGNING_SECRET": self.slack_signing_secret or self.slack_app_token,
            "ALERT_CHANNEL": self.alert_channel,
        }
        missing = [name for name, value in needed.items() if value is None]
        if missing:
            first, last = ", ".join(missing[:-1]), missing[-1]
            if first:
                raise SettingsError(f"{first} and {last} are not set: {_NEEDS_AN_APP}")
            raise SettingsError(f"{last} is not set: plimsoll run needs {_NEEDED_FOR[last]}")


_NEEDS_AN_APP = (
    "plimsoll run needs a Slack app (plimsoll manifest prints one to create it from); plimsoll demo needs none"
)
_NEEDED_FOR = {
    "SLACK_BOT_TOKEN": "the bot token (xoxb-…) of its Slack app",
    "SLACK_SIGNING_SECRET": "the app's signing secret, or SLACK_APP_TOKEN for Socket Mode",
    "ALERT_CHANNEL": "the id of the channel that alerts go to, as C0123456789",
}


class GivenSettings(Settings):
    """Settings made by hand, by name: the environment is not read. For the demo and for tests."""

    @classmethod
    def settings_customise_sources(  # type: ignore[override]  # the sources that are left out need no names
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        **_: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load_settings() -> Settings:
    """The settings of this process's environment. SettingsError, a line for each that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        lines = dict.fromkeys(_line(fault) for fault in error.errors(include_url=False, include_input=False))
        raise SettingsError("\n".join(lines)) from None


def is_set(name: str) -> bool:
    """Whether the environment gives a value to the setting `name`."""
    return bool(os.environ.get(name.upper()))


def _line(fault: Any) -> str:
    """One fault as “NAME: what is wrong; what would be right”."""
    name = str(fault["loc"][0]).upper() if fault["loc"] else ""
    text = str(fault["msg"]).removeprefix("Value error, ")
    joined = f"{name} {text}" if text.startswith(("is ", "names ")) else f"{name}: {text}"
    return joined if name else text
