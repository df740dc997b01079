"""The ledger against a model that shares no code with it: purses, and amounts carried from one to another.

Without interest, so that the model needs none. It knows the movements dated at or before an instant and nothing else:
where it agrees with the ledger of the whole history, nothing recorded later has changed that instant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import given
from test_ledger_properties import EMPTY, OPENED, histories, thoroughly, whenever

from bot.domain.ledger import Ledger
from bot.domain.terms import DayCount, InterestMode, Terms, TermsVersion
from bot.domain.treasury import Movement, MovementKind, Treasury

FREE = (TermsVersion(None, Terms(Fraction(0), DayCount.ACT_360, InterestMode.AT_CLOSE)),)
DRAWN = datetime(2026, 2, 3, tzinfo=UTC)
"""When the loan `z` begins."""
x, y, z = EMPTY.facilities
NO_INTEREST = replace(
    EMPTY, facilities=(replace(x, versions=FREE), replace(y, versions=FREE), replace(z, versions=FREE, accrued=0))
)
OUTSIDE = "outside"
Purses = Counter[tuple[str, str]]
"""What is in each, by its name and "btc" or "usd"; debts are below zero."""
Carried = tuple[str, str, str, int]
"""From which purse, to which, what, and how much."""


def opening() -> list[tuple[datetime, Carried]]:
    """The figures of EMPTY, by hand."""
    begun = [
        *((name, "btc", amount) for name, amount in (("a", 60), ("b", 20), ("pool", 20), ("pledged x", 40), ("g", 40))),
        *((name, "usd", amount) for name, amount in (("a", 60), ("b", 20), ("owed x", -40), ("owed y", -40))),
        *((name, "usd", -amount) for name, amount in (("interest x", 50), ("interest y", 5))),
    ]
    there = [(OPENED, (OUTSIDE, name, asset, amount)) for name, asset, amount in begun]
    return [*there, (DRAWN, (OUTSIDE, "owed z", "usd", -40))]


def carried(movement: Movement, by_ref: dict[str, Movement]) -> Iterator[Carried]:
    """What one movement carries from where to where; a reversal the same the other way round."""
    if movement.reverses is not None:
        for source, to, asset, amount in carried(by_ref[movement.reverses], by_ref):
            yield to, source, asset, amount
        return
    account, facility = movement.account or "", movement.facility or ""
    pledged = "g" if facility == "y" else f"pledged {facility}"
    paying, way = f"sent {movement.of}" if movement.of else account, f"sent {movement.ref}"
    btc, usd, fee = movement.btc or 0, movement.usd or 0, movement.fee_btc or 0
    kinds: dict[str, list[Carried]] = {
        "mined": [(OUTSIDE, account, "btc", btc)],
        "adjustment": [(OUTSIDE, account, "btc", btc), (OUTSIDE, account, "usd", usd)],
        "sold": [(pledged if facility else account, OUTSIDE, "btc", btc + fee), (OUTSIDE, account, "usd", usd)],
        "pledged": [(paying, pledged, "btc", btc)],
        "released": [(pledged, account, "btc", btc)],
        "sent": [(account, way, "btc", btc), (account, way, "usd", usd)],
        "drawn": [(f"owed {facility}", account, "usd", usd)],
        "repaid": [(paying, f"owed {facility}", "usd", usd)],
        "interest_paid": [(paying, f"interest {facility}", "usd", usd)],
        "repaid_in_kind": [(pledged, OUTSIDE, "btc", btc), (OUTSIDE, f"owed {facility}", "usd", usd)],
        "cost": [(account, OUTSIDE, "btc", btc), (account, OUTSIDE, "usd", usd)],
        "transfer": [(account, movement.to or "", "btc", btc), (account, movement.to or "", "usd", usd)],
    }
    yield from kinds[str(movement.kind)]


def purses(treasury: Treasury, at: datetime) -> Purses:
    """What the movements dated at or before `at` have left in each."""
    by_ref = {movement.ref: movement for movement in treasury.movements}
    known = [(when, one) for when, one in opening()]
    known += [(movement.at, one) for movement in treasury.movements for one in carried(movement, by_ref)]
    left: Purses = Counter()
    for when, (source, to, asset, amount) in known:
        if when <= at:
            left[source, asset] -= amount
            left[to, asset] += amount
    return left


def of_ledger(ledger: Ledger, at: datetime) -> Purses:
    """The same purses, as the ledger has them; there is none for the outside."""
    balances, found = ledger.at(at), Counter[tuple[str, str]]()
    for name, account in balances.accounts.items():
        found[name, "btc"], found[name, "usd"] = account.btc, account.usd
    for name, amount in balances.collateral.items():
        found[f"pledged {name}", "btc"] = amount
    for name, amount in balances.pools.items():
        found[name, "btc"] = amount
    for sent in balances.transit:
        found[f"sent {sent.ref}", "btc"], found[f"sent {sent.ref}", "usd"] = sent.btc, sent.usd
    for name, debt in balances.debts.items():
        found[f"owed {name}", "usd"], found[f"interest {name}", "usd"] = -debt.principal, -debt.interest
    return found


def without_nothing(found: Purses) -> dict[tuple[str, str], int]:
    return {key: amount for key, amount in found.items() if amount and key[0] != OUTSIDE}


@thoroughly
@given(histories(NO_INTEREST))
def test_every_balance_at_every_instant_is_the_models_and_with_the_outside_all_sum_to_nothing(
    treasury: Treasury,
) -> None:
    ledger = Ledger(treasury)
    for instant in whenever(ledger):
        ours, model = of_ledger(ledger, instant), purses(treasury, instant)
        assert without_nothing(ours) == without_nothing(model)
        for asset in ("btc", "usd"):
            assert model[OUTSIDE, asset] + sum(amount for (_, unit), amount in ours.items() if unit == asset) == 0


def test_the_histories_have_every_kind_and_reversals_that_come_later() -> None:
    """So that the promises above are not kept by histories in which little happens."""
    kinds, later = set[MovementKind](), []

    @thoroughly
    @given(histories(NO_INTEREST))
    def look(treasury: Treasury) -> None:
        at = {movement.ref: movement.at for movement in treasury.movements}
        kinds.update(movement.kind for movement in treasury.movements)
        later.extend(m for m in treasury.movements if m.reverses is not None and m.at > at[m.reverses])

    look()
    assert kinds == set(MovementKind)
    assert later
