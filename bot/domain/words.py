"""Small pieces of every sentence: moments, spans, prices with their age.

An instant inside a text is kept as a *moment*, so that Slack can show it in the reader's own zone; everywhere else
`plain_text` leaves the treasury's local time. People and channels are kept in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.alert import Person
from bot.domain.money import show_usd
from bot.domain.periods import ONE_DAY, iso, local_day
from bot.domain.price import PriceState, PriceView

MOMENT = re.compile("\x02([@#^][^|\x02\x03]+|\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z)\\|([^\x02\x03]+)\x03")
_PERSON = re.compile("\x02@[^|\x02\x03]+\\|([^\x02\x03]+)\x03")
_NO_MARKS = {0x02: None, 0x03: None}
"""Nobody's name may end the mark that it stands in."""
_WEEK = timedelta(days=6)


def moment(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """`instant` as people say it in `zone` ("Sun 14:15", "17 Mar 09:00"), marked so that a front end can render it."""
    local = instant.astimezone(zone)
    days = local_day(instant, zone) - local_day(now, zone)
    if abs(days) <= _WEEK:
        said = f"{local:%a %H:%M}"
    else:
        year = "" if local.year == now.astimezone(zone).year else f" {local.year}"
        said = f"{local.day} {local:%b}{year} {local:%H:%M}"
    return f"\x02{iso(instant)}|{said}\x03"


def dated(instant: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """As `moment`, with its day however near it is: "Mon 9 Feb 09:00"; with its year where that is not `now`'s."""
    local = instant.astimezone(zone)
    year = f" {local.year}" if now is not None and local.year != now.astimezone(zone).year else ""
    return f"\x02{iso(instant)}|{local:%a} {local.day} {local:%b}{year} {local:%H:%M}\x03"


def someone(person: Person) -> str:
    """A person by name, marked so that Slack can show them as its own."""
    name = person.name.translate(_NO_MARKS)
    return f"\x02@{person.id}|{name or person.id}\x03"


def somewhere(channel: str, name: str = "") -> str:
    """A channel, marked so that Slack can show it by its name; `name` is for everywhere else."""
    shown = f"#{name}" if name else channel
    return f"\x02#{channel}|{shown.translate(_NO_MARKS)}\x03"


def some_group(group_id: str) -> str:
    """A user group, marked so that Slack can show it by its name."""
    return f"\x02^{group_id}|{group_id}\x03"


def plain_people(text: str) -> str:
    """`text` with people by name alone: Slack wakes whom a message shows as its own."""
    return _PERSON.sub(r"\1", text)


def plain_text(text: str) -> str:
    """`text` with each moment as the treasury's local time, people and channels by name."""
    return MOMENT.sub(r"\2", text)


def span(length: timedelta) -> str:
    """A length of time in its two largest units: "12 s", "5 min", "23 h 10 min", "3 d 4 h"."""
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{max(seconds, 0)} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if length < 2 * ONE_DAY:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def price_phrase(view: PriceView) -> str:
    """The price with what it rests on: "$55,000.00 (12 s old, 4 sources)"; where there is none, why not."""
    if view.last is None:
        return "no price yet"
    shown = show_usd(view.last)
    if view.state is PriceState.SCENARIO:
        return f"{shown} (what if)"
    about = [f"{span(view.age)} old"] if view.age is not None else []
    if view.sources:
        about.append(f"{len(view.sources)} source{'s' if len(view.sources) > 1 else ''}")
    if view.state is not PriceState.FRESH:
        about.append(view.state.value)
    return f"{shown} ({', '.join(about)})" if about else shown


def price_sentence(view: PriceView) -> str:
    """The price as a sentence of its own: "Price $55,000.00 (12 s old, 4 sources).", or "No price yet."."""
    return f"Price {price_phrase(view)}." if view.last is not None else "No price yet."


def capital(text: str) -> str:
    """`text` as a sentence begins; nothing else of it changes, where `str.capitalize` would lower names."""
    return text[:1].upper() + text[1:]


def counted(count: int, what: str) -> str:
    """How many of something: "1 day", "1,391 days"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def sentence(parts: Sequence[str], last: str = "or") -> str:
    """Parts as one list: "a, b or c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
