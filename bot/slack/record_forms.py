"""What can be recorded from Slack, and which fields each kind asks for: the names are those of the treasury file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.roles import Role
from bot.domain.treasury import MovementKind


class Ask(StrEnum):
    """How a field is asked for."""

    ACCOUNT = "account"
    FACILITY = "facility"
    EXPOSURE = "exposure"
    """A facility, or a group of them."""
    LINE = "line"
    TRANSIT = "transit"
    """Something that was sent and is not credited."""
    MOVEMENT = "movement"
    """A movement that can be undone."""
    CALL = "call"
    """An open call."""
    END = "end"
    """What became of a call."""
    BTC = "btc"
    USD = "usd"
    MONTH = "month"
    WHEN = "when"
    UNTIL = "until"
    """As `WHEN`, of what is ahead: nothing is filled in."""
    DAY = "day"
    TEXT = "text"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `name` is what the fact calls it."""

    name: str
    label: str
    ask: Ask
    optional: bool = False
    hint: str = ""

    @property
    def block(self) -> str:
        return f"record_{self.name}"


@dataclass(frozen=True, slots=True)
class Form:
    """What one kind asks. `label` is it in the list of kinds, `title` (at most 24 characters) over its dialog.

    `needs` is the role that recording it takes.
    """

    label: str
    title: str
    fields: tuple[Field, ...]
    needs: Role = Role.OPERATOR


def _may(field: Field) -> Field:
    return replace(field, optional=True)


_AT = Field("at", "When", Ask.WHEN, hint="In your own time zone, as Slack shows it.")
_REF = Field("ref", "Reference", Ask.TEXT, hint="Transaction id, or the bank's or lender's reference: recorded once.")
_NOTE = _may(Field("note", "Note", Ask.LONG))
_LAST = (_AT, _REF, _NOTE)
_FROM = Field("account", "From account", Ask.ACCOUNT)
_INTO = Field("account", "Into account", Ask.ACCOUNT)
_FACILITY = Field("facility", "Facility", Ask.FACILITY)
_BTC = Field("btc", "Coins (BTC)", Ask.BTC)
_USD = Field("usd", "Dollars (USD)", Ask.USD)
_ONE = "Coins or dollars, one of the two."
_EITHER = (replace(_BTC, optional=True, hint=_ONE), replace(_USD, optional=True, hint=_ONE))
_OF = _may(Field("of", "Out of what was sent", Ask.TRANSIT, hint="It leaves that transit, not the account."))

MOVEMENTS: Mapping[str, Form] = {
    "mined": Form(
        "Coins mined",
        "Coins mined",
        (_INTO, _BTC, _may(Field("site", "Site", Ask.TEXT)), _may(Field("region", "Region", Ask.TEXT)), *_LAST),
    ),
    "sold": Form(
        "Coins sold",
        "Coins sold",
        (
            _BTC,
            replace(_USD, label="Dollars received, net (USD)"),
            Field(
                "account", "Account", Ask.ACCOUNT, hint="Gets the dollars. The coins leave it too, unless they were:"
            ),
            _may(Field("facility", "Pledged to", Ask.FACILITY)),
            _may(Field("gross_usd", "Gross proceeds (USD)", Ask.USD)),
            _may(Field("fee_usd", "Fee (USD)", Ask.USD)),
            _may(Field("fee_btc", "Fee in coins (BTC)", Ask.BTC, hint="On top of the coins sold.")),
            _may(Field("venue", "Venue", Ask.TEXT)),
            _may(Field("order", "Order", Ask.TEXT, hint="Fills that name the same order are told as one sale.")),
            _may(Field("purpose", "Purpose", Ask.TEXT)),
            *_LAST,
        ),
    ),
    "pledged": Form("Coins pledged, credited by the lender", "Coins pledged", (_FACILITY, _BTC, _FROM, _OF, *_LAST)),
    "released": Form("Coins released by a lender", "Coins released", (_FACILITY, _BTC, _INTO, *_LAST)),
    "sent": Form("Sent to a lender, not credited yet", "Sent to a lender", (_FACILITY, *_EITHER, _FROM, *_LAST)),
    "drawn": Form("Loan drawn", "Loan drawn", (_FACILITY, _USD, _INTO, *_LAST)),
    "repaid": Form("Principal repaid in dollars", "Principal repaid", (_FACILITY, _USD, _FROM, _OF, *_LAST)),
    "repaid_in_kind": Form(
        "Principal repaid in coins",
        "Repaid in coins",
        (_FACILITY, _BTC, replace(_USD, label="Debt repaid (USD)"), *_LAST),
    ),
    "interest_paid": Form("Interest paid", "Interest paid", (_FACILITY, _USD, _FROM, _OF, *_LAST)),
    "cost": Form("Cost paid", "Cost paid", (_FROM, *_EITHER, *_LAST)),
    "transfer": Form(
        "Moved between our accounts",
        "Moved between accounts",
        (_FROM, Field("to", "To account", Ask.ACCOUNT), *_EITHER, *_LAST),
    ),
    "adjustment": Form(
        "Adjustment of a balance",
        "Adjustment",
        (
            Field("account", "Account", Ask.ACCOUNT),
            *(replace(one, hint=f"{_ONE} With a minus where it is less.") for one in _EITHER),
            Field("reason", "Reason", Ask.LONG),
            *_LAST,
        ),
    ),
    "reversal": Form(
        "Undo a movement",
        "Undo a movement",
        (
            Field("reverses", "Movement", Ask.MOVEMENT, hint="All of it is undone, at the time below."),
            replace(_NOTE, label="Reason", optional=False),
            _AT,
            _REF,
        ),
    ),
}
"""By the word of `MovementKind`."""

STATEMENT, NOTICE, ANSWER = "statement", "notice", "answer"
AMENDMENT, WAIVER, PRICE_INDEX = "amendment", "waiver", "price_index"

AGREED: Mapping[str, Form] = {
    AMENDMENT: Form(
        "New terms from a day on (amendment)",
        "New terms",
        (
            _FACILITY,
            Field(
                "effective",
                "In force from",
                Ask.DAY,
                hint="From 00:00 where its interest accrues. The terms in force on that day are shown next, to change.",
            ),
        ),
        Role.APPROVER,
    ),
    WAIVER: Form(
        "Waiver of a lender",
        "Waiver of a lender",
        (
            _FACILITY,
            Field("from", "From", Ask.WHEN),
            Field("until", "Until", Ask.UNTIL),
            Field("reason", "Reason", Ask.LONG, hint="Shown with each alert. Alerts are relabelled, none silenced."),
        ),
        Role.APPROVER,
    ),
    PRICE_INDEX: Form(
        "Price index of a lender (note)",
        "Price index of a lender",
        (
            _FACILITY,
            Field("since", "Since", Ask.WHEN),
            Field("note", "Priced by", Ask.LONG, hint="As “CME CF BRR, 16:00 London”. A note: no number changes."),
        ),
        Role.APPROVER,
    ),
}
"""What takes an approver."""

FORMS: Mapping[str, Form] = {
    **MOVEMENTS,
    STATEMENT: Form(
        "Statement of a month",
        "Statement of a month",
        (
            Field("month", "Month", Ask.MONTH, hint="As 2026-01. Stated anew, the newest counts; the old one is kept."),
            Field("mined", "Mined (BTC)", Ask.BTC),
            Field("sold", "Sold (BTC)", Ask.BTC),
            Field("held", "Held at the end (BTC)", Ask.BTC),
        ),
    ),
    NOTICE: Form(
        "Notice of a lender (a call)",
        "Notice of a lender",
        (
            Field("exposure", "Of", Ask.EXPOSURE),
            Field("tier", "Line", Ask.LINE),
            Field("price", "The lender's price (USD)", Ask.USD),
            replace(_AT, label="Given"),
            replace(_REF, hint="The notice's own number or date: recorded once."),
            _may(Field("demand_btc", "Demands coins (BTC)", Ask.BTC)),
            _may(Field("demand_usd", "or dollars (USD)", Ask.USD, hint="Neither: worked out from the terms.")),
            _may(Field("due", "Due", Ask.WHEN, hint="Nothing: by the terms.")),
        ),
    ),
    ANSWER: Form(
        "What became of a notice",
        "What became of a notice",
        (Field("call", "Notice", Ask.CALL), Field("became", "It is", Ask.END), replace(_AT, label="Since")),
    ),
    **AGREED,
}
"""Every kind, by the word that `/record` takes, in the order in which they are offered."""

assert MOVEMENTS.keys() == set(MovementKind), "a kind of movement without a form"  # noqa: S101  (a relation of constants)
