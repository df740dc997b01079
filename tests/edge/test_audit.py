"""The audit log as people leave it: who asked, pressed and changed what, in Slack and on the command line."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import LATER_THREADS, build
from bot.cli import main
from bot.domain.audit import Sealed, What, verify
from bot.services import auditing
from bot.services.auditing import Auditing
from bot.settings import GivenSettings
from bot.slack.views import silence as fields
from bot.store.engine import DatabaseUnavailableError
from bot.store.store import Store

from .cli_process import CONTRACT, NOTHING_YET, OPENED, Plimsoll, Ran, run_plimsoll
from .clicking import (
    NO_NOTICE,
    PLAN,
    SNOOZE,
    alerted,
    at_the_call_line,
    click,
    dialog,
    newest,
    snooze_value,
)
from .test_slack_bench import Bench, Hand, said

ANTALPHA = "covenant:antalpha"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with alerted(store) as made:
        made.slack.add_user("U4", name="Guest", is_restricted=True)
        made.slack.add_user("U5", name="Stranger", team_id="T0ELSE", is_stranger=True)
        made.slack.add_channel("C9", name="with-lender", is_ext_shared=True)
        yield made


def log(store: Store) -> list[Sealed]:
    with store.reading() as tx:
        rows = list(tx.audit_rows())
    assert verify(rows).fault is None
    return rows


def since(bot: Bench, before: int) -> list[tuple[str, str, str, dict[str, Any]]]:
    bot.quiet()
    return [(row.actor, row.what, row.about, json.loads(row.detail)) for row in log(bot.store)[before:]]


# Questions


def test_a_question_is_recorded_as_typed_with_who_asked_and_where(bot: Bench) -> None:
    before = len(log(bot.store))
    assert said(bot, "/ltv  antalpha  at 55000", user="U2")
    for line in ("/holdings", "/alerts", "/plimsoll"):
        assert bot.slack.command(line).ok
        bot.quiet()
    assert since(bot, before) == [
        ("U2", "asked", "/ltv antalpha  at 55000", {"channel": "C1"}),
        ("U1", "asked", "/holdings", {"channel": "C1"}),
        ("U1", "asked", "/alerts", {"channel": "C1"}),
        ("U1", "asked", "/plimsoll", {"channel": "C1"}),
    ]
    assert log(bot.store)[before].at == "2026-02-07T12:00:00.000000Z"


def test_what_is_asked_wrongly_is_recorded_with_what_is_wrong(bot: Bench) -> None:
    before = len(log(bot.store))
    said(bot, "/ltv at <banana> & more")
    assert since(bot, before) == [
        ("U1", "asked", "/ltv at <banana> & more", {"channel": "C1", "wrong": "“<banana> & more” is not a price."})
    ]


@pytest.mark.parametrize(
    ("user", "channel", "reason"),
    [
        ("U4", "C1", "you are a guest here"),
        ("U5", "C1", "your account belongs to another organisation"),
        ("U1", "C9", "This channel is shared with another organisation"),
    ],
)
def test_who_is_refused_is_recorded_with_the_reason(bot: Bench, user: str, channel: str, reason: str) -> None:
    before = len(log(bot.store))
    for _ in range(2):  # looked up first, then known
        assert bot.slack.command("/ltv -20%", user=user, channel=channel).ok
        bot.quiet()
    for actor, what, about, detail in since(bot, before):
        assert (actor, what, about, detail["channel"]) == (user, "refused", "/ltv -20%", channel)
        assert reason in detail["reason"]
    assert len(log(bot.store)) == before + 2


def test_a_retry_is_one_question(bot: Bench) -> None:
    before = len(log(bot.store))
    first = bot.slack.command("/ltv")
    bot.slack.repeat(first, retry_num=1)
    assert [row[:3] for row in since(bot, before)] == [("U1", "asked", "/ltv")]


def test_an_answer_waits_for_no_writer_and_is_recorded_all_the_same(bot: Bench) -> None:
    before = len(log(bot.store))
    with bot.store.writing():
        began = time.monotonic()
        assert said(bot, "/ltv")
        assert time.monotonic() - began < 1
        assert len(log(bot.store)) == before
    assert [row[:3] for row in since(bot, before)] == [("U1", "asked", "/ltv")]


def test_a_failure_is_recorded_with_the_reference_that_its_asker_has(bot: Bench) -> None:
    def broken() -> Any:
        raise RuntimeError("a bug")

    bot.health = broken
    before = len(log(bot.store))
    text = said(bot, "/plimsoll")
    ((actor, what, about, detail),) = since(bot, before)
    assert (actor, what, about) == ("U1", "asked", "/plimsoll")
    assert detail["failed"] in text


# While the database cannot be written, and at the end


def noted(audit: Auditing, *lines: str) -> None:
    for line in lines:
        audit.note("U1", What.ASKED, line, {})


def test_what_cannot_be_written_now_is_written_later_once_and_in_order(store: Store) -> None:
    audit = Auditing(store, Hand(), lambda _: None, (DatabaseUnavailableError,))
    noted(audit, "/ltv 1", "/ltv 2")
    with store.writing():
        audit.flush(timedelta(milliseconds=50))
    noted(audit, "/ltv 3")
    assert log(store) == []
    for _ in range(2):
        audit.flush()
    assert [row.about for row in log(store)] == ["/ltv 1", "/ltv 2", "/ltv 3"]


def test_a_database_that_stays_away_does_not_fill_the_memory(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(auditing, "MOST_WAITING", 2)
    audit = Auditing(store, Hand(), lambda _: None, (DatabaseUnavailableError,))
    noted(audit, "/ltv 1", "/ltv 2", "/ltv 3")
    assert "audit_entry_lost" in (said := capsys.readouterr().out)
    assert "/ltv 1" in said
    audit.flush()
    assert [row.about for row in log(store)] == ["/ltv 2", "/ltv 3"]


def test_a_bot_that_stops_writes_what_waits_and_no_secret(store: Store, database_url: str) -> None:
    secret = "5ecret-0f-5lack"
    settings = GivenSettings(
        database_url=database_url, slack_signing_secret=secret, price_sources=(("kraken", ""),) * 2
    )
    running = build(settings)
    over = threading.Event()
    for _ in range(LATER_THREADS):  # they are all at something else
        running._later.submit(over.wait, 30)
    noted(running.audit, f"/ltv {secret} xoxb-12-34")
    running.stop(1)
    noted(running.audit, "/ltv too late")  # and no error
    over.set()
    assert [row.about for row in log(store)] == ["/ltv … xoxb-…"]


# Clicks


def test_taking_an_alert_is_recorded_with_the_change(bot: Bench) -> None:
    message = newest(bot)
    before = len(log(bot.store))
    click(bot, message)
    click(bot, message, user="U2", stale=True)
    ((_, *taken), (_, *late)) = since(bot, before)
    assert taken == [
        "acknowledged",
        ANTALPHA,
        {
            "act": "acknowledge",
            "level": "warning",
            "ltv_pct": "70.35",
            "price_usd": "61000.00",
            "reason": "taken",
            "said": taken[2]["said"],
            "tier": "early warning",
        },
    ]
    assert taken[2]["said"].startswith("Antalpha is at its early warning: LTV 70.35 %")
    assert late == ["clicked", ANTALPHA, {"act": "acknowledge", "reason": "already_taken"}]
    assert [row.actor for row in log(bot.store)[before:]] == ["U1", "U2"]


def test_a_snooze_says_until_when(bot: Bench) -> None:
    message = newest(bot)
    before = len(log(bot.store))
    click(bot, message, SNOOZE, value=snooze_value(message, "1h"))
    ((actor, what, about, detail),) = since(bot, before)
    assert (actor, what, about, detail["until"]) == ("U1", "snoozed", ANTALPHA, "2026-02-07T13:00:00Z")


def test_a_click_that_changes_nothing_is_recorded_with_the_reason(bot: Bench) -> None:
    message = newest(bot)
    at_the_call_line(bot)
    before = len(log(bot.store))
    click(bot, message, stale=True)
    click(bot, message, value="99 2.0", stale=True)
    click(bot, message, value="none of ours", stale=True)
    worse, closed, unknown = since(bot, before)
    assert worse == ("U1", "clicked", ANTALPHA, {"act": "acknowledge", "reason": "seen_less"})
    assert closed == ("U1", "clicked", "alert 99", {"act": "acknowledge", "reason": "not_open"})
    assert unknown[:3] == ("U1", "clicked", "Acknowledge")
    assert "not understood" in unknown[3]["wrong"]


def test_saying_that_no_notice_came_is_that_persons_act(bot: Bench) -> None:
    at_the_call_line(bot)
    bot.clock.passes(60)
    bot.checks(62_000)
    before = len(log(bot.store))
    click(bot, newest(bot), NO_NOTICE, user="U2")
    ((actor, what, about, detail),) = since(bot, before)
    assert (actor, what, about) == ("U2", "eased", ANTALPHA)
    assert (detail["act"], detail["reason"]) == ("no_notice", "no_notice")


def test_looking_at_a_plan_is_recorded_with_its_alert(bot: Bench) -> None:
    before = len(log(bot.store))
    click(bot, newest(bot), PLAN, user="U2")
    assert since(bot, before) == [("U2", "clicked", ANTALPHA, {"act": "plan", "channel": "C1"})]


def test_a_guest_who_clicks_is_recorded_and_changes_nothing(bot: Bench) -> None:
    before = len(log(bot.store))
    click(bot, newest(bot), user="U4")
    ((actor, what, about, detail),) = since(bot, before)
    assert (actor, what, about) == ("U4", "refused", "Acknowledge")
    assert "you are a guest here" in detail["reason"]


# Silences


SILENCE: dict[str, Any] = {
    fields.CHECKS_BLOCK: ["covenant"],
    fields.SUBJECTS_BLOCK: ["antalpha"],
    fields.UNTIL_BLOCK: "4h",
    fields.REASON_BLOCK: "standstill",
}


def test_a_silence_is_recorded_as_it_is_made_and_with_what_it_quiets(bot: Bench) -> None:
    before = len(log(bot.store))
    view = dialog(bot)
    assert bot.slack.submit_view(view.id, SILENCE | {fields.REASON_BLOCK: " \t"}).ok
    assert bot.slack.submit_view(view.id, SILENCE).ok
    asked, wrong, silenced, *follows = since(bot, before)
    assert asked == ("U1", "asked", "/alerts silence", {"channel": "C1"})
    assert wrong[:3] == ("U1", "submitted", "Silence")
    assert wrong[3]["wrong"][fields.REASON_BLOCK].startswith("Say why")
    assert silenced == (
        "U1",
        "silenced",
        "Covenants of antalpha",
        {
            "silence": 1,
            "checks": ["covenant"],
            "subjects": ["antalpha"],
            "until": "2026-02-07T16:00:00Z",
            "reason": "standstill",
        },
    )
    assert [row[:3] for row in follows] == [("plimsoll", "noted", ANTALPHA)]


def test_ending_a_silence_is_recorded_and_ending_it_again_changes_nothing(bot: Bench) -> None:
    assert bot.slack.submit_view(dialog(bot).id, SILENCE).ok
    lists = []
    for user in ("U1", "U2"):
        bot.slack.command("/alerts", user=user)
        lists.append(bot.slack.ephemerals(user)[-1])
    bot.quiet()
    before = len(log(bot.store))
    bot.slack.click(lists[1].ts, "silence_end", user="U2")
    bot.slack.click(lists[0].ts, "silence_end", user="U1")
    ended, *follows, again = since(bot, before)
    assert ended == ("U2", "silence ended", "Covenants of antalpha", {"silence": 1})
    assert [row[0] for row in follows] == ["plimsoll"] * len(follows)
    assert again == ("U1", "clicked", "silence 1", {"act": "end", "reason": "not_in_force"})


# Checks


def test_what_checks_change_is_recorded_and_new_numbers_alone_are_not(bot: Bench) -> None:
    assert [(row.actor, row.what, row.about) for row in log(bot.store)] == [("plimsoll", "opened", ANTALPHA)]
    opened = json.loads(log(bot.store)[0].detail)
    assert opened["said"].startswith("Antalpha is at its early warning: LTV 70.")
    for _ in range(3):  # each is an edit of the message
        bot.clock.passes(61)
        bot.checks(60_900)
        bot.clock.passes(61)
        bot.checks(61_000)
    assert len(log(bot.store)) == 1
    at_the_call_line(bot)
    changed = [(row.actor, row.what, row.about) for row in log(bot.store)][1:]
    assert ("plimsoll", "worse", ANTALPHA) in changed
    assert len(changed) == len(set(changed))


# The command line


@pytest.fixture(scope="session")
def audited_database(recorded_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A treasury recorded by the command, and two more imports by two people."""
    directory = tmp_path_factory.mktemp("audited")
    (directory / "var").mkdir()
    shutil.copy(recorded_database, directory / "var")
    for number, user in ((1, "ada"), (2, "=cmd")):
        (directory / f"more-{number}.toml").write_text(movement(number))
        done = run_plimsoll(directory, "import", f"more-{number}.toml", USER=user)
        assert done.code == 0, done.err
    return directory


@pytest.fixture
def audited(audited_database: Path, tmp_path: Path) -> Path:
    """A directory with that database in it."""
    shutil.copytree(audited_database, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs_put_back: None
) -> Plimsoll:
    """A command in this very process, quicker than one of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **settings: str) -> Ran:
        capsys.readouterr()
        with monkeypatch.context() as environment:
            for name, value in settings.items():
                environment.setenv(name, value)
            code = main(arguments)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run


def movement(number: int) -> str:
    head = CONTRACT.read_text()
    return head[: head.index("[policy]")] + (
        f'[[movement]]\nat = 2026-02-0{number}T00:00:00Z\nkind = "mined"\nbtc = "0.01"\n'
        f'account = "custody"\nref = "mined {number}"\n'
    )


def database(directory: Path) -> sqlite3.Connection:
    return sqlite3.connect(directory / "var" / "plimsoll.db", isolation_level=None)


def tamper(directory: Path, *statements: str) -> None:
    connection = database(directory)
    for name in ("audit_keeps_rows", "audit_keeps_words"):
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def exported(ran: Ran) -> list[dict[str, str]]:
    assert (ran.code, ran.err) == (0, "")
    return list(csv.DictReader(io.StringIO(ran.out, newline="")))


def test_an_import_is_recorded_with_who_what_and_the_files_hash(audited: Path, here: Plimsoll) -> None:
    first, *more = exported(here("audit", "export"))
    assert (first["number"], first["actor"], first["what"], first["about"]) == ("1", "cli", "imported", "contract.toml")
    assert [(row["actor"], row["about"]) for row in more] == [("cli:ada", "more-1.toml"), ("cli:=cmd", "more-2.toml")]
    detail = json.loads(more[0]["detail"])
    assert detail["sha256"] == hashlib.sha256((audited / "more-1.toml").read_bytes()).hexdigest()
    assert (detail["changes"], detail["lines"]) == (1, ["+ movement “mined 1”: mined 0.01 BTC into custody"])
    assert json.loads(first["detail"])["changes"] > 5


def test_what_an_import_does_not_change_it_does_not_record(audited: Path, here: Plimsoll) -> None:
    (audited / "bad.toml").write_text(movement(1).replace('"0.01"', '"0.02"'))
    assert here("import", "bad.toml").code == 2
    assert here("import", "more-1.toml").out == "Nothing new\n"
    assert here("import", "more-1.toml", "--dry-run").code == 0
    assert here("audit", "verify", "--json").json["entries"] == 3


def test_a_file_is_no_formula(audited: Path, here: Plimsoll) -> None:
    (audited / "=1+1.toml").write_text(movement(3))
    assert here("import", "=1+1.toml").code == 0
    assert exported(here("audit", "export"))[-1]["about"] == "'=1+1.toml"


def test_verify_says_how_many_and_gives_the_head(audited: Path, here: Plimsoll) -> None:
    rows = exported(here("audit", "export"))
    head = rows[-1]["hash"]
    assert here("audit", "verify") == Ran(0, f"3 entries, unbroken; head {head} (number 3)\n", "")
    noted = here("audit", "verify", "--head", rows[1]["hash"][:16].upper())
    assert noted == Ran(0, f"3 entries, unbroken; head {head} (number 3); --head is entry 2\n", "")
    assert here("audit", "verify", "--head", head, "--json").json == {
        "unbroken": True,
        "entries": 3,
        "head": {"number": 3, "hash": head},
        "named": 3,
        "fault": None,
    }


@pytest.mark.parametrize(
    ("statement", "number", "how", "says"),
    [
        (
            "UPDATE audit SET actor = 'cli:sam' WHERE number = 2",
            2,
            "edited",
            "Entry 2 was edited: its hash does not fit what it says. Entry 1 is unbroken.\n",
        ),
        (
            "DELETE FROM audit WHERE number = 1",
            1,
            "missing",
            "Entry 1 is missing: the one after it is there.\n",
        ),
        (
            "DELETE FROM audit WHERE number = 3",
            3,
            "cut",
            "The chain ends at 2, but --head names an entry that is not in it: it was cut, or written anew. "
            "Entries 1 to 2 are unbroken.\n",
        ),
    ],
)
def test_what_somebody_does_to_a_row_is_found_and_named(
    audited: Path, here: Plimsoll, statement: str, number: int, how: str, says: str
) -> None:
    head = here("audit", "verify", "--json").json["head"]["hash"]
    tamper(audited, statement)
    assert run_plimsoll(audited, "audit", "verify", "--head", head) == Ran(1, "", says)
    told = here("audit", "verify", "--head", head, "--json")
    assert (told.code, told.json["unbroken"]) == (1, False)
    assert (told.json["fault"]["number"], told.json["fault"]["how"]) == (number, how)


def test_the_database_itself_refuses_to_change_a_row(audited: Path, here: Plimsoll) -> None:
    connection = database(audited)
    for statement in ("UPDATE audit SET actor = 'me'", "DELETE FROM audit WHERE number = 3"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_export_takes_the_treasurys_days(audited: Path, here: Plimsoll) -> None:
    """Chicago's: six hours behind."""
    moments = ["2026-02-01T05:59:59.000000Z", "2026-02-01T06:00:00.000000Z", "2026-02-02T06:00:00.000000Z"]
    tamper(
        audited,
        *(
            f"UPDATE audit SET at = '{at}' WHERE number = {n}"  # noqa: S608
            for n, at in enumerate(moments, 1)
        ),
    )

    def numbers(*arguments: str) -> list[str]:
        return [row["number"] for row in exported(here("audit", "export", *arguments))]

    assert numbers("--from", "2026-02-01") == ["2", "3"]
    assert numbers("--to", "2026-02-02") == ["1", "2"]
    assert numbers("--from", "2026-02-01", "--to", "2026-02-02") == ["2"]
    assert numbers("--from", "2027-02-01") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("verify", "--head", "abc"), "--head “abc” is no hash of an entry; write its 64 hexadecimal digits"),
        (("verify", "--head", "g" * 64), "is no hash of an entry"),
        (("export", "--from", "yesterday"), "--from “yesterday” is no date; write it as 2026-02-01"),
        (("export", "--from", "2026-02-02", "--to", "2026-02-02"), "is not before --to 2026-02-02"),
        (("export", "--to", "0001-01-01"), "--to 0001-01-01 is out of range"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(
    audited: Path, here: Plimsoll, arguments: tuple[str, ...], says: str
) -> None:
    refused = here("audit", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert says in refused.err
    assert refused.err.count("\n") == 1


def test_before_any_import_there_is_nothing(here: Plimsoll) -> None:
    assert here("audit", "verify") == Ran(1, "", NOTHING_YET)
    assert here("audit", "export") == Ran(1, "", NOTHING_YET)
    assert here("db", "upgrade").code == 0
    assert here("audit", "verify") == Ran(0, "No entries yet\n", "")
    assert exported(here("audit", "export")) == []


def test_a_question_on_the_command_line_changes_nothing(audited: Path, here: Plimsoll) -> None:
    before = here("audit", "verify").out
    assert here("holdings", "--at", OPENED).code == 0
    assert here("audit", "verify").out == before


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_postgresql_has_it_too(here: Plimsoll, database_url: str) -> None:
    assert here("import", str(CONTRACT), DATABASE_URL=database_url, USER="ada").code == 0
    (row,) = exported(here("audit", "export", DATABASE_URL=database_url))
    told = here("audit", "verify", "--head", row["hash"], DATABASE_URL=database_url)
    assert told == Ran(0, f"1 entry, unbroken; head {row['hash']} (number 1); --head is entry 1\n", "")


def test_no_secret_of_the_settings_gets_in(here: Plimsoll, tmp_path: Path) -> None:
    (tmp_path / "hunter2222.toml").write_text(CONTRACT.read_text().replace("Example Mining", "hunter2222 xoxb-1-2"))
    assert here("import", "hunter2222.toml", SLACK_SIGNING_SECRET="hunter2222").code == 0
    (row,) = exported(here("audit", "export"))
    assert row["about"] == "….toml"
    assert "hunter2222" not in row["detail"]
    assert "xoxb-1" not in row["detail"]
