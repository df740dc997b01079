"""Logs keep no secret, whatever it is that is logged."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.logs import Redaction, configure_logs
from bot.settings import GivenSettings


@pytest.fixture
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("token xoxb-12-ab.cd_ and more", "token xoxb-…_ and more"),
        ("xapp-1-A0-9-abcdef", "xapp-…"),
        ("xoxe.xoxb-1-abc", "xoxe.xoxb-…"),
        ("postgresql+psycopg://bot:hunter2@db/plimsoll", "postgresql+psycopg://bot:…@db/plimsoll"),
        ("signed with s3cr3t-of-ours", "signed with …"),
        ("SIGNED WITH S3CR3T-OF-OURS", "SIGNED WITH …"),
        ("XOXB-12-AB.CD and xoxb-12-ab", "XOXB-… and xoxb-…"),
        ("\\u201cxapp-1-A0-9-abcdef", "\\u201cxapp-…"),
        ("nothing to hide at 12:30", "nothing to hide at 12:30"),
    ],
)
def test_secrets_are_masked_in_text(text: str, cleaned: str) -> None:
    assert Redaction(["s3cr3t-of-ours"]).clean_text(text) == cleaned


@pytest.mark.parametrize(
    ("setting", "url", "secrets"),
    [
        ("heartbeat_url", "https://hc.example/ping/0a1b2c3d-4e5f-6789", ("0a1b2c3d-4e5f-6789",)),
        ("heartbeat_url", "https://hc.example/ping?key=0123456789abcdef", ("0123456789abcdef",)),
        ("fallback_urls", "mailto://bot:hunter2%21@mail.example/", ("hunter2%21", "hunter2!")),
        (
            "fallback_urls",
            "pagerduty://0123456789abcdef0@fedcba9876543210f",
            ("0123456789abcdef0", "fedcba9876543210f"),
        ),
        ("fallback_urls", "json://user@h.example/a,json://x:secret1@h.example/", ("secret1",)),
        ("database_url", "postgresql+psycopg://bot:p%40ssword@db/plimsoll", ("p%40ssword", "p@ssword")),
    ],
)
def test_the_secret_parts_of_an_address_are_secrets_by_themselves(
    setting: str, url: str, secrets: tuple[str, ...]
) -> None:
    settings = GivenSettings.model_validate({setting: url})
    redaction = Redaction(settings.secrets())
    for secret in secrets:
        assert redaction.clean_text(f"pasted {secret} here") == "pasted … here"
    assert redaction.clean_text("mail.example, ping, bot and plimsoll") == "mail.example, ping, bot and plimsoll"


def test_secrets_are_masked_however_deep_they_are() -> None:
    event = {
        "event": "x",
        "headers": {"Authorization": ["Bearer xoxb-1-secret"]},
        "count": 3,
        "error": ValueError("xapp-1"),
    }
    cleaned = Redaction()(None, "info", event)
    assert cleaned == {"event": "x", "headers": {"Authorization": ["Bearer xoxb-…"]}, "count": 3, "error": "xapp-…"}


@pytest.mark.usefixtures("_put_back")
def test_json_logs_are_json_and_mask_tracebacks_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", ["s3cr3t-of-ours"])
    try:
        raise ValueError("s3cr3t-of-ours")
    except ValueError:
        structlog.get_logger().exception("failed", reference="ab12")
    logging.getLogger("somebody.else").warning("with %s", "xoxb-1-secret")
    captured = capsys.readouterr()
    assert captured.out == ""
    ours, theirs = (json.loads(line) for line in captured.err.splitlines())
    assert (ours["event"], ours["level"], ours["reference"]) == ("failed", "error", "ab12")
    assert "ValueError: …" in ours["exception"]
    assert theirs["event"] == "with xoxb-…"
