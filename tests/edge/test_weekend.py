"""Weekend readiness, posted: once before each closed period, whoever runs, and never once the last wire has gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.cli.weekend import print_weekend
from bot.services.weekend import JOB
from bot.slack.views.weekend import weekend_answer
from bot.workspace import faults
from bot.workspace.blocks import check_blocks

from .teams import DAY, HOUR, MINUTE, Team, Woken, team
from .test_slack_bench import TREASURY

LOAN = TREASURY.split("[[call]]")[0].replace('reserve_btc = "500"\n', "").replace('rate = "0.07"', 'rate = "0"')
"""$300M against 7,000 BTC, 474.62 free ones and $10M of cash that stay, banked in New York; the treasury in Chicago."""
RICH = LOAN.replace('usd = "10000000.00"', 'usd = "60000000.00"')
IMPORTED = datetime(2026, 2, 4, 12, tzinfo=UTC)
NOON = datetime(2026, 2, 6, 17, tzinfo=UTC)
"""Friday in New York."""
CLOSE = NOON + 5 * HOUR
UNTIL_MONDAY = "No wires until Mon 08:00; the last one Fri 16:00"
"""As it is in Chicago."""
UNTIL_TUESDAY = "No wires until Tue 08:00; the last one Fri 16:00"


class Weekend(Woken):
    """The workers of a team, woken to say what a closed period may bring."""

    def __init__(self, team: Team) -> None:
        super().__init__(team, JOB)

    def imports(self, text: str = RICH, at: datetime = IMPORTED) -> None:
        self.team.imports(text, at)


@pytest.fixture
def workers(database_url: str) -> Iterator[Weekend]:
    """On SQLite and on PostgreSQL."""
    with team(database_url) as made:
        weekend = Weekend(made)
        weekend.imports()
        yield weekend


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Weekend]:
    """For what no other database would change; nothing is imported yet."""
    with team(sqlite_url) as made:
        yield Weekend(made)


def test_it_is_said_at_noon_once_by_two_workers_and_after_a_restart_and_again_before_the_next(workers: Weekend) -> None:
    workers.team.price("66000", NOON)
    workers.team.joins()
    workers.wakes(NOON - MINUTE)
    assert workers.said() == []
    assert workers.wakes_together(NOON) in (["busy", "done"], ["already", "done"])
    assert workers.said() == [UNTIL_MONDAY]
    workers.team.joins()  # as after a restart: nobody remembers
    workers.over(NOON + MINUTE, NOON + 7 * DAY - MINUTE, 19 * HOUR)
    assert workers.said() == [UNTIL_MONDAY]
    workers.wakes(NOON + 7 * DAY)
    workers.over(NOON + 7 * DAY + MINUTE, NOON + 13 * DAY, 19 * HOUR)
    assert workers.said() == [UNTIL_MONDAY, UNTIL_TUESDAY]  # the Monday is a holiday


def test_it_says_what_each_fall_asks_for_and_the_cheapest_act(on_sqlite: Weekend) -> None:
    """At $56,100: 300M − 0.65 × 7,000 × 56,100 = $44.745M; less 474.62 coins at $36,465 are $27.44M to repay today."""
    on_sqlite.imports()
    on_sqlite.team.price("66000", NOON)
    on_sqlite.wakes(NOON)
    (text,) = on_sqlite.texts()
    headline, advice, *lines = text.split("\n")
    assert headline == UNTIL_MONDAY
    assert advice == (
        "Short at −15 % by 752.45 BTC or $27.44M. The cheapest act by Fri 16:00: repay $27,437,981.70 to Antalpha from "
        "custody. Then, once called: pledge 474.62 BTC of custody to Antalpha."
    )
    assert lines[:3] == [
        "At −15 %, $56,100.00:",
        "Antalpha needs 1,227.07 BTC pledged or $44,745,000.00 repaid for 65.00 %: at its margin-call line, "
        "due Sat 16:00 if called right after the close, waived until Mon 18:00.",
        "Movable by Sat 16:00: 474.62 BTC, 0.00 USDT; not $50.00M in banks, which can leave Mon 08:00.",
    ]
    assert lines[-1] == (
        "Falls are off the last price, $66,000.00 (0 s old, 4 sources); coins sold count at the fallen one."
    )
    (message,) = on_sqlite.team.slack.channel("C1")
    assert check_blocks(message.blocks) == []
    assert "<!channel>" not in json.dumps(message.blocks)


def test_short_at_ten_percent_it_wakes_the_channel_and_who_asks_is_not_woken(on_sqlite: Weekend) -> None:
    on_sqlite.imports()
    on_sqlite.team.price("62000", NOON)
    on_sqlite.wakes(NOON)
    asked = weekend_answer(on_sqlite.team.first.questions.book())
    assert on_sqlite.texts() == [asked["text"]]
    (message,) = on_sqlite.team.slack.channel("C1")
    assert message.blocks[0]["text"]["text"].startswith("<!channel> *No wires until ")
    assert "<!channel>" not in json.dumps(asked)
    assert check_blocks(asked["blocks"]) == []


def test_after_an_outage_it_is_said_until_the_last_wire_and_not_later(on_sqlite: Weekend) -> None:
    on_sqlite.imports()
    on_sqlite.team.price("75000", CLOSE - MINUTE)
    on_sqlite.wakes(CLOSE - MINUTE)
    assert on_sqlite.said() == [UNTIL_MONDAY]
    on_sqlite.over(CLOSE + 7 * DAY, CLOSE + 10 * DAY, 5 * HOUR)  # down over the next Friday
    assert len(on_sqlite.said()) == 1


def test_nothing_whose_noon_was_before_the_first_import_is_said(on_sqlite: Weekend) -> None:
    on_sqlite.imports(at=NOON + MINUTE)
    on_sqlite.over(NOON + 2 * MINUTE, NOON + 7 * DAY - MINUTE, 5 * HOUR)
    assert on_sqlite.said() == []
    on_sqlite.wakes(NOON + 7 * DAY)
    assert on_sqlite.said() == [UNTIL_TUESDAY]


@pytest.mark.parametrize(
    "text",
    [
        RICH.replace('calendar = "new-york"\nready', "ready"),
        RICH.replace('holds = "bank" ', 'holds = "usdc" '),
        RICH.replace('principal = "300000000.00"', 'principal = "0.00"'),
    ],
    ids=["no calendar", "no bank", "nothing owed"],
)
def test_where_no_rail_closes_or_no_loan_can_be_called_nothing_is_posted(on_sqlite: Weekend, text: str) -> None:
    on_sqlite.imports(text)
    on_sqlite.team.price("66000", NOON)
    on_sqlite.over(NOON, CLOSE, HOUR)
    assert on_sqlite.said() == []


def test_without_a_price_it_is_posted_still_and_says_so(on_sqlite: Weekend) -> None:
    on_sqlite.imports()
    on_sqlite.wakes(NOON)
    assert on_sqlite.texts() == [
        f"{UNTIL_MONDAY}\nNo price yet, so what a fall would ask for is unknown: find out why the sources give none."
    ]


def test_each_calendar_is_said_by_itself_at_its_own_noon(on_sqlite: Weekend) -> None:
    asia = """
[[calendar]]
id = "hong-kong"
timezone = "Asia/Hong_Kong"
open = "09:00"
close = "11:00"

[[account]]
id = "asia"
usd = "1000000.00"
calendar = "hong-kong"
"""
    on_sqlite.imports(RICH + asia)
    on_sqlite.team.price("75000", IMPORTED)
    morning = datetime(2026, 2, 6, 1, tzinfo=UTC)  # 09:00 in Hong Kong, two hours before the close
    on_sqlite.wakes(morning - MINUTE)
    assert on_sqlite.said() == []
    on_sqlite.wakes(morning)
    on_sqlite.wakes(NOON)
    assert on_sqlite.said() == [
        "No wires by hong-kong until Sun 19:00; the last one Thu 21:00",
        "No wires by new-york until Mon 08:00; the last one Fri 16:00",
    ]


def test_one_killed_after_it_wrote_doubles_nothing_and_a_line_that_drops_posts_once(workers: Weekend) -> None:
    workers.team.slack.on("chat.postMessage", faults.accept_then_reset, times=1)
    workers.team.clock.set(NOON)
    assert workers.team.first.weekends.post("C1") == ["weekend:new-york:2026-02-06"]
    workers.team.joins()
    workers.wakes(NOON + MINUTE)
    assert workers.said() == [UNTIL_MONDAY]
    with workers.team.first.store.reading() as tx:
        entries = [(row.actor, row.what, row.about) for row in tx.audit_rows()]
    assert entries[-1] == ("plimsoll", "posted", "weekend:new-york:2026-02-06")


def test_the_command_line_says_the_same_and_its_json_has_it(
    on_sqlite: Weekend, capsys: pytest.CaptureFixture[str]
) -> None:
    on_sqlite.imports()
    on_sqlite.team.price("66000", NOON)
    on_sqlite.team.clock.set(NOON)
    book = on_sqlite.team.first.questions.book()
    print_weekend(book, json=False)
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith(f"{UNTIL_MONDAY} Short at −15 % by 752.45 BTC or $27.44M. The cheapest act")
    print_weekend(book, json=True)
    document = json.loads(capsys.readouterr().out)
    (closure,) = document["closures"]
    assert (closure["last_wire"], closure["next_wire"]) == ("2026-02-06T22:00:00Z", "2026-02-09T14:00:00Z")
    assert closure["next_line"] == {
        "title": "Antalpha",
        "tier": "margin call",
        "price_usd": "57142.85",
        "headroom_pct": "13.42",
    }
    ten, fifteen, _ = closure["falls"]
    assert (ten["needs"], ten["short"], ten["act"]) == ([], None, None)
    assert fifteen["short"] == {"btc": "752.44705060", "usd": "27437981.70"}
    assert [(leg["way"], leg["usd"]) for leg in fifteen["act"]["before_last_wire"]] == [("cash", "27437981.70")]
