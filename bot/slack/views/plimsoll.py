"""`/plimsoll`: what can be asked, who may ask, and how the bot is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.domain.price import PriceState
from bot.domain.roles import Role, Roles, Standing
from bot.domain.words import price_phrase, sentence, span
from bot.services.refusals import holders_phrase
from bot.slack.health import Health
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.text import escape, flat, rich
from bot.slack.views.parts import code, context, payload, section, sections, shortened

HELP = (
    ("holdings", "coins by where they are, value, cash, debt, net, and what changed"),
    ("ltv", "every facility: LTV, level, next line, open call, cures"),
    ("ltv FACILITY", "one facility, by its id or lender"),
    ("ltv at 55000", "what if bitcoin were at $55,000"),
    ("ltv -20%", "what if bitcoin fell by 20 %"),
    ("sales", "what to sell, pledge or repay so that nothing is at a call line; also at 55000, -30%"),
    ("sales weekend", "what a fall would ask for while no wire leaves, and what to do before"),
    ("sales plans", "what was proposed, in whose hands it is, and how far it has come"),
    ("production", "this month's coins mined and sold, against plan and statement; a month: 2026-01, or ytd"),
    ("production sites", "where they were mined"),
    ("alerts", "what is open and in whose hands, silences, what closed last"),
    ("alerts silence", "ask for silence: what about, until when, and why"),
    ("digest", "this week so far: what changed, what comes, what to do first"),
    ("digest last", "the same of the last week that ended"),
    ("record", "a movement, a month's statement, a lender's notice and what became of it"),
    ("record amendment", "new terms from a day on; also waiver and price_index: by an approver"),
    ("record claims", "what waits for a second operator to confirm it"),
    (
        "plimsoll risk",
        "how often the price has fallen as far as each line ahead is, beside a model; also at 55000, -20%",
    ),
    ("plimsoll", "this help, and whether all is well"),
)
MAY = {
    Role.VIEWER: "ask, take alerts and silence them",
    Role.OPERATOR: "record as well",
    Role.APPROVER: "amend terms, record waivers and price indices, and approve plans as well",
}
WHERE = (
    "In any internal channel or a direct message; only the asker sees the answer. Guests, other organisations, bots, "
    "and channels shared with another organisation are refused."
)


@dataclass(frozen=True, slots=True)
class May:
    """Who may do what, and what the asker may; `name` knows people's names."""

    roles: Roles
    asker: Standing
    name: Callable[[str], str]

    def lines(self) -> list[str]:
        """The asker's own role first."""
        role = self.asker.role or Role.VIEWER  # nobody without a role gets this far
        own = f"You are {role.phrase}."
        if self.asker.unknown:
            perhaps = sentence([f"{one.phrase}" for one in sorted({gives for _, gives in self.asker.unknown})])
            own = f"You are {role.phrase}, perhaps {perhaps}: Slack has not said yet who is in a user group."
        return [own, *(f"{one.word.capitalize()}s {MAY[one]}: {self._who(one)}." for one in Role), WHERE]

    def _who(self, role: Role) -> str:
        if self.roles.is_for_all(role):
            return "every full member of this workspace"
        return holders_phrase(self.roles.holders(role), self.name, last="and") or "nobody yet"


def plimsoll(health: Health, may: May, slash: Slash) -> Payload:
    """Help, who may do what, and health together: there is not much of any."""
    asked = [(slash(words.replace("FACILITY", health.facility or "FACILITY")), what) for words, what in HELP]
    lines = [f"{code(words)} {escape(what)}" for words, what in asked]
    state = _lines(health)
    blocks = [
        section("*Plimsoll* watches the bitcoin price against every loan's covenants. It recommends; you decide.")
    ]
    blocks += [
        section("\n".join(lines)),
        *sections("\n".join(may.lines())),
        section(f"*{rich(state[0])}*"),
        *sections("\n".join(state[1:])),
    ]
    if health.version:
        blocks += [context(f"Plimsoll {escape(health.version)}")]
    summary = [f"Plimsoll: {state[0]}", *state[1:], *may.lines(), *(f"{words}: {what}" for words, what in asked)]
    return payload(flat("\n".join(summary)), blocks)


def _lines(health: Health) -> list[str]:
    """The verdict first, then each fact."""
    trouble = _trouble(health)
    first = "All is well" if not trouble else f"Not well: {'; '.join(trouble)}"
    lines = [first, f"Price: {_price(health)}"]
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


def _price(health: Health) -> str:
    """The price with its state, said once, and what became of each source that is no part of it."""
    view = health.price
    said = price_phrase(view)
    if view.last is not None:
        said = f"{view.state.value}, {price_phrase(replace(view, state=PriceState.FRESH))}"
    sources = (("asked", health.sources), ("dropped", health.dropped), ("missing", health.missing))
    return "; ".join([said, *(f"{what}: {', '.join(names)}" for what, names in sources if names)])


def _trouble(health: Health) -> list[str]:
    found = list(health.closed)
    if health.database:
        found.append("the database")
    if health.price.state.is_blind:
        found.append(f"no price ({health.price.state.value})")
    if health.last_check is None or health.at - health.last_check > health.check_within:
        found.append("checks do not run")
    if health.undelivered_since is not None and health.at - health.undelivered_since > health.deliver_within:
        found.append("messages are not delivered")
    if health.failed:
        found.append("messages were given up")
    return found
