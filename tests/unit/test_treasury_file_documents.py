"""What the store keeps as JSON comes back as it was."""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import documents
from bot.domain.periods import Calendar
from bot.domain.terms import (
    Consent,
    DayCount,
    Group,
    GroupTest,
    InterestMode,
    Level,
    LtvOn,
    OnRecovery,
    Release,
    Terms,
    Tier,
    TierKind,
)
from bot.domain.treasury import Policy, SlippageStep

maybe = st.none
amounts = st.integers(0, 10**16)
ratios = st.fractions(min_value=0, max_value=10)
words = st.text(min_size=1, max_size=6)
ids = st.sampled_from(["new-york", "desk", "0-0"])
durations = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))
days = st.dates(date(2009, 1, 3), date(2140, 1, 1))
instants = st.datetimes(datetime(2009, 1, 3), datetime(2140, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(["UTC", "America/Chicago", "Asia/Kathmandu"]).map(ZoneInfo)
times = st.times()

tiers = st.builds(
    Tier,
    kind=st.sampled_from(TierKind),
    name=words,
    line=maybe() | ratios,
    price=maybe() | amounts,
    cure_to=maybe() | ratios,
    window_hours=maybe() | durations,
    window_days=maybe() | st.integers(0, 60),
    due_time=maybe() | times,
    notice_cutoff=maybe() | times,
    calendar=maybe() | ids,
    own_level=maybe() | st.sampled_from(Level),
    liquidate_to=maybe() | ratios,
    liquidation_fee_bps=st.integers(0, 10_000),
)
tier_lists = st.lists(tiers, max_size=2).map(tuple)
terms = st.builds(
    Terms,
    rate=ratios,
    day_count=st.sampled_from(DayCount),
    interest=st.sampled_from(InterestMode),
    tiers=tier_lists,
    release=maybe() | st.builds(Release, line=ratios, to=ratios, days=st.integers(1, 90)),
    ltv_on=st.sampled_from(LtvOn),
    cushion=ratios,
    reference=maybe() | words,
    on_recovery=st.sampled_from(OnRecovery),
    credit_hours=maybe() | durations,
    min_repayment=amounts,
    min_call_usd=amounts,
    consent=st.sampled_from(Consent),
    desk_calendar=maybe() | ids,
    matures=maybe() | days,
)
groups = st.builds(
    Group,
    id=ids,
    test=st.sampled_from(GroupTest),
    tiers=tier_lists,
    pool=maybe() | amounts,
    cushion=ratios,
    reference=maybe() | words,
    on_recovery=st.sampled_from(OnRecovery),
    min_call_usd=amounts,
)
calendars = st.builds(Calendar, id=ids, zone=zones, open=times, close=times, closed=st.frozensets(days, max_size=5))
policies = st.builds(
    Policy,
    withstand_drop=maybe() | ratios,
    reserve_btc=amounts,
    min_cash_usd=amounts,
    max_cover_btc=maybe() | amounts,
    sell_of_mined=ratios,
    max_daily_btc=maybe() | amounts,
    fee_bps=st.integers(0, 10_000),
    slippage_bps=st.integers(0, 10_000),
    slippage=st.lists(st.builds(SlippageStep, st.integers(1, 10**15), st.integers(0, 9_999)), max_size=3).map(tuple),
    sold_over_mined_limit=maybe() | ratios,
    plan_btc_per_month=maybe() | amounts,
    plan_tolerance=ratios,
    rollforward_tolerance_btc=maybe() | amounts,
    statement_due_day=maybe() | st.integers(1, 28),
)


def through_json(document: documents.Document) -> documents.Document:
    return json.loads(json.dumps(document, sort_keys=True))


@given(terms)
def test_it_gives_terms_back_as_they_were(thing: Terms) -> None:
    assert documents.terms_from(through_json(documents.terms_document(thing))) == thing


@given(groups)
def test_it_gives_groups_back_as_they_were(thing: Group) -> None:
    assert documents.group_from(through_json(documents.group_document(thing))) == thing


@given(calendars)
def test_it_gives_calendars_back_as_they_were(thing: Calendar) -> None:
    assert documents.calendar_from(through_json(documents.calendar_document(thing))) == thing


@given(policies)
def test_it_gives_policy_back_as_it_was(thing: Policy) -> None:
    assert documents.policy_from(through_json(documents.policy_document(thing))) == thing


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (Terms, documents._TERMS),
        (Tier, documents._TIER),
        (Release, documents._RELEASE),
        (Group, documents._GROUP),
        (Calendar, documents._CALENDAR),
        (Policy, documents._POLICY),
    ],
)
def test_it_forgets_no_field(kind: type, table: dict[str, object]) -> None:
    assert set(table) == {field.name for field in fields(kind)}


def test_it_writes_ratios_exactly_and_leaves_out_what_has_no_value() -> None:
    tier = Tier(TierKind.CALL, "margin call", line=Fraction(3, 4), window_hours=timedelta(hours=24))
    written = documents.terms_document(Terms(Fraction(7, 100), DayCount.ACT_360, InterestMode.PAID, tiers=(tier,)))
    assert written["rate"] == "7/100"
    assert written["tiers"] == [
        {"kind": "call", "name": "margin call", "line": "3/4", "window_hours": "86400", "liquidation_fee_bps": 0}
    ]
    assert "matures" not in written


@pytest.mark.parametrize("read", [documents.terms_from, documents.policy_from, documents.group_from])
def test_it_refuses_a_document_it_does_not_know(read: Callable[[dict[str, str]], object]) -> None:
    with pytest.raises(ValueError, match="unknown keys: colour"):
        read({"colour": "red"})


def test_times_may_have_seconds() -> None:
    calendar = Calendar("desk", ZoneInfo("UTC"), time(9), time(16, 59, 59))
    assert documents.calendar_from(documents.calendar_document(calendar)) == calendar
