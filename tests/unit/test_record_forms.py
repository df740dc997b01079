"""The forms of `/record` against the ledger's own rules of what each kind takes."""

from __future__ import annotations

import pytest

from bot.domain.ledger_rules import _FIELDS
from bot.domain.treasury import MovementKind
from bot.slack.record_forms import MOVEMENTS


@pytest.mark.parametrize("kind", list(MOVEMENTS))
def test_a_form_has_every_field_of_its_kind_and_no_other(kind: str) -> None:
    fields = {field.name: field for field in MOVEMENTS[kind].fields}
    rule = _FIELDS[MovementKind(kind)]
    either = {"btc", "usd"} if rule.one_of else set()
    assert fields.keys() == {*rule.needs, *rule.may, *either, "at", "ref", "note"}
    needed = {*rule.needs, "at", "ref", *({"note"} if kind == "reversal" else ())}
    assert {name for name, field in fields.items() if not field.optional} == needed
