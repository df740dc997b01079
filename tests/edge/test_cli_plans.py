"""`plimsoll plans`: what is proposed and being carried out, by the command."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from bot.domain.alert import Person
from bot.domain.plan_documents import plan_from
from bot.domain.plans import Act, Aim, Did, Found, Made, Wanted, decide, propose
from bot.domain.sales import Leg, Name, Repayment, Scenario, Way
from bot.store.engine import open_engine
from bot.store.store import Store
from edge.cli_process import Plimsoll

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, GRACE = Person("U1", "Ada Byron"), Person("U3", "Grace Hopper")
WANTED = Wanted(Scenario(price=5_500_000), frozenset({Way.CASH}))
CASH = Leg(Way.CASH, "antalpha", NOW, NOW, "custody", usd=4_975_000_000)
AIM = Aim("covenant:antalpha", "Antalpha", "margin call", Fraction(13, 20), Fraction(7792, 10_000), Fraction(13, 20))
MADE = Made(NOW, 1, 5_500_000, 5_650_000, Name.CASH, (CASH,), (Repayment("antalpha", 4_975_000_000, 0),), aims=(AIM,))


def test_it_lists_plans_with_how_far_they_have_come(imported: Plimsoll, tmp_path: Path) -> None:
    assert "No plan is open and none has been." in imported("plans").out
    first = propose(WANTED, MADE, ADA, NOW).plan
    store = Store(open_engine(f"sqlite:///{tmp_path}/var/plimsoll.db"))
    with store.writing() as tx:
        waits = replace(first, id=tx.add_plan(first))
        second = replace(first, id=tx.add_plan(first))
        approved = decide(second, Act(Did.APPROVE, GRACE, 1), NOW, Found(MADE)).plan
        tx.save_plan(approved)
        third = replace(first, id=tx.add_plan(first))
        tx.save_plan(decide(third, Act(Did.DISMISS, GRACE, reason="too late"), NOW).plan)
    store.close()
    page = " ".join(imported("plans").out.split())
    assert "Plan 1, proposed by Ada Byron: repay $49.75M Waits for an approver other than Ada Byron" in page
    assert "Plan 2, proposed by Ada Byron: repay $49.75M Approved by Grace Hopper" in page
    assert "Done: repaid $0.00 of $49.75M." in page
    assert "Plan 3" in page
    assert "(too late)" in page
    listed = imported("plans", "--json").json["plans"]
    assert [(one["id"], one["status"]) for one in listed] == [(1, "proposed"), (2, "approved"), (3, "dismissed")]
    found = {name: value for name, value in listed[0].items() if name not in ("id", "left")}
    assert plan_from(1, found) == waits
