"""The audit log's chain, held against a second reckoning of its hashes: whatever is done to it is found, and where."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.audit import cell
from bot.domain.audit import (
    FIRST_BEFORE,
    LONGEST,
    MOST,
    Break,
    Entry,
    Head,
    Sealed,
    What,
    canonical,
    sealed,
    verify,
)
from bot.domain.transitions import Change

NOON = datetime(2026, 2, 7, 12, tzinfo=UTC)
ORDER = ("number", "at", "actor", "what", "about", "detail", "before")
TEXTS = ("at", "actor", "what", "about", "detail", "before", "hash")

texts = st.text(st.characters(codec="utf-8"), max_size=12)
details = st.dictionaries(texts, st.one_of(texts, st.integers(), st.none(), st.booleans(), st.lists(texts)), max_size=3)
entries = st.builds(
    Entry,
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    actor=texts,
    what=st.sampled_from(What),
    about=texts,
    detail=details,
)
chains = st.lists(entries, min_size=1, max_size=8)


def chained(told: list[Entry]) -> list[Sealed]:
    rows: list[Sealed] = []
    for entry in told:
        rows.append(sealed(entry, rows[-1].head if rows else None))
    return rows


def reckoned(row: Sealed) -> str:
    """The hash by the words of docs/audit.md, and by none of the code."""
    digest = hashlib.sha256()
    for field in ("plimsoll audit 1", *(str(getattr(row, name)) for name in ORDER)):
        said = field.encode()
        digest.update(str(len(said)).encode() + b":" + said + b",")
    return digest.hexdigest()


def first_wrong(rows: list[Sealed]) -> int | None:
    """Which entry a second reader of the log would name."""
    before, expected = FIRST_BEFORE, 1
    for row in rows:
        if row.number != expected:
            return min(row.number, expected)
        if row.hash != reckoned(row) or row.before != before:
            return row.number
        before, expected = row.hash, expected + 1
    return None


def found(rows: list[Sealed], head: str | None = None) -> int | None:
    fault = verify(sorted(rows, key=lambda row: row.number), head).fault
    return fault.number if fault else None


@given(chains)
def test_what_was_written_is_unbroken_and_every_hash_is_what_the_page_says(told: list[Entry]) -> None:
    rows = chained(told)
    assert [row.number for row in rows] == list(range(1, len(told) + 1))
    assert [row.hash for row in rows] == [reckoned(row) for row in rows]
    assert [row.before for row in rows] == [FIRST_BEFORE, *(row.hash for row in rows[:-1])]
    verdict = verify(rows)
    assert (verdict.entries, verdict.head, verdict.fault) == (len(rows), rows[-1].head, None)


@given(chains, st.data())
def test_an_edit_of_any_column_is_found_in_its_row(told: list[Entry], data: st.DataObject) -> None:
    rows = chained(told)
    place = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(TEXTS))
    was = getattr(rows[place], name)
    rows[place] = replace(rows[place], **{name: data.draw(texts.filter(lambda text: text != was))})
    fault = verify(rows).fault
    assert fault is not None
    assert (fault.number, fault.how) == (place + 1, Break.EDITED)
    assert first_wrong(rows) == place + 1


@given(chains, st.data())
def test_a_character_that_moves_to_the_next_column_is_found(told: list[Entry], data: st.DataObject) -> None:
    rows = chained([replace(entry, actor=f"{entry.actor}x") for entry in told])
    place = data.draw(st.integers(0, len(rows) - 1))
    row = rows[place]
    rows[place] = replace(row, actor=row.actor[:-1], what=f"x{row.what}")
    assert found(rows) == place + 1


@given(chains, st.data())
def test_another_number_is_found(told: list[Entry], data: st.DataObject) -> None:
    rows = chained(told)
    place, number = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(-3, len(rows) + 3))
    taken = {row.number for row in rows}
    if number in taken:
        return
    rows[place] = replace(rows[place], number=number)
    assert found(rows) == first_wrong(sorted(rows, key=lambda row: row.number)) is not None


@given(chains.filter(lambda told: len(told) > 1), st.data())
def test_what_is_deleted_is_missed_whether_or_not_the_rest_closes_up(told: list[Entry], data: st.DataObject) -> None:
    rows = chained(told)
    place = data.draw(st.integers(0, len(rows) - 2))  # the last one is a cut: see below
    del rows[place]
    fault = verify(rows).fault
    assert fault is not None
    assert (fault.number, fault.how) == (place + 1, Break.MISSING)
    closed_up = [replace(row, number=number) for number, row in enumerate(rows, 1)]
    assert found(closed_up) == first_wrong(closed_up) == place + 1


@given(chains, entries, st.data())
def test_what_is_put_in_between_is_found_even_with_a_seal_of_its_own(
    told: list[Entry], new: Entry, data: st.DataObject
) -> None:
    rows = chained(told)
    place = data.draw(st.integers(0, len(rows) - 1))
    forged = sealed(new, rows[place - 1].head if place else None)
    moved = [replace(row, number=row.number + 1) for row in rows[place:]]
    forgery = [*rows[:place], forged, *moved]
    assert found(forgery) == first_wrong(forgery) == place + 2


@given(chains.filter(lambda told: len(told) > 1), st.data())
def test_an_entry_that_is_put_in_anothers_place_with_a_new_seal_breaks_the_next(
    told: list[Entry], data: st.DataObject
) -> None:
    rows = chained(told)
    place = data.draw(st.integers(0, len(rows) - 2))
    told[place] = replace(told[place], actor=f"{told[place].actor}!")
    rows[place] = sealed(told[place], rows[place - 1].head if place else None)
    fault = verify(rows).fault
    assert fault is not None
    assert (fault.number, fault.how) == (place + 2, Break.OUT_OF_ORDER)
    assert first_wrong(rows) == place + 2


@given(chains.filter(lambda told: len(told) > 1), st.randoms(use_true_random=False))
def test_another_order_is_found(told: list[Entry], random: Any) -> None:
    rows = chained(told)
    shuffled = rows[:]
    random.shuffle(shuffled)
    renumbered = [replace(row, number=number) for number, row in enumerate(shuffled, 1)]
    assert found(renumbered) == first_wrong(renumbered)
    assert (found(renumbered) is None) == (shuffled == rows)


@given(chains, st.data())
def test_a_cut_is_found_by_a_head_noted_before_it(told: list[Entry], data: st.DataObject) -> None:
    rows = chained(told)
    kept = data.draw(st.integers(0, len(rows)))
    noted = data.draw(st.integers(1, len(rows)))
    head = rows[noted - 1].hash[: data.draw(st.integers(16, 64))]
    verdict = verify(rows[:kept], head)
    assert verdict.entries == kept
    if noted <= kept:
        assert (verdict.fault, verdict.named) == (None, noted)
    else:
        assert verdict.fault is not None
        assert (verdict.fault.number, verdict.fault.how) == (kept + 1, Break.CUT)


@given(chains)
def test_a_chain_written_anew_is_found_by_a_head_alone(told: list[Entry]) -> None:
    head = chained(told)[-1].hash
    anew = chained([replace(told[0], about=f"{told[0].about}!"), *told[1:]])
    assert found(anew) is None
    assert found(anew, head) == len(anew) + 1


@given(st.builds(Sealed, st.integers(), *[texts] * 7), st.builds(Sealed, st.integers(), *[texts] * 7))
def test_two_rows_that_differ_are_written_differently(one: Sealed, other: Sealed) -> None:
    assert (canonical(one) == canonical(other)) == (replace(one, hash="") == replace(other, hash=""))


def test_nothing_is_no_chain() -> None:
    assert verify([]) == verify([], None)
    assert verify([]).head is None
    cut = verify([], "0" * 16).fault
    assert cut is not None
    assert cut.text.startswith("There are no entries, but --head names an entry")


@pytest.mark.parametrize("typed", ["\x00", "a\x00b", "\ud83d", "\ud83d\ude00", "x" * 5_000, "é" * 5_000, "\x1b[2J"])
def test_whatever_is_typed_can_be_stored_and_is_bounded(typed: str) -> None:
    row = sealed(Entry(NOON, "U1", What.ASKED, typed, {typed: typed, "deep": [{"er": typed}]}), None)
    for text in (row.about, row.detail, *json.loads(row.detail)):
        assert "\x00" not in text
        text.encode()
    assert len(row.about) <= LONGEST
    assert len(json.loads(row.detail)["deep"][0]["er"]) <= LONGEST


def test_a_long_list_says_what_is_left_out() -> None:
    row = sealed(Entry(NOON, "U1", What.IMPORTED, "f", {"lines": [str(n) for n in range(MOST + 7)]}), None)
    assert json.loads(row.detail)["lines"][MOST:] == ["… and 7 more"]


def test_secrets_are_taken_out_of_all_that_is_said() -> None:
    def clean(value: Any) -> Any:
        return json.loads(json.dumps(value).replace("s3cret", "…"))

    row = sealed(
        Entry(NOON, "cli:s3cret", What.ASKED, "/ltv s3cret", {"a": ["s3cret", {"b": "my s3cret"}]}), None, clean
    )
    assert "s3cret" not in str(asdict(row))
    assert row.about == "/ltv …"


def test_instants_are_utc_to_the_microsecond_and_never_naive() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=-6)))
    assert sealed(Entry(there, "U1", What.ASKED, "/ltv"), None).at == "2026-02-07T12:00:00.000000Z"
    with pytest.raises(ValueError, match="no time zone"):
        sealed(Entry(NOON.replace(tzinfo=None), "U1", What.ASKED, "/ltv"), None)


def test_the_seal_never_changes() -> None:
    """What was written years ago must still be whole."""
    entry = Entry(NOON, "U1", What.ACKNOWLEDGED, "covenant:antalpha", {"level": "critical", "act": "acknowledge"})
    assert asdict(sealed(entry, Head(41, "ab" * 32))) == {
        "number": 42,
        "at": "2026-02-07T12:00:00.000000Z",
        "actor": "U1",
        "what": "acknowledged",
        "about": "covenant:antalpha",
        "detail": '{"act":"acknowledge","level":"critical"}',
        "before": "ab" * 32,
        "hash": "aac0874c9a2fb41fab74aec7d30d984c4e8f581d4e4e34340b29a07d8c4a9e00",
    }


def test_every_change_of_an_alert_that_is_recorded_has_its_word() -> None:
    assert {change.value for change in Change} - {what.value for what in What} == {"updated", "kept"}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("/ltv at 55000", "/ltv at 55000"),
        ("", ""),
        ("=cmd|'/c calc'!A0", "'=cmd|'/c calc'!A0"),
        ("+1", "'+1"),
        ("-20%", "'-20%"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "'\t=1+1"),
        (" \r\n=1+1", "' \r\n=1+1"),
        ("＝1+1", "'＝1+1"),  # what a Japanese spreadsheet takes for “=”
        ("'quoted", "''quoted"),
    ],
)
def test_no_cell_is_a_formula(text: str, safe: str) -> None:
    assert cell(text) == safe


@given(st.lists(st.one_of(texts, st.text("'=+-@\t\r\n\" ,;", max_size=6)), min_size=1, max_size=8))
def test_a_table_gives_back_what_was_put_into_it(row: list[str]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerow([cell(text) for text in row])
    (read,) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert not any(one.lstrip()[:1] in "=+-@" for one in read if one.strip())
    assert [one.removeprefix("'") for one in read] == row
