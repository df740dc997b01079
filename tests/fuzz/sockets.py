"""Broken HTTP over real connections, at the server that `plimsoll run` really starts."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bot.workspace import Workspace

from .bodies import LARGEST, raw
from .oracle import PATIENCE_S, TRACEBACK, found_secrets
from .signing import Signing
from .world import (
    BOT_TOKEN,
    CHANNEL,
    FALLBACK_URL,
    HEARTBEAT_URL,
    SIGNING_SECRET,
    TREASURER,
)

ROOT = Path(__file__).parent.parent.parent
STALLED = 40
"""Connections that stop in the middle of a request, at once: five times the threads that answer."""
_FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
_ASKED = b"POST /slack/events HTTP/1.1\r\nHost: x\r\n"


@dataclass
class Served:
    """`plimsoll run`, and the Slack that it answers."""

    port: int
    slack: Workspace
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """A bot of its own in a process of its own, which answers and does nothing else."""
    with Workspace(SIGNING_SECRET, BOT_TOKEN) as slack, ExitStack() as stack:
        slack.add_user(TREASURER, name="Ada Byron")
        slack.add_channel(CHANNEL, name="treasury")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        log = folder / "log"
        settings = {
            "DATABASE_URL": f"sqlite:///{folder}/plimsoll.db",
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": slack.api_url,
            "ALERT_CHANNEL": CHANNEL,
            "HEARTBEAT_URL": HEARTBEAT_URL,
            "FALLBACK_URLS": FALLBACK_URL,
            "PORT": str(port),
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with log.open("wb") as told:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run", "--role", "web"],
                cwd=folder,
                env={**kept, "PYTHONPATH": str(ROOT), **settings},
                stdout=told,
                stderr=told,
            )
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)
        _until_it_serves(port)
        slack.connect(f"http://127.0.0.1:{port}/slack/events")
        yield Served(port, slack, log)


def _until_it_serves(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def run(seed: str, count: int, folder: Path) -> tuple[int, list[str]]:
    """`count` broken requests, then many that stall; how many were sent, and what was found wrong."""
    found: list[str] = []
    with served(folder) as bot:
        for number in range(count):
            wrong = _one(bot, random.Random(f"{seed}/socket/{number}"))  # noqa: S311
            found += [f"socket {number}: {fault}" for fault in wrong]
        found += _stalling(bot)
        found += _still_well(bot)
        log = bot.said()
    if TRACEBACK in log:
        found.append(f"a traceback: {log[log.index(TRACEBACK) - 200 :][:2500]}")
    return count + STALLED, [*found, *found_secrets("a log line", log)]


def _one(bot: Served, chance: random.Random) -> Iterator[str]:
    """Sends one in pieces; the half of them hang up before the answer."""
    pieces = chance.choice(_WAYS)(chance)
    status, seconds = _sent(bot.port, pieces, waits=chance.random() < 0.5)
    if status is not None and (status >= 500 or status == 200) and status not in (501, 505):
        yield f"status {status} to {b''.join(pieces)[:300]!r}"
    if seconds > 2 * PATIENCE_S:
        yield f"answered in {seconds:.1f} s: {b''.join(pieces)[:300]!r}"


def _sent(port: int, pieces: list[bytes], *, waits: bool) -> tuple[int | None, float]:
    """The status, None where there was none; and how long it took."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line, suppress(OSError):
        for piece in pieces:
            line.sendall(piece)
        line.shutdown(socket.SHUT_WR)
        if waits:
            answer = line.recv(4_096)
            status = answer.split(b" ", 2)[1:2]
            return (int(status[0]) if status and status[0].isdigit() else None), time.monotonic() - began
    return None, time.monotonic() - began


def _stalling(bot: Served) -> Iterator[str]:
    """Connections that send half a request and nothing more; Slack is answered all the same."""
    with ExitStack() as stack:
        for number in range(STALLED):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", bot.port), timeout=10))
            with suppress(OSError):
                line.sendall(
                    (_ASKED + _FORM, _ASKED + _FORM + b"Content-Length: 500\r\n\r\ncommand=", b"POST ")[number % 3]
                )
        yield from _still_well(bot)


def _still_well(bot: Served) -> Iterator[str]:
    answer = bot.slack.command("/ltv", user=TREASURER, channel=CHANNEL)
    if answer.status != 200 or answer.elapsed_s > PATIENCE_S:
        yield f"a command was answered with {answer.status} {answer.error} after {answer.elapsed_s:.1f} s"


def _request(chance: random.Random, body: bytes, *more: bytes, length: bytes | None = None) -> bytes:
    lines = [b"Content-Length: " + (str(len(body)).encode() if length is None else length), *more]
    if chance.random() < 0.5:
        lines += [f"{name}: {value}".encode() for name, value in Signing().headers(body).items()]
    return _ASKED + _FORM + b"\r\n".join(lines) + b"\r\n\r\n" + body


def _lengths(chance: random.Random) -> list[bytes]:
    length = chance.choice(
        (b"abc", b"-1", b"+5", b"5, 6", b"0x5", b"", b"9" * 30, b"1e3", b" ", b"\xb2", b"5\r\nContent-Length: 6")
    )
    return [_request(chance, b"a=1&b=2", length=length)]


def _short(chance: random.Random) -> list[bytes]:
    return [_request(chance, b"a=1", length=str(chance.randrange(4, LARGEST)).encode())]


def _chunks(chance: random.Random) -> list[bytes]:
    chunk = chance.choice(
        (
            b"zz\r\n",
            b"5\r\nab\r\n",
            b"-5\r\nabcde\r\n0\r\n\r\n",
            b"5;x=\x00\r\nabcde\r\n",
            b"FFFFFFFFFFFFFFFFF\r\n",
            b"5\nabcde\n0\n\n",
            b"",
            b"0\r\n",
        )
    )
    twice = b"Content-Length: 5\r\n" if chance.random() < 0.3 else b""
    coding = chance.choice(
        (b"chunked", b"chunked, chunked", b"gzip, chunked", b"identity", b"\x0bchunked", b"xchunked")
    )
    return [_ASKED + _FORM + twice + b"Transfer-Encoding: " + coding + b"\r\n\r\n", chunk]


def _large_headers(chance: random.Random) -> list[bytes]:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 100) for number in range(chance.choice((50, 200, 2_000))))
    one = b"X-A: " + b"a" * chance.choice((8_000, 9_000, 100_000)) + b"\r\n"
    return [_ASKED + chance.choice((many, one)) + b"Content-Length: 0\r\n\r\n"]


def _odd_headers(chance: random.Random) -> list[bytes]:
    line = chance.choice(
        (
            b"X A: b",
            b": b",
            b"X-A",
            b"X\x00A: b",
            b"X-A: \x00",
            b"X-A: a\r\n b",
            b"\xff: b",
            b"X-Slack-Signature: \xff\xfe",
        )
    )
    return [_request(chance, b"a=1", line)]


def _odd_lines(chance: random.Random) -> list[bytes]:
    first = chance.choice(
        (
            b"",
            b"\r\n\r\n",
            b"GET",
            b"POST /slack/events\r\n",
            b"POST /slack/events HTTP/9.9\r\n",
            b"POST http://\xff/slack/events HTTP/1.1\r\n",
            b"P\x00ST /slack/events HTTP/1.1\r\n",
            b"POST /" + b"a" * 20_000 + b" HTTP/1.1\r\n",
            b"POST /slack/../slack/events HTTP/1.1\r\n",
            b"POST /slack/events%00 HTTP/1.1\r\n",
            b"POST * HTTP/1.1\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"DELETE /slack/events HTTP/1.1\r\n",
            b"GET /slack/events HTTP/1.1\r\n",
        )
    )
    return [first, b"Host: x\r\nContent-Length: 0\r\n\r\n"]


def _bytes(chance: random.Random) -> list[bytes]:
    return [chance.randbytes(chance.randrange(1, 400)) for _ in range(3)]


def _unsigned(chance: random.Random) -> list[bytes]:
    body, _, _, _ = raw(chance)
    head = _ASKED + _FORM + b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n"
    return [head, body[: len(body) // 2], body[len(body) // 2 :]]


_WAYS = (_lengths, _short, _chunks, _large_headers, _odd_headers, _odd_lines, _bytes, _unsigned)
