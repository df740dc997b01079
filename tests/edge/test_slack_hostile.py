"""What somebody types or sends to be taken for more than it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from bot.store.store import Store

from .test_slack_bench import Bench, bench


@pytest.fixture
def database_kind() -> str:
    """One is enough: nothing here reaches it."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    """A bot that knows its people and has a treasury and a price."""
    with bench(store) as made:
        made.imports()
        made.price(68_500)
        made.knows("U1")
        yield made


COMMANDS = ("/ltv", "/holdings", "/production", "/alerts", "/digest", "/plimsoll")
MARKS = (
    "\x02@U2|sam\x03",
    "\x02#C2|escalation\x03",
    "\x02^S1|officers\x03",
    "\x022026-02-07T12:00:00Z|Sat 12:00\x03",
    "\x02never|never\x03",
)


def test_marks_of_ours_that_somebody_types_are_letters(bot: Bench) -> None:
    for command, typed in product(COMMANDS, MARKS):
        answer = bot.slack.command(f"{command} x{typed}x")
        assert answer.text.startswith("“x"), (command, typed, answer.text)
        assert "<" not in answer.text, (command, typed)
        assert "<" not in str(answer.blocks), (command, typed)


def test_a_persons_word_is_repeated_without_what_turns_a_line_around(bot: Bench) -> None:
    answer = bot.slack.command("/ltv \u202eatlahp\u2066la")
    assert answer.text.startswith("“atlahp la” is not a facility.")
