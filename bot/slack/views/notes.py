"""Short answers: what is wrong and what would be right, on one line."""

from __future__ import annotations

from bot.slack.limits import Payload
from bot.slack.text import flat
from bot.slack.views.parts import payload, sections


def note(text: str) -> Payload:
    """A line or a few of them (not escaped, with moments)."""
    return payload(flat(text), sections(text))


def usage(problem: str, examples: tuple[str, ...]) -> Payload:
    """A wrong word: “banana” is not a price. Try `/ltv at 55000` or `/ltv -20%`."""
    tried = " or ".join(f"`{example}`" for example in examples)
    return note(f"{problem} Try {tried}." if tried else problem)


def refusal(reason: str) -> Payload:
    """Who or where may not be answered, and why."""
    return note(reason)


def failure(command: str, reference: str) -> Payload:
    """A bug of ours: the log says more under the same reference."""
    return note(
        f"{command} failed, and nothing was changed. Ask again; if it fails again, tell whoever runs Plimsoll: "
        f"the log has it under reference {reference}."
    )


def busy(command: str) -> Payload:
    """The database cannot be used now."""
    return note(f"{command}: the database is busy or cannot be reached. Nothing was changed; ask again in a moment.")


def not_taken(what: str, problems: list[str]) -> Payload:
    """A dialog that was closed already when it was judged."""
    return note(f"{what}: nothing was changed. {' '.join(problems)}")


def not_opened(what: str, code: str) -> Payload:
    """Slack did not open a dialog: it waits 3 s for it, and some days it is out of order."""
    return note(f"{what}: Slack did not open the dialog ({code}). Nothing was changed; try again.")
