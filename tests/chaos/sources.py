"""Price sources on the loopback: five venues, of which two may fail and one may lie at any time, never more.

So there are always two that are honest, at most one of the fresh quotes is wrong, and the price that the bot must
accept is known: a lie is far from it.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAMES = ("coinbase", "kraken", "bitstamp", "gemini", "coingecko")
SPREAD = (100, 108, 116, 124, 132)
"""Percent of the last price that the five say when they are to disagree."""
CALM_S = 0.2
"""How long around a change of price nobody lies: a poll in the midst of it may see both prices, and no third."""
_FAULTS = ("500", "429", "garbage", "empty", "reset", "slow", "refusal") * 3 + ("hang",)
_WRONG = {"garbage": b"<html>\xff\x00", "empty": b"", "refusal": b'{"error": ["EService:Busy"], "message": "no"}'}
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Sources(ThreadingHTTPServer):
    """All five on one port. `price` is in cents; `blind`: each says something else."""

    daemon_threads = True

    def __init__(self, chance: random.Random, price: int) -> None:
        self._chance = chance
        self._guard = threading.Lock()
        self._price, self._blind, self._calm_until = price, False, 0.0
        roles = list(NAMES)
        chance.shuffle(roles)
        self._failing, self._liar = set(roles[:2]), roles[2]
        self.is_calm = False
        self.met: Counter[str] = Counter()
        self.asked: Callable[[int], None] = lambda _port: None
        """Hears of every poll as it arrives at the first of them, by the port it comes from."""
        super().__init__(("127.0.0.1", 0), _Venue)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def setting(self) -> str:
        return ",".join(f"{name}=http://127.0.0.1:{self.server_port}/{name}" for name in NAMES)

    def show(self, price: int, *, blind: bool) -> None:
        """From now on this is the price."""
        with self._guard:
            self._calm_until = time.monotonic() + 2 * CALM_S
        time.sleep(CALM_S)
        with self._guard:
            self._price, self._blind = price, blind

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A bot that was killed in the middle of a request is nobody's error here."""

    def answer(self, name: str) -> tuple[str, int]:
        """What befalls a request, and the price that is said: what a venue does that is neither failing nor lying."""
        with self._guard:
            if self._blind:
                return "", self._price * SPREAD[NAMES.index(name)] // 100
            price = self._price
            if self.is_calm or time.monotonic() < self._calm_until:
                return "", price
            roll = self._chance.random()
            if name == self._liar and roll < 0.5:
                self.met["lie"] += 1
                return "", int(price * self._chance.choice((0.2, 0.6, 0.8, 1.25, 1.7, 3)))
            if name in self._failing and roll < 0.35:
                fault = self._chance.choice(_FAULTS)
                self.met[fault] += 1
                return fault, price
            return "", price


class _Venue(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Sources)
        name = self.path.split("/")[1]
        if name == NAMES[0]:
            self.server.asked(self.client_address[1])
        fault, price = self.server.answer(name)
        if fault in ("hang", "slow"):
            time.sleep(5 if fault == "hang" else 0.4)
        if fault in ("hang", "reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.connection.close()
            return
        body = _WRONG.get(fault, json.dumps(_ticker(name, price)).encode())
        self.send_response({"500": 500, "429": 429}.get(fault, 200))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def _ticker(name: str, cents: int) -> Any:
    """The answer of a venue in its own form; a volume that changes at every poll, as of a market that lives."""
    price, now = f"{cents // 100}.{cents % 100:02d}", datetime.now(UTC)
    volume = str(now.timestamp())
    if name == "coinbase":
        return {"price": price, "time": now.isoformat(), "volume": volume}
    if name == "kraken":
        return {"error": [], "result": {"XXBTZUSD": {"c": [price, "1"], "v": [volume, volume]}}}
    if name == "bitstamp":
        return {"timestamp": str(int(now.timestamp())), "last": price, "volume": volume}
    if name == "gemini":
        return {"last": price, "volume": {"BTC": volume}}
    return {"bitcoin": {"usd": price, "last_updated_at": int(now.timestamp())}}
