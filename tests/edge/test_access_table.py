"""Who × what × where: every cell by a signed request. What each must come to is the table of docs/access.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.domain.roles import Role, Roles
from bot.slack.views.alerts import ACTIONS
from bot.slack.views.listing import ASK, END
from bot.slack.views.plans import ADJUST, APPROVE, DISMISS, DROP, PROPOSE
from bot.slack.views.record import CONFIRM_CLAIM, WITHDRAW_CLAIM
from bot.store.engine import open_engine
from bot.store.migrate import upgrade
from bot.store.store import Store

from .access_world import NOT_SET, OPEN, PLANNING, ROLES, SHARED, UNSEEN, WHO, What, World, world
from .clicking import ACKNOWLEDGE, NO_NOTICE, PLAN, SNOOZE
from .test_slack_bench import START, bench

DOCS = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
MINED = {"record_account": "custody", "record_btc": "1", "record_at": int(START.timestamp()), "record_ref": "pool 1"}
TERMS_OF = {"record_facility": "antalpha", "record_effective": "2026-06-01"}
NEW_TERMS = {"term_rate": "8.5 %"}
NOTED = {"record_facility": "antalpha", "record_since": int(START.timestamp()), "record_note": "BRR"}
WHAT = {
    "/ltv": What(Role.VIEWER, "/ltv"),
    "/holdings": What(Role.VIEWER, "/holdings"),
    "/sales": What(Role.VIEWER, "/sales"),
    "/sales weekend": What(Role.VIEWER, "/sales weekend"),
    "/sales plans": What(Role.VIEWER, "/sales plans"),
    "/production": What(Role.VIEWER, "/production"),
    "/digest": What(Role.VIEWER, "/digest"),
    "/alerts": What(Role.VIEWER, "/alerts"),
    "/alerts silence": What(Role.VIEWER, "/alerts silence"),
    "/plimsoll": What(Role.VIEWER, "/plimsoll"),
    "/plimsoll risk": What(Role.VIEWER, "/plimsoll risk"),
    "Acknowledge": What(Role.VIEWER, action=ACKNOWLEDGE),
    "Snooze": What(Role.VIEWER, action=SNOOZE),
    "Show plan": What(Role.VIEWER, action=PLAN),
    "No notice received": What(Role.VIEWER, action=NO_NOTICE),
    "Silence…": What(Role.VIEWER, action=ASK),
    "End": What(Role.VIEWER, action=END),
    "the dialog": What(Role.VIEWER, dialog=True),
    "/record": What(Role.OPERATOR, "/record"),
    "/record claims": What(Role.OPERATOR, "/record claims"),
    "the list of kinds": What(Role.OPERATOR, "/record", dialog=True, fills=({"record_kind": "mined"},)),
    "each form": What(Role.OPERATOR, "/record mined", dialog=True, fills=(MINED,)),
    "the preview": What(Role.OPERATOR, "/record mined", dialog=True, fills=(MINED, {})),
    "/record amendment": What(Role.APPROVER, "/record amendment"),
    "/record waiver": What(Role.APPROVER, "/record waiver"),
    "/record price_index": What(Role.APPROVER, "/record price_index"),
    "its kinds in the list": What(Role.APPROVER, "/record", dialog=True, fills=({"record_kind": "waiver"},)),
    "the day of new terms": What(Role.APPROVER, "/record amendment", dialog=True, fills=(TERMS_OF,)),
    "the form of new terms": What(Role.APPROVER, "/record amendment", dialog=True, fills=(TERMS_OF, NEW_TERMS)),
    "the form of a waiver or a note": What(Role.APPROVER, "/record price_index", dialog=True, fills=(NOTED,)),
    "the preview that records them": What(
        Role.APPROVER, "/record amendment", dialog=True, fills=(TERMS_OF, NEW_TERMS, {})
    ),
    "Adjust…": What(Role.VIEWER, action=ADJUST),
    "Let go": What(Role.VIEWER, action=DROP),
    "Propose": What(Role.OPERATOR, action=PROPOSE),
    "Approve": What(Role.APPROVER, action=APPROVE),
    "Dismiss…": What(Role.APPROVER, action=DISMISS),
    "Confirm": What(Role.OPERATOR, action=CONFIRM_CLAIM),
    "Withdraw…": What(Role.OPERATOR, action=WITHDRAW_CLAIM),
    "an operator's command": What(Role.OPERATOR, "/operate", own=True),
    "an operator's click": What(Role.OPERATOR, action="operate", own=True),
    "an operator's dialog": What(Role.OPERATOR, dialog=True, own=True),
    "an approver's command": What(Role.APPROVER, "/approve", own=True),
    "an approver's click": What(Role.APPROVER, action="approve", own=True),
    "an approver's dialog": What(Role.APPROVER, dialog=True, own=True),
}


def table() -> dict[str, list[str]]:
    """The outcomes in docs/access.md: by who, five of them."""
    rows = re.findall(r"^\| (.+?) \|((?: [a-z]+ \|){5})$", DOCS.partition("## The table")[2], re.MULTILINE)
    return {who: re.findall("[a-z]+", cells) for who, cells in rows}


TABLE = {
    NOT_SET: ["answered", "role", "role", "shared", "unseen"],
    "full member, not named": ["role", "role", "role", "shared", "unseen"],
    "viewer by user": ["answered", "role", "role", "shared", "unseen"],
    "viewer by group": ["answered", "role", "role", "shared", "unseen"],
    "operator by user": ["answered", "answered", "role", "shared", "unseen"],
    "operator by group": ["answered", "answered", "role", "shared", "unseen"],
    "approver by user": ["answered", "answered", "answered", "shared", "unseen"],
    "approver by group": ["answered", "answered", "answered", "shared", "unseen"],
    "guest": ["guest"] * 5,
    "single-channel guest": ["guest"] * 5,
    "guest, named approver": ["guest"] * 5,
    "stranger": ["elsewhere"] * 5,
    "other team": ["elsewhere"] * 5,
    "bot": ["bot"] * 5,
    "deactivated": ["deactivated"] * 5,
}


def outcome(who: str, needs: Role, where: str) -> str:
    column = 3 if where in SHARED else 4 if where in UNSEEN else needs - 1
    return TABLE[who][column]


def test_the_docs_have_the_same_table() -> None:
    assert table() == TABLE
    assert list(TABLE) == list(WHO)


def test_the_table_leaves_nothing_out() -> None:
    import bot.slack.commands as package

    commands = {f"/{path.stem}" for path in Path(str(package.__file__)).parent.glob("[a-z]*.py")}
    assert commands <= {what.line for what in WHAT.values()}
    assert {*ACTIONS.values(), ASK, END, CONFIRM_CLAIM, WITHDRAW_CLAIM, *PLANNING} <= {
        what.action for what in WHAT.values()
    }
    takes = DOCS.partition("| what | takes |")[2].partition("\n\n")[0]
    for name, what in WHAT.items():
        assert what.own or re.search(rf"^\| .*{re.escape(name)}.* \| an? {what.needs.word} \|$", takes, re.MULTILINE), (
            name
        )


@pytest.fixture(scope="module")
def fresh(empty_database: Callable[[str], str]) -> Iterator[Callable[[Roles], World]]:
    """Makes worlds, and ends them."""
    with ExitStack() as stack:

        def make(roles: Roles) -> World:
            url = empty_database("sqlite")
            upgrade(url)
            store = Store(open_engine(url))
            stack.callback(store.close)
            bot = stack.enter_context(bench(store, roles=roles))
            return world(bot, stack)

        yield make


@pytest.fixture(scope="module")
def named(fresh: Callable[[Roles], World]) -> World:
    return fresh(ROLES)


@pytest.fixture(scope="module")
def open_to_all(fresh: Callable[[Roles], World]) -> World:
    return fresh(Roles(None, ROLES.operators, ROLES.approvers))


@pytest.mark.parametrize("name", WHAT)
def test_every_cell(named: World, open_to_all: World, name: str) -> None:
    what = WHAT[name]
    cells = [(who, where) for who in WHO for where in (*OPEN, *SHARED, *UNSEEN)]
    cells.sort(key=lambda cell: outcome(cell[0], what.needs, cell[1]) == "answered")  # there is still something to undo
    worlds = {who: open_to_all if who == NOT_SET else named for who in WHO}
    came = {(who, where): worlds[who].asks(what, WHO[who][0], where) for who, where in cells}
    assert came == {(who, where): outcome(who, what.needs, where) for who, where in cells}
