"""From the forms of what is agreed anew to the fact: terms from a day on, a waiver, a note of the lender's index."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.domain.agreed import Agreed, Amendment, amended_on, fingerprint, in_force
from bot.domain.book import Book
from bot.domain.facts import TERMS_CHANGED
from bot.domain.terms import Facility
from bot.services.agreeing import Agreements
from bot.services.errors import FactRefusedError
from bot.slack.asked import Asked
from bot.slack.record_forms import AMENDMENT, WAIVER
from bot.slack.record_reading import Values, WrongFieldsError, said_in
from bot.slack.term_fields import TermAsk, TermField, field_at, term_fields, typed_terms
from bot.slack.text import one_line

CARRIED = ("facility", "effective", "terms")
"""What a form of terms brings back besides the terms: whose, from when, and what was in force when it was opened."""
AMENDED = "It is amended from that day on already, and an amendment stays; choose another day."
MOST_FIELDS = 95
"""A dialog has room for 100 blocks."""


def agreed_of(agreements: Agreements, kind: str, values: Values, book: Book) -> Agreed:
    """The fact. WrongFieldsError, FactRefusedError: what is wrong, by field."""
    if kind == AMENDMENT:
        return amendment_of(agreements, values, book)
    said = said_in(kind, values, book)
    facility = book.treasury.facility_by_id[said.pop("facility")]
    make = agreements.waived if kind == WAIVER else agreements.indexed
    return make(book.treasury, facility, said)


def day_of_amendment(values: Values, book: Book) -> tuple[Facility, date]:
    """Whose terms are to be amended, from which day on. WrongFieldsError."""
    said = said_in(AMENDMENT, values, book)
    facility, day = book.treasury.facility_by_id[said["facility"]], said["effective"]
    if amended_on(facility, day):
        raise WrongFieldsError({"effective": AMENDED})
    if len(term_fields(in_force(facility, day))) > MOST_FIELDS:
        raise WrongFieldsError({"facility": "It has more lines than a dialog has room for; amend it by a file."})
    return facility, day


def carried_with(facility: Facility, day: date) -> dict[str, str]:
    """What a form of the terms in force on `day` brings back."""
    return {"facility": facility.id, "effective": day.isoformat(), "terms": fingerprint(in_force(facility, day))}


def changed_terms(asked: Asked, carried: Values, book: Book) -> dict[str, str]:
    """What was carried, and of the terms what is not as it was shown."""
    typed = {field.name: (field, _typed(asked.value(field.block), field)) for field in amended_fields(carried, book)}
    changed = {name: text for name, (field, text) in typed.items() if text != field.shown}
    return {name: str(carried.get(name, "")) for name in CARRIED} | changed


def _typed(value: Mapping[str, Any], field: TermField) -> str:
    if field.ask is TermAsk.INTEREST:
        option = value.get("selected_option")
        return str(option.get("value") or "") if isinstance(option, Mapping) else ""
    typed = value.get("selected_date" if field.ask is TermAsk.DAY else "value")
    return one_line(typed) if isinstance(typed, str) else ""


def amended_fields(values: Values, book: Book) -> list[TermField]:
    """The fields of the terms that a form was opened for, as they are in force now. FactRefusedError."""
    facility, day = _opened_for(values, book)
    return term_fields(in_force(facility, day))


def amendment_of(agreements: Agreements, values: Values, book: Book) -> Amendment:
    """The amendment. WrongFieldsError, FactRefusedError: what is wrong, by term or by the key of a file."""
    facility, day = _opened_for(values, book)
    before = in_force(facility, day)
    after = typed_terms(before, {name: str(value) for name, value in values.items() if name not in CARRIED})
    recorded = amended_on(facility, day)
    if recorded is not None and recorded.terms != after:
        raise FactRefusedError([("effective", AMENDED)])
    if after == before:
        raise FactRefusedError([("", "Nothing differs from what is in force that day; change a term, or cancel.")])
    return agreements.amendment(book.treasury, facility, day, after)


def _opened_for(values: Values, book: Book) -> tuple[Facility, date]:
    """Whose terms, from which day on; FactRefusedError where those in force then are not the ones that were shown."""
    try:
        said = said_in(AMENDMENT, values, book)
    except WrongFieldsError as wrong:
        raise FactRefusedError(list(wrong.wrong.items())) from wrong
    facility, day = book.treasury.facility_by_id[said["facility"]], said["effective"]
    if fingerprint(in_force(facility, day)) != values.get("terms"):
        raise FactRefusedError([("effective", TERMS_CHANGED)])
    return facility, day


def block_of(fields: list[TermField], name: str) -> str:
    """The block of a field; of one that is not there any more, the first."""
    return next((field.block for field in fields if field.name == name), fields[0].block)


def by_block(fields: list[TermField], refused: FactRefusedError) -> dict[str, str]:
    """What is wrong, under the field that it is about; what is about none, under the first."""
    shown: dict[str, list[str]] = {}
    for path, text in refused.faults:
        shown.setdefault(field_at(fields, path).block, []).append(text)
    return {block: " ".join(dict.fromkeys(texts)) for block, texts in shown.items()}
