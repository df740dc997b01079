"""`plimsoll alerts`: what the checks recorded, now and as it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.alerts import Act, ActKind, AlertPolicy, Person, Silence
from bot.domain.quotes import PricePolicy
from bot.services.acting import Acting
from bot.services.books import Books
from bot.services.checking import run_checks
from bot.services.recording import Channels
from bot.store.engine import open_engine
from bot.store.store import Store
from edge.cli_process import Plimsoll, price

FIRST = datetime.fromisoformat("2026-02-01T00:00:00Z")


class At:
    """A clock that stands still."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def now(self) -> datetime:
        return self._instant


@pytest.fixture
def store(imported: Plimsoll, tmp_path: Path) -> Iterator[Store]:
    one = Store(open_engine(f"sqlite:///{tmp_path}/var/plimsoll.db"))
    yield one
    one.close()


def check(store: Store, directory: Path, minutes: int, cents: int) -> None:
    """A price, and the checks at it."""
    instant = FIRST + timedelta(minutes=minutes)
    price(directory, instant.isoformat(), cents)
    run_checks(store, Books(AlertPolicy(), PricePolicy()), At(instant), Channels("C1"))


def test_open_alerts_come_first_and_the_worst_of_them(imported: Plimsoll, store: Store, tmp_path: Path) -> None:
    check(store, tmp_path, 0, 62_000_00)  # early warning of the facility
    check(store, tmp_path, 1, 54_000_00)  # its call line, and the group's
    check(store, tmp_path, 2, 75_000_00)
    check(store, tmp_path, 13, 75_000_00)  # clear for ten minutes
    check(store, tmp_path, 14, 62_000_00)

    now = imported("alerts", "--at", "2026-02-01T00:14:30Z", "--json").json
    assert now["price"]["usd"] == "62000.00"
    first = now["alerts"][0]
    assert (first["key"], first["level"], first["tier"]) == ("covenant:antalpha", "warning", "early warning")
    assert first["status"] == "open"
    assert {(one["key"], one["status"]) for one in now["alerts"][1:]} == {
        ("covenant:group:antalpha-all", "closed"),
        ("covenant:antalpha", "closed"),
    }
    assert set(now["alerts"][0]) == {"key", "level", "tier", "status", "opened_at", "due", "by", "until", "text"}
    assert now["alerts"][0]["opened_at"] == "2026-02-01T00:14:00Z"
    assert now["alerts"][0]["text"].startswith("Antalpha is at its early warning: LTV 69.1")

    then = imported("alerts", "--at", "2026-02-01T00:01:30Z", "--json").json["alerts"]
    assert {(one["key"], one["level"], one["tier"]) for one in then} == {
        ("covenant:antalpha", "critical", "margin call"),
        ("covenant:group:antalpha-all", "critical", "group call"),
    }
    before = imported("alerts", "--at", "2026-02-01T00:00:30Z", "--json").json["alerts"]
    assert [(one["level"], one["tier"], one["status"]) for one in before] == [("warning", "early warning", "open")]


def test_an_alert_of_the_past_has_the_deadline_of_then(imported: Plimsoll, store: Store, tmp_path: Path) -> None:
    check(store, tmp_path, 0, 54_000_00)
    (tmp_path / "called.csv").write_text(
        "facility,at,tier,price,ref,demand_usd,due\n"
        "antalpha,2026-02-01T00:05:00Z,margin call,54000,call 1,1000000,2026-02-02T00:05:00Z\n"
    )
    assert imported("import", "called.csv").code == 0
    check(store, tmp_path, 30, 54_000_00)

    def due(*at: str) -> Any:
        document = imported("alerts", *at, "--json").json
        return next(one["due"] for one in document["alerts"] if one["key"] == "covenant:antalpha")

    assert due() == "2026-02-02T00:05:00Z"
    assert due("--at", "2026-02-01T00:04:00Z") is None
    assert due("--at", "2026-02-01T00:30:00Z") == "2026-02-02T00:05:00Z"


def test_people_see_what_to_do_under_the_list(imported: Plimsoll, store: Store, tmp_path: Path) -> None:
    check(store, tmp_path, 0, 54_000_00)
    shown = imported("alerts", "--at", "2026-02-01T00:00:30Z").out.splitlines()
    assert shown[0] == "Example Mining, Sat 31 Jan 2026 18:00 CST, bitcoin at $54,000.00 (30 s old, 1 source)"
    assert shown[3].split("  ")[0] == "open"
    assert "Antalpha is at its margin-call line: LTV 79.37 % ≥ 75.00 %" in shown
    assert any(line.startswith("  Cure to 65.00 %: pledge ") for line in shown)


def acting(store: Store, minutes: int) -> Acting:
    instant = FIRST + timedelta(minutes=minutes)
    return Acting(store, Books(AlertPolicy(), PricePolicy()), At(instant), Channels("C1"), tell=list)


def in_hands(document: dict[str, Any], key: str = "covenant:antalpha") -> tuple[str, str | None, str | None]:
    one = next(one for one in document["alerts"] if one["key"] == key)
    return one["status"], one["by"], one["until"]


def test_it_says_in_whose_hands_an_alert_is_and_was(imported: Plimsoll, store: Store, tmp_path: Path) -> None:
    ada, sam = Person("U1", "Ada Byron"), Person("U2", "Sam Hill")
    with store.writing() as tx:
        tx.put_users([("U1", {"real_name": "Ada Byron"}), ("U2", {"real_name": "Sam Hill"})], FIRST)
    check(store, tmp_path, 0, 62_000_00)
    with store.reading() as tx:
        number = tx.open_alerts()["covenant:antalpha"].id
    acting(store, 1).act(number, Act(ActKind.ACKNOWLEDGE, ada))
    check(store, tmp_path, 2, 54_000_00)  # its call line: the acknowledgement lapses
    acting(store, 3).act(number, Act(ActKind.ACKNOWLEDGE, sam))
    acting(store, 4).act(number, Act(ActKind.SNOOZE, ada, FIRST + timedelta(hours=1)))
    check(store, tmp_path, 61, 54_000_00)  # the snooze is over
    price(tmp_path, (FIRST + timedelta(minutes=62)).isoformat(), 54_000_00)
    until = FIRST + timedelta(hours=5)
    asked = Silence(0, frozenset({"covenant"}), frozenset({"antalpha"}), "standstill", sam, FIRST, until)
    made = acting(store, 62).silence(asked)
    assert made is not None

    def at(minutes: int) -> dict[str, Any]:
        instant = (FIRST + timedelta(minutes=minutes)).isoformat()
        document: dict[str, Any] = imported("alerts", "--at", instant, "--json").json
        return document

    assert in_hands(at(0)) == ("open", None, None)
    assert in_hands(at(1)) == ("acknowledged", "U1", None)  # a warning is not asked for again
    assert in_hands(at(2)) == ("open", None, None)
    assert in_hands(at(3)) == ("acknowledged", "U2", "2026-02-01T08:03:00Z")
    assert in_hands(at(4)) == ("snoozed", "U1", "2026-02-01T01:00:00Z")
    assert in_hands(at(61)) == ("open", None, None)
    now = at(63)
    assert in_hands(now) == ("silenced", "U2", "2026-02-01T05:00:00Z")
    assert in_hands(now, "covenant:group:antalpha-all")[0] == "open"
    assert now["silences"] == [
        {
            "id": made.id,
            "checks": ["covenant"],
            "subjects": ["antalpha"],
            "reason": "standstill",
            "by": "U2",
            "at": "2026-02-01T01:02:00Z",
            "until": "2026-02-01T05:00:00Z",
        }
    ]
    shown = imported("alerts", "--at", (FIRST + timedelta(minutes=63)).isoformat()).out
    assert "silenced  critical  covenant:antalpha" in shown
    assert "Sam Hill  Sat 31 Jan 2026 23:00 CST" in shown
    assert "Covenants of antalpha  Sam Hill" in shown
    acting(store, 64).end_silence(made.id, ada)
    assert in_hands(at(63))[0] == "silenced"
    assert in_hands(at(65)) == ("open", None, None)
    assert at(65)["silences"] == []
    live = imported("alerts", "--json").json
    assert in_hands(live) == ("open", None, None)
