"""`/plimsoll`: what can be asked, who may ask, and how the bot is."""

from __future__ import annotations

from bot.domain.words import price_phrase, span
from bot.slack.health import Health
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.text import escape, flat, rich
from bot.slack.views.parts import code, context, payload, section, sections, shortened

HELP = (
    ("holdings", "coins by where they are, value, cash, debt, net, and what changed"),
    ("ltv", "every facility: LTV, level, next line, open call, cures"),
    ("ltv antalpha", "one facility, by its id or lender"),
    ("ltv at 55000", "what if bitcoin were at $55,000"),
    ("ltv -20%", "what if bitcoin fell by 20 %"),
    ("plimsoll", "this help, and whether all is well"),
)
WHO = (
    "Full members of this workspace may ask, in any internal channel or a direct message; only the asker sees the "
    "answer. Guests, other organisations, bots, and channels shared with another organisation are refused."
)


def plimsoll(health: Health, slash: Slash) -> Payload:
    """Help and health together: there is not much of either."""
    lines = [f"{code(slash(words))} {escape(what)}" for words, what in HELP]
    state = _lines(health)
    blocks = [
        section("*Plimsoll* watches the bitcoin price against every loan's covenants. It recommends; you decide.")
    ]
    blocks += [
        section("\n".join(lines)),
        *sections(WHO),
        section(f"*{rich(state[0])}*"),
        *sections("\n".join(state[1:])),
    ]
    if health.version:
        blocks += [context(f"Plimsoll {escape(health.version)}")]
    asked = "\n".join(f"{slash(words)}: {what}" for words, what in HELP)
    return payload(flat(f"Plimsoll: {state[0]}\n" + "\n".join(state[1:]) + f"\n{asked}"), blocks)


def _lines(health: Health) -> list[str]:
    """The verdict first, then each fact."""
    trouble = _trouble(health)
    first = "All is well" if not trouble else f"Not well: {'; '.join(trouble)}"
    sources = f"; asked: {', '.join(health.sources)}" if health.sources else ""
    lines = [first, f"Price: {health.price.state.value}, {price_phrase(health.price)}{sources}"]
    checked = f"{span(health.at - health.last_check)} ago" if health.last_check else "not yet"
    lines += [f"Last check: {checked}"]
    waiting = f", the oldest for {span(health.at - health.undelivered_since)}" if health.undelivered_since else ""
    lines += [f"Messages not delivered yet: {health.undelivered}{waiting}"]
    if health.failed:
        why = shortened(list(dict.fromkeys(health.failures)), 5, "")
        lines += [f"Messages given up in the last day: {health.failed}" + (f" ({', '.join(why)})" if why else "")]
    lines += [f"Database: {health.database or 'ok'}"]
    if health.socket_silent_for is not None:
        lines += [f"Socket Mode: last heard {span(health.socket_silent_for)} ago"]
    return lines


def _trouble(health: Health) -> list[str]:
    found = []
    if health.database:
        found.append("the database")
    if health.price.state.is_blind:
        found.append(f"no price ({health.price.state.value})")
    if health.last_check is None or (health.at - health.last_check).total_seconds() > 300:
        found.append("checks do not run")
    if health.undelivered_since is not None and (health.at - health.undelivered_since).total_seconds() > 120:
        found.append("messages are not delivered")
    if health.failed:
        found.append("messages were given up")
    return found
