"""Holds what Slack was left with against what had to be said, computed from the steps alone.

A message says by its LTV (about blindness: by its price) which step it is of; see `script`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .script import FACILITIES, PRICE_KEY, Change, Step, episodes_of

CONTINUED = "Continued in a newer message."
_LTV = re.compile(r"LTV (\d+\.\d\d) %")
_USD = re.compile(r"\$(\d{1,3}(?:,\d{3})*)\.(\d\d)")


@dataclass(frozen=True)
class Said:
    """One message as Slack has it, replies too: `texts` are all it ever said, in the order in which Slack took them."""

    ts: str
    texts: tuple[str, ...]
    thread_ts: str | None = None
    delivery_id: str = ""


@dataclass(frozen=True)
class State:
    """What one text says: of which alert, as of which step, and whether it refers to a newer message."""

    key: str
    step: int
    continued: bool = False


@dataclass
class Verdict:
    """What was counted; `found` says of each fault what it is.

    Order is that of one alert, from its opening to its closing, as docs/alerts.md promises it. `overtaken`: told after
    a later alert of the same key; nothing promises that it is not.
    """

    decided: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    uncalled: int = 0
    out_of_order: int = 0
    stale: int = 0
    overtaken: int = 0
    found: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicated or self.uncalled or self.out_of_order or self.stale)


class Reader:
    """Finds the step that a text is of."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._by_ltv = {
            (one.key, one.printed(step.price)): step.number for step in steps if not step.blind for one in FACILITIES
        }
        self._blind = {step.price: step.number for step in steps if step.blind}
        self._by_price = {step.price: step.number for step in steps if not step.blind}

    def read(self, text: str) -> State | None:
        """None where it is of no alert or of no step."""
        line = text.split("\n", 1)[0]
        continued = line.startswith(CONTINUED)
        said, ltv, usd = line.removeprefix(CONTINUED).strip(), _LTV.search(line), _USD.search(line)
        lender = next((one for one in FACILITIES if one.lender in said), None)
        if lender is not None and ltv:
            step = self._by_ltv.get((lender.key, ltv[1]))
            return None if step is None else State(lender.key, step, continued)
        if "bitcoin price" in said and usd:
            cents = int(usd[1].replace(",", "") + usd[2])
            step = (self._blind if "No bitcoin price" in said else self._by_price).get(cents)
            return None if step is None else State(PRICE_KEY, step, continued)
        return None


def judge(steps: Sequence[Step], said: Sequence[Said]) -> Verdict:
    """`said` is in the order in which Slack took it."""
    return _Case(steps, said).verdict()


class _Case:
    def __init__(self, steps: Sequence[Step], said: Sequence[Said]) -> None:
        self._reader = Reader(steps)
        self._episodes = episodes_of(steps)
        self._changes = {(c.key, c.step): c for episode in self._episodes for c in episode.changes}
        self._said = said
        self._by_ts = {one.ts: one for one in said}
        self._first: dict[str, State | None] = {one.ts: self._reader.read(one.texts[0]) for one in said}
        self._copies: dict[tuple[str, int], list[Said]] = defaultdict(list)
        self._result = Verdict()

    def verdict(self) -> Verdict:
        self._sort()
        self._count()
        self._order()
        for one in self._said:
            self._stale(one)
        return self._result

    def _sort(self) -> None:
        """Each message to the change it tells of."""
        for one in self._said:
            state = self._first[one.ts]
            change = self._changes.get((state.key, state.step)) if state else None
            if change is None or change.posts is (one.thread_ts is not None):
                self._result.uncalled += 1
                self._note(f"nothing called for {_kind(one)}", one)
            else:
                self._copies[change.key, change.step].append(one)

    def _count(self) -> None:
        for episode in self._episodes:
            for change in episode.changes:
                copies = self._copies[change.key, change.step]
                self._expect(bool(copies), f"{change.key} {change.change} at step {change.step}")
                self._result.duplicated += max(len(copies) - 1, 0)
                for again in copies[1:]:
                    same = again.delivery_id == copies[0].delivery_id
                    self._note(f"{'sent' if same else 'decided'} twice ({copies[0].ts} before)", again)
            newest = episode.posts[-1]
            for post in episode.posts[:-1]:
                told = any(self._is_continued(one) for one in self._copies[post.key, post.step])
                self._expect(told, f"{post.key}: the post of step {post.step} does not say “continued”")
            if episode.replies and (last := episode.replies[-1]).step > newest.step:
                shown = any(self._shows(one, last) for one in self._copies[newest.key, newest.step])
                self._expect(
                    shown, f"{last.key}: the post of step {newest.step} does not show {last.change}, {last.step}"
                )

    def _expect(self, met: bool, what: str) -> None:
        self._result.decided += 1
        self._result.delivered += met
        self._result.lost += not met
        if not met:
            self._result.found.append(f"lost: {what}")

    def _is_continued(self, one: Said) -> bool:
        state = self._reader.read(one.texts[-1])
        return state is not None and state.continued

    def _shows(self, one: Said, change: Change) -> bool:
        """Whether a message ends up as of `change`, or newer numbers of the same state."""
        state = self._reader.read(one.texts[-1])
        return state is not None and state.key == change.key and state.step >= change.step

    def _order(self) -> None:
        number = {(c.key, c.step): n for n, episode in enumerate(self._episodes) for c in episode.changes}
        newest: dict[int, int] = {}
        latest: dict[str, int] = {}
        for one in self._said:
            state = self._first[one.ts]
            if state is None or self._copies.get((state.key, state.step), [])[:1] != [one]:
                continue
            alert = number[state.key, state.step]
            if state.step < newest.get(alert, -1):
                self._result.out_of_order += 1
                self._note(f"out of order, after step {newest[alert]}", one)
            self._result.overtaken += alert < latest.get(state.key, -1)
            newest[alert] = max(newest.get(alert, -1), state.step)
            latest[state.key] = max(latest.get(state.key, -1), alert)
        for episode in self._episodes:
            for reply in episode.replies:
                parent = episode.parent_of(reply)
                for one in self._copies[reply.key, reply.step]:
                    under = self._by_ts.get(one.thread_ts or "")
                    if under not in self._copies[parent.key, parent.step]:
                        self._result.out_of_order += 1
                        self._note(f"in the wrong thread, not in that of step {parent.step}", one)

    def _stale(self, one: Said) -> None:
        """Each text of a message against the newest it had said before."""
        newest: State | None = None
        for text in one.texts:
            state = self._reader.read(text)
            if state is None:
                self._result.uncalled += 1
                self._note(f"nothing called for the text “{text.splitlines()[0]}”", one)
                continue
            if newest and (state.key != newest.key or state.step < newest.step or newest.continued > state.continued):
                self._result.stale += 1
                self._note(f"stale edit: from {_state(newest)} back to {_state(state)}", one)
            else:
                newest = state

    def _note(self, what: str, one: Said) -> None:
        self._result.found.append(f"{what}: {one.ts} {one.texts[0].splitlines()[0]!r} {one.delivery_id}")


def _kind(one: Said) -> str:
    return "a reply" if one.thread_ts else "a post"


def _state(state: State) -> str:
    return f"step {state.step}{', continued' if state.continued else ''}"


def summed(verdicts: Iterable[Verdict]) -> Verdict:
    whole = Verdict()
    for one in verdicts:
        for name in ("decided", "delivered", "lost", "duplicated", "uncalled", "out_of_order", "stale", "overtaken"):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        whole.found += one.found
    return whole
