"""What the ledger refuses: each with a sentence to act on, all at once, and no fault for another's sake."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.ledger import LedgerFault, ledger_faults
from bot.domain.money import parse_btc, parse_usd
from bot.domain.terms import DayCount, Facility, Group, GroupTest, InterestMode, Terms, TermsVersion
from bot.domain.treasury import Account, Holds, Movement, MovementKind, Treasury

UTC_ZONE = ZoneInfo("UTC")
OPENED = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
NOON = datetime(2026, 2, 8, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def loan(name: str, **more: Any) -> Facility:
    dear = TermsVersion(None, Terms(Fraction(36, 100), DayCount.ACT_360, InterestMode.AT_CLOSE))
    opening = {"principal": parse_usd("1000"), "collateral": parse_btc("100"), "drawn": date(2024, 11, 11)}
    return Facility(name, name.title(), zone=UTC_ZONE, versions=(dear,), **{**opening, **more})


def faults(*movements: Movement) -> list[LedgerFault]:
    return ledger_faults(
        Treasury(
            "T",
            UTC_ZONE,
            UTC_ZONE,
            OPENED,
            accounts=(
                Account("custody", parse_btc("10"), parse_usd("5000")),
                Account("exchange"),
                Account("f2pool", parse_btc("2"), holds=Holds.POOL),
            ),
            facilities=(
                loan("antalpha"),
                loan("second"),
                loan("pooled", group="master", collateral=0),
                loan("later", drawn=date(2026, 3, 1), collateral=0),
            ),
            groups=(Group("master", GroupTest.RATIO, pool=parse_btc("50")),),
            movements=movements,
        )
    )


def move(kind: str, ref: str | None = None, at: datetime = NOON, **fields: Any) -> Movement:
    exact: dict[str, Any] = {}
    for name, value in fields.items():
        if name in {"btc", "fee_btc"}:
            exact[name] = parse_btc(value)
        elif name in {"usd", "gross_usd", "fee_usd"}:
            exact[name] = parse_usd(value)
        else:
            exact[name] = value
    return Movement(at, MovementKind(kind), kind if ref is None else ref, **exact)


def said(*movements: Movement) -> list[tuple[int, str, str]]:
    return [(fault.index, fault.key, fault.text) for fault in faults(*movements)]


# -- fields --

NEEDS = {
    "mined": "account btc",
    "sold": "btc usd account",
    "pledged": "account facility btc",
    "released": "facility account btc",
    "sent": "account facility",
    "drawn": "facility account usd",
    "repaid": "facility account usd",
    "interest_paid": "facility account usd",
    "repaid_in_kind": "facility btc usd",
    "cost": "account",
    "transfer": "account to",
    "adjustment": "account reason",
    "reversal": "reverses",
}
MAY = {
    "mined": "site region",
    "sold": "facility gross_usd fee_usd fee_btc venue order purpose",
    "sent": "btc usd",
    "cost": "btc usd",
    "transfer": "btc usd",
    "adjustment": "btc usd",
    "pledged": "of",
    "repaid": "of",
    "interest_paid": "of",
}
ONE_OF = ("sent", "cost", "transfer", "adjustment")
VALUES = {
    "account": "custody",
    "to": "exchange",
    "facility": "antalpha",
    "btc": "1",
    "usd": "1",
    "reason": "because",
    "of": "sent before",
    "reverses": "mined before",
    "gross_usd": "1",
    "fee_usd": "0",
    "fee_btc": "0",
    "venue": "v",
    "order": "o",
    "purpose": "p",
    "site": "s",
    "region": "r",
}
BEFORE = (move("mined", "mined before", account="exchange", btc="1"),)


def whole(kind: str, *without: str, also: tuple[str, ...] = ()) -> Movement:
    named = [*NEEDS[kind].split(), *(["btc"] if kind in ONE_OF else []), *also]
    return move(kind, at=NOON + 30 * HOUR, **{name: VALUES[name] for name in named if name not in without})


@pytest.mark.parametrize("kind", NEEDS)
def test_what_each_kind_needs_is_enough(kind: str) -> None:
    assert said(*BEFORE, whole(kind)) == []


def test_a_sale_may_say_everything_it_knows() -> None:
    assert said(whole("sold", also=tuple(MAY["sold"].split()))) == []


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in NEEDS for name in NEEDS[kind].split()])
def test_a_field_that_is_missing_is_named(kind: str, name: str) -> None:
    ((index, key, text),) = said(*BEFORE, whole(kind, name))
    assert (index, key) == (1, name)
    assert text.startswith(f"{kind} needs {name}; it takes ")


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in NEEDS for name in VALUES if name not in f"{NEEDS[kind]} {MAY.get(kind, '')}".split()],
)
def test_a_field_that_does_not_belong_is_named(kind: str, name: str) -> None:
    ((_, key, text),) = said(*BEFORE, whole(kind, also=(name,)))
    assert key == name
    assert text.startswith(f"{kind} has no {name}; it takes ")


def test_the_sentence_says_what_the_kind_takes() -> None:
    assert said(move("mined", account="custody"))[0][2] == (
        "mined needs btc; it takes account, btc, and may have site, region"
    )
    assert said(move("sent", facility="antalpha", btc="1"))[0][2] == (
        "sent needs account; it takes account, facility, btc or usd"
    )


@pytest.mark.parametrize("kind", ONE_OF)
def test_one_of_coins_and_dollars_is_exactly_one(kind: str) -> None:
    assert said(whole(kind, also=("usd",))) == [
        (0, "usd", f"{kind} needs exactly one of btc and usd, not both; record two movements")
    ]
    assert said(whole(kind, "btc")) == [(0, "btc", f"{kind} needs exactly one of btc and usd, neither is given")]


def test_amounts_are_more_than_nothing() -> None:
    assert said(move("mined", account="custody", btc="0")) == [
        (0, "btc", "btc is 0.00 BTC; a movement moves something")
    ]
    assert said(move("drawn", account="custody", facility="antalpha", usd="-5")) == [
        (0, "usd", "usd is -$5.00; it must be more than 0, the kind says which way it goes")
    ]
    assert said(move("sold", account="custody", btc="1", usd="1", fee_btc="-1")) == [
        (0, "fee_btc", "fee_btc is -1.00 BTC; it must be 0 or more")
    ]


def test_an_adjustment_goes_either_way_but_not_nowhere() -> None:
    assert said(move("adjustment", account="custody", btc="-1", reason="miscounted")) == []
    assert [key for _, key, _ in said(move("adjustment", account="custody", btc="0", reason="r"))] == ["btc"]


def test_the_net_of_a_sale_is_gross_less_fee() -> None:
    sale: dict[str, Any] = {"account": "custody", "btc": "1", "gross_usd": "100", "fee_usd": "1"}
    assert said(move("sold", usd="99", **sale)) == []
    assert said(move("sold", usd="100", **sale)) == [
        (
            0,
            "usd",
            "gross_usd $100.00 less fee_usd $1.00 is $99.00, but usd says $100.00; usd is the net received",
        )
    ]


# -- names --


def test_accounts_and_facilities_must_exist() -> None:
    assert said(move("pledged", account="custdy", facility="antalfa", btc="1")) == [
        (0, "account", "there is no account “custdy”; accounts: custody, exchange, f2pool"),
        (0, "facility", "there is no facility “antalfa”; facilities: antalpha, second, pooled, later"),
    ]
    assert [key for _, key, _ in said(move("transfer", account="custody", to="x", btc="1"))] == ["to"]


def test_a_transfer_goes_somewhere_else() -> None:
    assert said(move("transfer", account="custody", to="custody", btc="1")) == [
        (0, "to", "to is “custody”, the account it leaves; name another account")
    ]


@pytest.mark.parametrize(
    "movement",
    [
        move("transfer", account="custody", to="f2pool", usd="1"),
        move("sold", account="f2pool", btc="1", usd="1"),
        move("drawn", account="f2pool", facility="antalpha", usd="1"),
        move("adjustment", account="f2pool", usd="1", reason="r"),
    ],
)
def test_an_account_of_coins_owed_by_a_pool_holds_no_dollars(movement: Movement) -> None:
    ((_, _, text),) = said(movement)
    assert text == (
        "account “f2pool” is coins owed by a pool and holds no dollars, so $1.00 can't pass through it; "
        "name one that holds bank, usdt or usdc"
    )


def test_dollars_credited_of_a_sent_pass_through_no_account() -> None:
    cash = move("sent", "cash", account="custody", facility="antalpha", usd="5")
    assert said(cash, move("repaid", account="f2pool", facility="antalpha", usd="5", of="cash")) == []


def test_every_movement_has_a_ref_of_its_own() -> None:
    twice = move("mined", account="custody", btc="1")
    assert said(twice, move("mined", at=NOON + HOUR, account="custody", btc="1")) == [
        (
            1,
            "ref",
            "ref “mined” is already that of the mined movement of 2026-02-08T12:00:00Z; "
            "every movement needs a ref of its own",
        )
    ]
    ((_, key, _),) = said(move("mined", "", account="custody", btc="1"))
    assert key == "ref"


# -- time --


def test_nothing_moves_before_the_opening() -> None:
    early = move("mined", account="custody", btc="1", at=OPENED - HOUR)
    assert said(early) == [
        (
            0,
            "at",
            "2026-01-31T22:59:59Z is before the treasury opened (2026-01-31T23:59:59Z), whose opening figures have it "
            "already; leave it out or correct its at",
        )
    ]
    assert said(move("mined", account="custody", btc="1", at=OPENED)) == []


@pytest.mark.parametrize("kind", ["drawn", "repaid", "interest_paid", "repaid_in_kind"])
def test_debt_does_not_move_before_the_loan_is_drawn(kind: str) -> None:
    amounts: dict[str, Any] = {"btc": "1"} if kind == "repaid_in_kind" else {"account": "custody"}
    ((_, key, text),) = said(move(kind, facility="later", usd="1", **amounts))
    assert key == "at"
    assert text.startswith("later is drawn at 2026-03-01T00:00:00Z, so nothing can be ")
    assert said(move("repaid", facility="later", usd="1", account="custody", at=datetime(2026, 3, 1, tzinfo=UTC))) == []


# -- of and reverses --

COINS = move("sent", "coins", account="custody", facility="antalpha", btc="5")


def test_what_is_credited_of_a_sent_needs_no_account() -> None:
    assert said(COINS, move("pledged", facility="antalpha", btc="5", of="coins")) == []


@pytest.mark.parametrize(
    ("movement", "sentence"),
    [
        (
            move("pledged", facility="antalpha", btc="1", of="coin"),
            "of names “coin”, which is not recorded; it takes the ref of a sent movement",
        ),
        (
            move("pledged", facility="antalpha", btc="1", of="mined before"),
            "of names “mined before”, the mined movement of 2026-02-08T12:00:00Z; it takes the ref of a sent movement",
        ),
        (
            move("pledged", facility="second", btc="1", of="coins"),
            "of names “coins”, sent for antalpha, not for second",
        ),
        (
            move("repaid", facility="antalpha", usd="1", of="coins"),
            "of names “coins”, which sent coins; repaid takes one that sent usd",
        ),
        (
            move("pledged", facility="antalpha", btc="1", of="coins", at=NOON - HOUR),
            "of names “coins”, sent at 2026-02-08T12:00:00Z, after this (2026-02-08T11:00:00Z); it takes one before",
        ),
    ],
)
def test_of_names_a_sent_that_fits(movement: Movement, sentence: str) -> None:
    assert said(*BEFORE, COINS, movement) == [(2, "of", sentence)]


def test_no_more_is_credited_than_was_sent() -> None:
    first = move("pledged", "p1", facility="antalpha", btc="3", of="coins", at=NOON + HOUR)
    second = move("pledged", "p2", facility="antalpha", btc="3", of="coins", at=NOON + 2 * HOUR)
    assert said(COINS, first, second) == [
        (
            2,
            "of",
            "“coins” has 2.00 BTC left in transit at 2026-02-08T14:00:00Z, and 3.00 BTC is taken from it; "
            "at most 2.00 BTC can be",
        )
    ]


def test_a_sent_that_was_credited_cannot_be_undone() -> None:
    credited = move("pledged", facility="antalpha", btc="3", of="coins", at=NOON + HOUR)
    ((index, key, text),) = said(COINS, credited, move("reversal", reverses="coins", at=NOON + 2 * HOUR))
    assert (index, key) == (2, "reverses")
    assert "“coins” has 2.00 BTC left in transit" in text


MINED = move("mined", "m", account="custody", btc="1")
UNDONE = move("reversal", "undo", reverses="m", at=NOON + HOUR)


@pytest.mark.parametrize(
    ("reversal", "sentence"),
    [
        (
            move("reversal", "r", reverses="n", at=NOON + 2 * HOUR),
            "reverses names “n”, which is not recorded; it takes the ref of the movement to undo",
        ),
        (
            move("reversal", "r", reverses="m", at=NOON + 2 * HOUR),
            "“m” is already reversed, by “undo” at 2026-02-08T13:00:00Z; leave this one out",
        ),
        (
            move("reversal", "r", reverses="undo", at=NOON + 2 * HOUR),
            "“undo” is a reversal itself and can't be reversed; record the movement again instead",
        ),
    ],
)
def test_a_reversal_undoes_a_movement_once(reversal: Movement, sentence: str) -> None:
    assert said(MINED, UNDONE, reversal) == [(2, "reverses", sentence)]


def test_a_reversal_is_not_before_what_it_undoes() -> None:
    assert said(MINED, move("reversal", reverses="m", at=NOON - HOUR)) == [
        (
            1,
            "reverses",
            "“m” happened at 2026-02-08T12:00:00Z, after this (2026-02-08T11:00:00Z); date the reversal then or later",
        )
    ]
    assert said(MINED, move("reversal", reverses="m")) == []


def test_nothing_reverses_itself() -> None:
    assert [key for _, key, _ in said(move("reversal", "me", reverses="me"))] == ["reverses"]


# -- balances --


@pytest.mark.parametrize(
    ("movement", "key", "sentence"),
    [
        (
            move("sold", account="custody", btc="10", fee_btc="0.5", usd="1"),
            "btc",
            "account “custody” has 10.00 BTC at 2026-02-08T12:00:00Z, and 10.50 BTC leaves it; at most 10.00 BTC can",
        ),
        (
            move("cost", account="custody", usd="5000.01"),
            "usd",
            "account “custody” has $5,000.00 at 2026-02-08T12:00:00Z, and $5,000.01 leaves it; at most $5,000.00 can",
        ),
        (
            move("released", account="custody", facility="antalpha", btc="101"),
            "btc",
            "antalpha has 100.00 BTC pledged at 2026-02-08T12:00:00Z, and 101.00 BTC leaves it; at most 100.00 BTC can",
        ),
        (
            move("sold", account="custody", facility="pooled", btc="51", usd="1"),
            "btc",
            "group master has 50.00 BTC in its pool at 2026-02-08T12:00:00Z, and 51.00 BTC leaves it; "
            "at most 50.00 BTC can",
        ),
        (
            move("repaid", account="custody", facility="antalpha", usd="1000.01"),
            "usd",
            "antalpha owes $1,000.00 of principal at 2026-02-08T12:00:00Z, and $1,000.01 of it is repaid; "
            "at most $1,000.00 can be",
        ),
        (
            move("interest_paid", account="custody", facility="antalpha", usd="8.01"),
            "usd",
            "antalpha owes $8.00 of interest at 2026-02-08T12:00:00Z, and $8.01 of it is paid; at most $8.00 can be",
        ),
    ],
)
def test_no_balance_is_ever_negative(movement: Movement, key: str, sentence: str) -> None:
    assert said(movement) == [(0, key, sentence)]


def test_the_last_coin_and_the_last_cent_can_go() -> None:
    assert (
        said(
            move("sold", account="custody", btc="9.5", fee_btc="0.5", usd="1"),
            move("released", account="exchange", facility="antalpha", btc="100"),
            move("repaid", account="custody", facility="antalpha", usd="1000"),
            move("interest_paid", account="custody", facility="antalpha", usd="8"),
        )
        == []
    )


def test_movements_of_one_instant_are_one_step_in_any_order() -> None:
    sale = move("sold", account="exchange", btc="5", usd="100")
    arrival = move("transfer", account="custody", to="exchange", btc="5")
    assert said(sale, arrival) == said(arrival, sale) == []
    late = move("transfer", account="custody", to="exchange", btc="5", at=NOON + timedelta(microseconds=1))
    assert [(index, key) for index, key, _ in said(sale, late)] == [(0, "btc")]


def test_a_movement_dated_back_must_leave_enough_for_what_came_after() -> None:
    sold = move("sold", account="custody", btc="8", usd="1")
    back_dated = move("cost", account="custody", btc="3", at=NOON - HOUR)
    assert said(sold, back_dated) == [
        (
            0,
            "btc",
            "account “custody” has 7.00 BTC at 2026-02-08T12:00:00Z, and 8.00 BTC leaves it; at most 7.00 BTC can",
        )
    ]


def test_a_reversal_must_leave_enough_too() -> None:
    spent = move("sold", account="custody", btc="11", usd="1", at=NOON + HOUR)
    ((index, key, _),) = said(MINED, spent, move("reversal", reverses="m", at=NOON + 2 * HOUR))
    assert (index, key) == (2, "reverses")


# -- all of them, and each once --


def test_every_fault_is_reported_in_the_order_of_the_movements() -> None:
    assert [
        (fault.ref, fault.index, fault.key)
        for fault in faults(
            move("cost", "too much", account="custody", btc="11"),
            move("mined", "no coins", account="exchange"),
            move("mined", "fine", account="exchange", btc="1"),
            move("mined", "fine", account="exchange", btc="1"),
            move("repaid", "more than owed", account="custody", facility="second", usd="2000"),
            move("mined", "two", account="exchange", btc="-1", reason="?"),
        )
    ] == [
        ("too much", 0, "btc"),
        ("no coins", 1, "btc"),
        ("fine", 3, "ref"),
        ("more than owed", 4, "usd"),
        ("two", 5, "reason"),
        ("two", 5, "btc"),
    ]


def test_a_balance_that_went_negative_is_named_once() -> None:
    cost = [move("cost", f"c{i}", account="custody", btc="6", at=NOON + i * HOUR) for i in range(4)]
    assert [index for index, _, _ in said(*cost)] == [1]


@pytest.mark.parametrize(
    "refused",
    [
        move("mined", "r", account="exchange", btc="5", usd="1"),
        move("mined", "r", account="exchnge", btc="5"),
        move("mined", "r", btc="5"),
        move("released", "r", account="exchange", facility="antalfa", btc="5"),
    ],
)
def test_what_rests_on_a_refused_movement_is_not_refused_for_it(refused: Movement) -> None:
    spent = move("sold", account="exchange", btc="5", usd="1", at=NOON + HOUR)
    assert {index for index, _, _ in said(refused, spent)} == {0}


def test_what_draws_on_a_refused_sent_is_not_refused_for_it() -> None:
    sent = move("sent", "coins", account="custody", facility="antalpha", btc="5", reason="?")
    credited = move("pledged", facility="antalpha", btc="5", of="coins")
    undone = move("reversal", reverses="pledged", at=NOON + HOUR)
    assert [index for index, _, _ in said(sent, credited, undone)] == [0]


def test_a_refused_movement_hides_no_fault_elsewhere_or_before() -> None:
    before = move("cost", "before", account="exchange", btc="1", at=NOON - HOUR)
    refused = move("mined", account="exchange", btc="5", usd="1")
    elsewhere = move("cost", "elsewhere", account="custody", btc="11", at=NOON + HOUR)
    assert [index for index, _, _ in said(before, refused, elsewhere)] == [0, 1, 2]
