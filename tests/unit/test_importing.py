"""An import is one transaction: it reads the file on top of what is recorded, and writes all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.audit import Entry
from bot.domain.treasury import Treasury
from bot.services.errors import RefusedError
from bot.services.importing import import_file, try_file
from bot.treasury_file import TreasuryFile, TreasuryFileError, read_file

CONTRACT = (Path(__file__).parent / "contract.toml").read_text(encoding="utf-8")
NOON = datetime(2026, 2, 12, 12, tzinfo=UTC)
HEAD = CONTRACT[: CONTRACT.index("[policy]")]
COST = '[[movement]]\nat = 2026-02-{}T00:00:00Z\nkind = "cost"\nusd = "{}"\naccount = "custody"\nref = "{}"\n'


class Register:
    """What a store keeps of an import, in memory: what is written inside a failed transaction is undone."""

    def __init__(self) -> None:
        self.kept: Treasury | None = None
        self.written: list[tuple[object, ...]] = []
        self.audited: list[Entry] = []

    @contextmanager
    def writing(self) -> Iterator[Register]:
        before = self.kept, list(self.written)
        try:
            yield self
        except BaseException:
            self.kept, self.written = before
            raise

    @contextmanager
    def reading(self) -> Iterator[Register]:
        yield self

    def treasury(self) -> Treasury | None:
        return self.kept

    def apply(self, new: Treasury, *, at: datetime, by: str, source: str, lines: tuple[str, ...] = ()) -> bool:
        self.kept = new
        self.written.append((at, by, source, *lines))
        return True

    def revision(self) -> int:
        return len(self.written)

    def enqueue(self, **_: object) -> int:
        raise AssertionError("no channel is named, so none is told")

    def add_audit(self, entry: Entry) -> None:
        self.audited.append(entry)


class AtNoon:
    def now(self) -> datetime:
        return NOON


def importing(store: Register, text: str) -> tuple[str, ...]:
    return import_file(store, read_file, "treasury.toml", text, clock=AtNoon(), by="U1")


@pytest.fixture
def store() -> Register:
    register = Register()
    importing(register, CONTRACT)
    return register


def test_it_says_and_records_what_it_adds(store: Register) -> None:
    lines = importing(store, HEAD + COST.format("09", "5", "rent"))
    assert lines == ("+ movement “rent”: spent $5.00 from custody",)
    assert store.written[-1] == (NOON, "U1", "treasury.toml", *lines)
    assert store.kept is not None
    assert [movement.ref for movement in store.kept.movements] == ["sale 1", "repayment 1", "rent"]


@pytest.mark.parametrize("text", [CONTRACT, HEAD])
def test_what_is_recorded_already_writes_nothing(store: Register, text: str) -> None:
    assert importing(store, text) == ()
    assert len(store.written) == 1


def test_a_file_may_rest_on_the_one_before(store: Register) -> None:
    importing(store, HEAD + COST.format("09", "5", "rent"))
    undo = '[[movement]]\nat = 2026-02-10T00:00:00Z\nreverses = "rent"\nref = "undo"\n'
    assert importing(store, HEAD + undo) == ("+ movement “undo”: reverses “rent”",)


def test_a_refusal_names_its_place_and_writes_nothing(store: Register) -> None:
    before = store.kept
    with pytest.raises(RefusedError) as refused:
        importing(store, HEAD + COST.format("09", "5", "rent") + COST.format("10", "20000000", "site"))
    assert refused.value.lines == [
        "treasury.toml: movement[2] “site”: usd: account “custody” has $9,999,995.00 at 2026-02-10T00:00:00Z, and "
        "$20,000,000.00 leaves it; at most $9,999,995.00 can."
    ]
    assert (store.kept, len(store.written)) == (before, 1)


def test_what_was_recorded_while_a_file_was_judged_counts(store: Register) -> None:
    """Both files spend all the cash; the second one had begun before the first was recorded."""
    first, second = (HEAD + COST.format("09", "10000000", ref) for ref in ("rent", "site"))
    judged: list[Treasury | None] = []

    def read(name: str, text: str, known: Treasury | None = None) -> TreasuryFile:
        judged.append(known)
        if len(judged) == 1:
            importing(store, first)
        return read_file(name, text, known)

    with pytest.raises(RefusedError, match="“site”: usd: account “custody” has"):
        import_file(store, read, "treasury.toml", second, clock=AtNoon(), by="U1")
    assert len(judged) == 2
    assert store.kept is not None
    assert [movement.ref for movement in store.kept.movements][2:] == ["rent"]


def test_a_faulty_file_writes_nothing(store: Register) -> None:
    with pytest.raises(TreasuryFileError):
        importing(store, HEAD + COST.format("09", "0", "rent"))
    assert len(store.written) == 1


def test_a_part_is_no_first_file() -> None:
    with pytest.raises(TreasuryFileError, match="there is no account “custody”"):
        importing(Register(), HEAD + COST.format("09", "5", "rent"))


def test_trying_says_the_same_and_writes_nothing(store: Register) -> None:
    text = HEAD + COST.format("09", "5", "rent")
    assert try_file(store.kept, read_file, "treasury.toml", text).lines == (
        "+ movement “rent”: spent $5.00 from custody",
    )
    assert len(store.written) == 1
