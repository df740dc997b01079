"""The environment as settings: what is read, what is refused, and in which words."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from bot.domain.roles import Roles
from bot.settings import GivenSettings, LogFormat, Settings, SettingsError, load_settings

SECRET = "xapp-1-A0-9-thisisasecret"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    return str(refused.value)


def test_it_has_the_products_defaults() -> None:
    settings = load_settings()
    assert settings.database_url.get_secret_value() == "sqlite:///var/plimsoll.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 3000)
    assert [name for name, _ in settings.price_sources] == ["coinbase", "kraken", "bitstamp", "gemini"]
    assert settings.price_every == timedelta(seconds=30)
    assert settings.settle_after == timedelta(seconds=20)
    assert (str(settings.digest_at), settings.digest_channel) == ("mon 09:00", None)
    assert settings.log_format is LogFormat.TEXT
    assert not settings.socket_mode
    prices = settings.price_policy()
    assert (prices.max_age, prices.quorum) == (timedelta(seconds=180), 2)
    assert (prices.max_deviation, prices.max_jump) == (Fraction("0.015"), Fraction("0.15"))
    alerts = settings.alert_policy()
    assert (alerts.clear_margin, alerts.clear_after) == (Fraction("0.01"), timedelta(minutes=10))
    assert alerts.repeat_every == timedelta(minutes=30)


def test_it_reads_durations_ratios_and_sources_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PRICE_EVERY": "15m",
        "REPEAT_EVERY": "8h",
        "CLEAR_AFTER": "0s",
        "PRICE_MAX_DEVIATION": "0.0123456789012345678901",
        "PRICE_SOURCES": "kraken, coinbase=http://127.0.0.1:9/",
        "COMMAND_PREFIX": "tr-",
        "DIGEST_AT": "Friday 17:30",
        "SLACK_API_URL": "http://127.0.0.1:8765/api",
        "LOG_FORMAT": "json",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.price_every == timedelta(minutes=15)
    assert str(settings.digest_at) == "fri 17:30"
    assert settings.repeat_every == timedelta(hours=8)
    assert settings.clear_after == timedelta(0)
    assert settings.price_max_deviation == Fraction("0.0123456789012345678901")
    assert settings.price_sources == (("kraken", "https://api.kraken.com"), ("coinbase", "http://127.0.0.1:9"))
    assert settings.slack_api_url == "http://127.0.0.1:8765/api/"
    assert settings.log_format is LogFormat.JSON


def test_it_reads_who_may_do_what(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().roles() == Roles(None, (), ())
    monkeypatch.setenv("VIEWERS", "U1,S2 , W3,U1,")
    monkeypatch.setenv("APPROVERS", "U4")
    assert load_settings().roles() == Roles(("U1", "S2", "W3"), (), ("U4",))


def test_a_variable_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("SLACK_APP_TOKEN", "")
    settings = load_settings()
    assert settings.port == 3000
    assert settings.slack_app_token is None


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PRICE_EVERY", "5 minutes", "PRICE_EVERY: “5 minutes” is not a duration; write it as 30s, 15m or 8h"),
        ("DIGEST_AT", "daily", "DIGEST_AT: “daily” is not a weekday and a time; write it as mon 09:00"),
        ("DIGEST_AT", "mon 25:00", "DIGEST_AT: “mon 25:00” is no time of the day; write it as mon 09:00"),
        (
            "DIGEST_CHANNEL",
            "#weekly",
            "DIGEST_CHANNEL: “#weekly” is not a channel's id; it is at the foot of the channel's details, "
            "as C0123456789",
        ),
        ("PRICE_EVERY", "0s", "PRICE_EVERY is 0s; it must be at least 1s"),
        ("PRICE_MAX_JUMP", "15", "PRICE_MAX_JUMP is 15; it must be between 0 and 1 (write 1.5 % as 0.015)"),
        ("CLEAR_MARGIN", "1 %", "CLEAR_MARGIN: “1 %” is not a ratio; write 1.5 % as 0.015"),
        ("PORT", "http", "PORT: “http” is not a whole number from 0 to 65535"),
        ("PRICE_QUORUM", "0", "PRICE_QUORUM: “0” is not a whole number from 1 to 99"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT: “xml” is not a log format; write text or json"),
        (
            "ALERT_CHANNEL",
            "#treasury",
            "ALERT_CHANNEL: “#treasury” is not a channel's id; "
            "it is at the foot of the channel's details, as C0123456789",
        ),
        (
            "OPERATORS",
            "U0123, @ada",
            "OPERATORS: “@ada” is no user's or user group's id; write them as U0123456789 (“Copy member ID” in a "
            "profile) and S0123456789 (in the group's link), with commas between",
        ),
        (
            "VIEWERS",
            " , ",
            "VIEWERS names nobody; leave it out, or write ids as U0123456789 or S0123456789, with commas between",
        ),
        (
            "PRICE_SOURCES",
            "mtgox",
            "PRICE_SOURCES: “mtgox” is no price source; "
            "name some of coinbase, kraken, bitstamp, gemini, coingecko, mempool, separated by commas",
        ),
        (
            "PRICE_SOURCES",
            "kraken",
            "PRICE_QUORUM: 2 sources must agree, but PRICE_SOURCES names 1: there could never be a price; "
            "name more sources or lower the quorum",
        ),
        (
            "DATABASE_URL",
            "plimsoll.db",
            "DATABASE_URL is not a database URL; write it as sqlite:///var/plimsoll.db or postgresql+psycopg://…",
        ),
        (
            "SLACK_API_URL",
            "slack.com",
            "SLACK_API_URL is not the address of a Slack Web API; leave it out, or write it as https://slack.com/api/",
        ),
        (
            "COMMAND_PREFIX",
            "T ",
            "COMMAND_PREFIX: “T” cannot begin a command; use a-z, 0-9, - and _, as tr- for /tr-alerts",
        ),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line_that_names_it(
    name: str, value: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refusal(monkeypatch, **{name: value}) == line


def test_a_refusal_never_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    line = refusal(monkeypatch, SLACK_BOT_TOKEN=SECRET)
    assert line == "SLACK_BOT_TOKEN is not a bot token: one begins with xoxb- (its value is not shown)"


def test_secrets_are_not_in_what_settings_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", SECRET)
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://plimsoll:hunter22@db/plimsoll")
    settings = load_settings()
    assert "thisisasecret" not in repr(settings)
    assert "hunter22" not in repr(settings)
    assert set(settings.secrets()) == {SECRET, "hunter22"}


def test_several_wrong_settings_have_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = refusal(monkeypatch, PORT="x", PRICE_EVERY="y").splitlines()
    assert [line.split(":")[0] for line in lines] == ["PORT", "PRICE_EVERY"]


def test_run_says_in_one_line_which_slack_settings_it_lacks() -> None:
    with pytest.raises(SettingsError, match=r"^SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET and ALERT_CHANNEL are not set: "):
        GivenSettings().require_slack()
    with pytest.raises(SettingsError, match=r"^ALERT_CHANNEL is not set: plimsoll run needs the id of the channel"):
        GivenSettings(slack_bot_token="xoxb-1", slack_app_token="xapp-1").require_slack()
    GivenSettings(slack_bot_token="xoxb-1", slack_signing_secret="a-secret", alert_channel="C1").require_slack()


def test_settings_made_by_hand_do_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9999")
    assert GivenSettings(price_every=timedelta(seconds=2)).port == 3000
