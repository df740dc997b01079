"""Each kind of message as JSON: a change of what people see is a diff of a file in tests/golden.

UPDATE_GOLDEN=1 writes them anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from digests import DIGESTS
from planned import DIALOGS as PLAN_DIALOGS
from planned import PLANS
from productions import with_production
from recordings import DIALOGS as RECORD_DIALOGS
from recordings import RECORDS
from risks import RISKS
from sold import SALES

from bot.domain.alerts import Act, ActKind, Alert, AlertPolicy, Hold, Person, Silence, Transition, decide
from bot.domain.book import Book, Register
from bot.domain.checks import all_findings
from bot.domain.closures import bank_calendars, next_closure
from bot.domain.interest_reminders import reminder_told, reminders
from bot.domain.messages import Message, escalation_of, message_of, reply_of
from bot.domain.price import PriceState, PriceView
from bot.domain.roles import Role, Roles, Standing
from bot.domain.terms import InterestMode
from bot.domain.transitions import Change
from bot.domain.treasury import Treasury
from bot.domain.weekend_words import closure_told
from bot.domain.words import plain_text
from bot.services.acting import Acted, Listing
from bot.slack.health import Health
from bot.slack.limits import Payload, faults
from bot.slack.parsing import named_exposures
from bot.slack.record_forms import FORMS
from bot.slack.slash import Slash
from bot.slack.views import alerts, notes
from bot.slack.views.acts import answer
from bot.slack.views.digest import digest
from bot.slack.views.holdings import holdings
from bot.slack.views.listing import listing
from bot.slack.views.ltv import ltv
from bot.slack.views.plimsoll import May, plimsoll
from bot.slack.views.production import production, sites
from bot.slack.views.record import form
from bot.slack.views.sales import plan_now
from bot.slack.views.silence import silencing
from bot.store.alert_rows import AlertRow
from bot.treasury_file import read_treasury
from bot.workspace.blocks import check_blocks, check_view

GOLDEN = Path(__file__).parent.parent / "golden"
SOURCES = ("coinbase", "kraken", "bitstamp", "gemini")
TREASURY = read_treasury("treasury.toml", (GOLDEN / "treasury.toml").read_text(encoding="utf-8"))
KEY = "covenant:antalpha"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def book(when: str, usd: int, state: PriceState = PriceState.FRESH, treasury: Treasury = TREASURY) -> Book:
    now = at(when)
    aged = timedelta(seconds=12) if not state.is_blind else timedelta(minutes=12)
    view = PriceView(state, usd * 100, now - aged, aged, SOURCES, lowest_fresh=usd * 99, blind_polls=3)
    return Book(Register.of(treasury), now, view)


def what_if(when: str, usd: int) -> Book:
    return replace(book(when, usd), price=PriceView.scenario(usd * 100))


def step(before: Alert | None, now: Book, key: str = KEY) -> Transition:
    return decide(before, all_findings(now).get(key), now.at, AlertPolicy())


def reached() -> Message:
    now = book("02-07 12:00", 55_000)
    return message_of(now, step(None, now))


def early() -> Message:
    now = book("02-07 12:00", 61_000)
    return message_of(now, step(None, now))


def called() -> tuple[Book, Transition]:
    opened = step(None, book("02-07 12:00", 55_000))
    now = book("02-07 14:20", 56_000)
    return now, step(opened.alert, now)


def closed() -> tuple[Book, Transition]:
    alert = step(None, book("02-05 12:00", 61_000)).alert
    clear = step(alert, book("02-05 12:30", 70_000)).alert
    now = book("02-05 12:41", 70_000)
    return now, step(clear, now)


def blind() -> Message:
    now = book("02-07 12:00", 60_000, PriceState.STALE)
    return message_of(now, step(None, now, "price"))


def mining(when: str) -> Book:
    return book(when, 68_500, treasury=with_production(TREASURY))


def behind() -> Message:
    now = book("02-07 12:00", 68_500)
    return message_of(now, step(None, now, "production:2026-02:behind-plan"))


def ltv_of(now: Book, named: str | None = None) -> Payload:
    return ltv(now, named_exposures(now, named), Slash())


def plan_of(now: Book) -> Payload:
    planned = plan_now(now, KEY, Slash())
    return ltv(now, named_exposures(now, "antalpha"), Slash(), "What would cure Antalpha now", planned)


def paying() -> Treasury:
    """The example, its interest due in cash on the first."""
    loan = TREASURY.facilities[0]
    versions = tuple(replace(one, terms=replace(one.terms, interest=InterestMode.PAID)) for one in loan.versions)
    return replace(TREASURY, facilities=(replace(loan, versions=versions),), notices=(), movements=())


def reminded(when: str, nth: int = 0) -> Payload:
    now = book(when, 68_500, treasury=paying())
    return digest(reminder_told(now, list(reminders(now, time(9)))[nth]))


def weekend(usd: int) -> Payload:
    """As it is posted on Friday at noon in New York, with $60M there and nobody called yet."""
    rich = replace(TREASURY.accounts[0], usd=60_000_000_00)
    quiet = replace(TREASURY, accounts=(rich,), notices=(), movements=())
    now = book("02-06 17:00", usd, treasury=replace(quiet, policy=replace(quiet.policy, reserve_btc=10**10)))
    return digest(closure_told(now, next_closure(bank_calendars(quiet)[0], now.at)))


def many(count: int) -> Treasury:
    """`count` loans like the example's, each with a lender of its own."""
    one = replace(TREASURY.facilities[0], group=None, waivers=())
    loans = tuple(replace(one, id=f"lender-{n}", lender=f"Lender {n}") for n in range(count))
    return replace(TREASURY, facilities=loans, groups=(), notices=(), movements=())


def continued() -> Payload:
    older = alerts.alert(reached())
    return alerts.continued(older["blocks"], older["text"], "https://example.slack.com/archives/C1/p1770465600000100")


ADA, SAM = Person("U1", "Ada Byron"), Person("U2", "Sam Hill")
ESCALATING = AlertPolicy(escalate_after=timedelta(minutes=15))
STANDSTILL = Silence(
    1, frozenset({"covenant"}), frozenset({"antalpha"}), "standstill & co", ADA, at("02-07 12:01"), at("02-07 16:01")
)


def acted(kind: ActKind, until: datetime | None = None, usd: int = 55_000) -> tuple[Book, Transition]:
    """The facility at its call line, five minutes later at `usd`, and what Ada makes of it."""
    opened = step(None, book("02-07 12:00", 55_000))
    now = book("02-07 12:05", usd)
    before = step(opened.alert, now).after
    return now, decide(before, all_findings(now).get(KEY), now.at, AlertPolicy(), Act(kind, ADA, until))


def recovered() -> Message:
    opened = step(None, book("02-07 12:00", 55_000))
    now = book("02-07 12:05", 62_000)
    return replace(message_of(now, step(opened.alert, now)), mention=False)


def silenced() -> tuple[Book, Transition]:
    opened = step(None, book("02-07 12:00", 55_000))
    now = book("02-07 12:05", 55_000)
    policy = AlertPolicy(silences=(STANDSTILL,))
    return now, decide(opened.alert, all_findings(now).get(KEY), now.at, policy)


def escalated() -> tuple[Book, Transition]:
    opened = step(None, book("02-07 12:00", 55_000))
    now = book("02-07 12:16", 55_000)
    return now, decide(opened.alert, all_findings(now).get(KEY), now.at, ESCALATING)


def elsewhere(now: Book, transition: Transition) -> Message:
    return escalation_of(now, transition, message_of(now, transition), channel="C1", group="S1")


def taken_after_escalation() -> Message:
    _, before = escalated()
    now = book("02-07 12:20", 55_000)
    act = Act(ActKind.ACKNOWLEDGE, ADA)
    return elsewhere(now, decide(before.after, all_findings(now).get(KEY), now.at, ESCALATING, act))


def row(number: int, now: Book, transition: Transition, hold: Hold | None = None) -> AlertRow:
    """An alert as it is kept after `transition`."""
    alert = transition.after or transition.before
    assert alert is not None
    text = plain_text(message_of(now, transition).headline)
    over = transition.change is Change.CLOSED
    return AlertRow(
        id=number,
        key=transition.key,
        status="closed" if over else "open",
        level=alert.level,
        tier=alert.tier,
        opened_at=alert.opened_at,
        closed_at=transition.at if over else None,
        due=at("02-08 14:15") if alert.call_states else None,
        text=text,
        alert=replace(alert, hold=hold) if hold else alert,
        channel="C1",
        newest_ts="1770465600.000100",
    )


def listed() -> Listing:
    """One of each kind."""
    now = book("02-07 14:30", 56_000)
    held = Hold(SAM, at("02-07 14:25"))
    snoozed = Hold(ADA, at("02-07 14:25"), at("02-07 15:25"))
    dark = book("02-07 14:20", 60_000, PriceState.STALE)
    rows = (
        row(4, *called()),
        row(3, *called(), hold=held),
        row(2, dark, step(None, dark, "price"), hold=snoozed),
        row(1, *silenced()),
        row(5, *closed()),
    )
    return Listing(now, rows, (STANDSTILL, replace(STANDSTILL, id=2, subjects=frozenset(), reason="night <shift>")))


def nothing_listed() -> Listing:
    return Listing(book("02-07 12:00", 68_500), (), ())


def refused(reason: str) -> Payload:
    """The note for a click that changes nothing."""
    act = Act(ActKind.ACKNOWLEDGE, SAM)
    now, taken = acted(ActKind.ACKNOWLEDGE)
    kept = row(1, now, taken)
    again = decide(taken.after, taken.finding, now.at, AlertPolicy(), act)
    acts = {
        "taken": Acted(now, kept, again),
        "seen_less": Acted(
            now, kept, decide(taken.after, taken.finding, now.at, AlertPolicy(), replace(act, seen=(1, 0)))
        ),
        "closed": Acted(now, row(1, *closed()), None),
        "none": Acted(now, None, None),
    }
    told = answer(acts[reason], act, Slash())
    assert told is not None
    return told


WELL = Health(
    at=at("02-07 12:00"),
    price=book("02-07 12:00", 68_500).price,
    sources=SOURCES,
    last_check=at("02-07 11:59"),
    facility="antalpha",
    version="0.1.0",
)
UNWELL = replace(
    WELL,
    price=PriceView(PriceState.NONE),
    last_check=None,
    undelivered=2,
    undelivered_since=at("02-07 11:50"),
    failed=1,
    failures=("channel_not_found",),
    database="locked",
    facility="",
    socket_silent_for=timedelta(seconds=90),
    closed=("ALERT_CHANNEL (C1) is shared with another organisation",),
)
EVERYBODY = May(Roles(), Roles().standing("U1", {}), lambda _: "")
NAMED = May(
    Roles(("S0TREASURY",), ("U2", "S0DESK"), ("U3",)),
    Standing(Role.VIEWER, (("S0DESK", Role.OPERATOR),)),
    lambda user: {"U2": "Sam Hill", "U3": "Ada <Byron>"}[user],
)

KINDS: dict[str, Callable[[], Payload]] = {
    "alert_at_call_line": lambda: alerts.alert(reached()),
    "alert_early_warning": lambda: alerts.alert(early()),
    "alert_called": lambda: alerts.alert(message_of(*called())),
    "alert_closed": lambda: alerts.alert(message_of(*closed())),
    "alert_no_price": lambda: alerts.alert(blind()),
    "alert_acknowledged": lambda: alerts.alert(message_of(*acted(ActKind.ACKNOWLEDGE))),
    "alert_snoozed": lambda: alerts.alert(message_of(*acted(ActKind.SNOOZE, at("02-07 16:05")))),
    "alert_silenced": lambda: alerts.alert(message_of(*silenced())),
    "alert_recovered": lambda: alerts.alert(recovered()),
    "escalation": lambda: alerts.alert(elsewhere(*escalated())),
    "escalation_taken": lambda: alerts.alert(taken_after_escalation()),
    "reply_acknowledged": lambda: alerts.reply(reply_of(*acted(ActKind.ACKNOWLEDGE))),
    "reply_silenced": lambda: alerts.reply(reply_of(*silenced())),
    "alerts": lambda: listing(listed(), Slash("tr-")),
    "alerts_empty": lambda: listing(nothing_listed(), Slash()),
    "note_taken": lambda: refused("taken"),
    "note_seen_less": lambda: refused("seen_less"),
    "note_closed": lambda: refused("closed"),
    "note_no_such_alert": lambda: refused("none"),
    "note_not_opened": lambda: notes.not_opened("/alerts", "expired_trigger_id"),
    "plan": lambda: plan_of(book("02-07 12:00", 55_000)),
    "reply_called": lambda: alerts.reply(reply_of(*called())),
    "reply_closed": lambda: alerts.reply(reply_of(*closed())),
    "continued": continued,
    "ltv": lambda: ltv_of(book("02-07 12:00", 68_500)),
    "ltv_called": lambda: ltv_of(book("02-07 18:00", 56_000), "antalpha"),
    "ltv_what_if": lambda: ltv_of(what_if("02-07 12:00", 55_000)),
    "ltv_interest": lambda: ltv_of(book("03-09 12:00", 68_500, treasury=paying()), "antalpha"),
    "interest_before": lambda: reminded("02-28 15:00", nth=1),
    "interest_late": lambda: reminded("03-02 15:00"),
    "weekend": lambda: weekend(63_000),
    "weekend_calm": lambda: weekend(75_000),
    "ltv_unknown": lambda: ltv_of(book("02-07 12:00", 68_500, PriceState.DISPUTED)),
    "ltv_of_fourteen": lambda: ltv_of(book("02-07 12:00", 50_000, treasury=many(14))),
    "holdings": lambda: holdings(book("02-07 12:00", 68_500)),
    "holdings_changed": lambda: holdings(book("03-08 12:00", 68_500)),
    "production": lambda: production(mining("02-20 12:00"), ["2026-02"]),
    "production_year": lambda: production(mining("03-20 12:00"), ["2026-01", "2026-02", "2026-03"]),
    "production_sites": lambda: sites(mining("02-20 12:00"), ["2026-02"]),
    "alert_behind_plan": lambda: alerts.alert(behind()),
    **DIGESTS,
    **RISKS,
    **SALES,
    **RECORDS,
    **PLANS,
    "plimsoll": lambda: plimsoll(WELL, EVERYBODY, Slash("tr-")),
    "plimsoll_unwell": lambda: plimsoll(UNWELL, NAMED, Slash()),
    "usage": lambda: notes.usage("“banana” is not a price.", ("/ltv at 55000", "/ltv -20%")),
    "failure": lambda: notes.failure("/ltv", "1a2b3c4d"),
    "busy": lambda: notes.busy("/ltv"),
    "nothing_imported": lambda: notes.note("Nothing imported yet: plimsoll import FILE"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_reads_as_the_golden_file_says(kind: str) -> None:
    made = KINDS[kind]()
    text = json.dumps(made, ensure_ascii=False, indent=2) + "\n"
    path = GOLDEN / f"{kind}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_slack_would_take_it(kind: str) -> None:
    made = KINDS[kind]()
    assert faults(made) == []
    assert check_blocks(made["blocks"]) == []


DIALOGS: dict[str, Callable[[], dict[str, Any]]] = {
    "silence_dialog": lambda: silencing(listed(), '{"response_url": "", "in_list": false}'),
    **RECORD_DIALOGS,
    **PLAN_DIALOGS,
}


@pytest.mark.parametrize("kind", DIALOGS)
def test_a_dialog_reads_as_the_golden_file_says_and_slack_would_take_it(kind: str) -> None:
    made = DIALOGS[kind]()
    text = json.dumps(made, ensure_ascii=False, indent=2) + "\n"
    path = GOLDEN / f"{kind}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert faults(made, "modal") == []
    assert check_view(made) == []


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*KINDS, *DIALOGS}


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("count", [1, 300])
def test_every_form_fits_whatever_there_is_to_choose_from(kind: str, count: int) -> None:
    made = form(kind, book("02-08 19:00", 68_500, treasury=many(count)), "{}")
    assert faults(made, "modal") == []
    assert check_view(made) == []


@pytest.mark.parametrize("count", [1, 5, 10, 20, 40, 80, 300])
@pytest.mark.parametrize("usd", [90_000, 50_000])
def test_any_number_of_facilities_fits_and_what_is_missing_is_counted(count: int, usd: int) -> None:
    made = ltv_of(book("02-07 12:00", usd, treasury=many(count)))
    assert faults(made) == []
    assert check_blocks(made["blocks"]) == []
    shown = "\n".join(text for text in _texts(made["blocks"]))
    there = sum(f"Lender {n}: LTV" in shown for n in range(count))
    note = made["blocks"][-2]["elements"][0]["text"] if "elements" in made["blocks"][-2] else ""
    hidden = int(note.split(" more are not shown")[0].split()[-1]) if "not shown" in note else 0
    assert there + hidden == count
    if there < count or ("Cure" not in shown and usd == 50_000):
        assert "`/ltv lender-" in note


def test_the_worst_are_shown_in_full_first() -> None:
    treasury = many(14)
    worse = replace(treasury.facilities[9], collateral=treasury.facilities[9].collateral * 7 // 10)
    treasury = replace(treasury, facilities=(*treasury.facilities[:9], worse, *treasury.facilities[10:]))
    made = ltv_of(book("02-07 12:00", 61_000, treasury=treasury))
    (full,) = [text for text in _texts(made["blocks"]) if "*Lender 9: LTV" in text]
    assert "critical, at its liquidation line" in full
    assert "Cure to" in full


def test_a_very_long_alert_says_how_much_it_left_out() -> None:
    long = replace(reached(), body="\n".join(f"paragraph {n} " + "x" * 200 for n in range(200)))
    made = alerts.alert(long)
    assert faults(made) == []
    assert "more paragraphs: ask for the LTVs" in made["blocks"][-2]["elements"][0]["text"]
    endless = replace(reached(), headline="h" * 5_000, body="y" * 20_000)
    assert faults(alerts.alert(endless)) == []
    assert faults(alerts.reply(endless)) == []


def test_what_a_person_named_is_escaped_everywhere() -> None:
    evil = replace(TREASURY.facilities[0], lender="<!channel> & <@U1|x>", group=None, waivers=())
    treasury = replace(TREASURY, facilities=(evil,), groups=(), notices=())
    now = book("02-07 12:00", 55_000, treasury=treasury)
    told = message_of(now, step(None, now))
    for made in (ltv_of(now), holdings(now), alerts.alert(replace(told, mention=False)), alerts.reply(told)):
        body = json.dumps(made)
        assert "<!channel>" not in body
        assert "<@U1" not in body
        assert "&lt;!channel&gt; &amp; &lt;@U1|x&gt;" in body


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for inner in value.values() if isinstance(inner, (dict, list)) for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []
