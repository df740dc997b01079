"""A bot that dies in the middle of an approval: `python plan_killed.py '{"url": …, "at": …, "messages": 1}'`.

It approves plan 1 as a program of its own would and kills itself in that transaction, after so many messages.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import datetime
from typing import Any

from bot.domain.alert import Person
from bot.domain.alerts import AlertPolicy
from bot.domain.quotes import PricePolicy
from bot.services.books import Books
from bot.services.plans import Plans
from bot.services.recording import Channels
from bot.store.engine import open_engine
from bot.store.store import Store, Tx


class At:
    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


def main(told: dict[str, Any]) -> None:
    left, enqueue = told["messages"], Tx.enqueue

    def counted(tx: Tx, **message: Any) -> int:
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return enqueue(tx, **message)

    Tx.enqueue = counted  # type: ignore[method-assign]
    store, books = Store(open_engine(told["url"])), Books(AlertPolicy(), PricePolicy())
    plans = Plans(store, books, At(datetime.fromisoformat(told["at"])), Channels("C1", approval="C8"), lambda: None)
    plans.approve(1, 1, Person("U3", "Grace Hopper"))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
