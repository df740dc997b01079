"""Each case, of the seed and its number alone."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from bot.workspace.model import Json, interactive

from .bodies import FORM, JSON, raw
from .mutating import junk, mutated
from .signing import Signing, signing
from .surface import Specimen
from .texts import text
from .world import CHANNEL, LENDER_CHANNEL, OFFICER

TRIGGER, RESPONSE = "TRIGGER-ID", "http://127.0.0.1:9/RESPONSE-URL"
"""Stand for what Slack gives each request anew; put in when it is sent."""


@dataclass(frozen=True)
class Case:
    """One request. `kind` is for the count; `must_answer`: a member's command, who waits for words or a dialog.

    `times`: it comes so often, as Slack's retries do. `address_kept`: where to answer is as Slack gave it.
    """

    kind: str
    body: bytes
    content_type: str
    signing: Signing
    must_answer: bool = False
    times: int = 1
    address_kept: bool = True
    headers: Json = field(default_factory=dict)
    target: str = ""


class Cases:
    """Makes them from the `specimens` of one bot."""

    def __init__(self, specimens: Sequence[Specimen], seed: str) -> None:
        self._seed = seed
        self._by_kind: dict[str, list[Specimen]] = defaultdict(list)
        for one in specimens:
            self._by_kind[one.kind].append(one)
        self._ways: tuple[tuple[int, Callable[[random.Random], Case]], ...] = (
            (22, self._typed),
            (8, self._command),
            (10, self._click),
            (10, self._dialog),
            (7, self._event),
            (5, self._rest),
            (38, self._raw),
        )

    def __getitem__(self, number: int) -> Case:
        chance = random.Random(f"{self._seed}/{number}")  # noqa: S311
        weights = [weight for weight, _ in self._ways]
        ((_, make),) = chance.choices(self._ways, weights)
        return make(chance)

    def _one(self, chance: random.Random, kind: str) -> Specimen:
        """Each name as often as any other."""
        names = sorted({one.name for one in self._by_kind[kind]})
        name = chance.choice(names)
        return chance.choice([one for one in self._by_kind[kind] if one.name == name])

    def _typed(self, chance: random.Random) -> Case:
        """A command with any text, all else as it should be."""
        found = self._one(chance, "command")
        said = _reworded(chance, found.body["text"]) if chance.random() < 0.3 else text(chance)
        if chance.random() < 0.5:
            said = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        whole = said.encode("utf-8", "surrogatepass").decode("utf-8", "ignore")
        asker = {"user_id": OFFICER} if chance.random() < 0.2 else {}
        fields = {**_fresh(found.body), **asker, "text": whole}
        sound = signing(chance, sound=0.97)
        must = sound.sound and found.name != "/unknown"
        return Case("text", urlencode(fields).encode(), FORM, sound, must, _times(chance))

    def _command(self, chance: random.Random) -> Case:
        """A command with its fields missing, repeated or of another kind."""
        found = self._one(chance, "command")
        fields = mutated(chance, {**_fresh(found.body), "text": text(chance)}, chance.randrange(1, 4))
        pairs = [(str(k), v if isinstance(v, str) else json.dumps(v)) for k, v in fields.items()]
        if chance.random() < 0.2:
            pairs += chance.choices(pairs, k=2) + [("payload", text(chance))] * chance.randrange(2)
        if chance.random() < 0.1:
            pairs = [(k, LENDER_CHANNEL if k == "channel_id" else v) for k, v in pairs]
        body = urlencode(pairs, errors="surrogatepass").encode()
        return Case("command", body, FORM, signing(chance), times=_times(chance), address_kept=False)

    def _click(self, chance: random.Random) -> Case:
        body = _fresh(self._one(chance, "click").body)
        return self._interaction(chance, "click", body)

    def _dialog(self, chance: random.Random) -> Case:
        found = self._one(chance, chance.choice(("dialog", "dialog", "dialog", "dialog", "closed")))
        body = _fresh(found.body)
        body["view"] = {**body["view"], "state": {"values": _filled(chance, body["view"].get("blocks", []))}}
        return self._interaction(chance, found.kind, body, least=0)

    def _rest(self, chance: random.Random) -> Case:
        kind = chance.choice(("shortcut", "message_action", "options"))
        return self._interaction(chance, "other", _fresh(self._one(chance, kind).body))

    def _interaction(self, chance: random.Random, kind: str, body: Json, least: int = 1) -> Case:
        changed = mutated(chance, body, chance.randrange(least, 4))
        encoded = _written(chance, changed)
        if chance.random() < 0.05:
            return Case(kind, encoded, JSON, signing(chance), address_kept=False)
        return Case(
            kind, b"payload=" + quote(encoded).encode(), FORM, signing(chance), times=_times(chance), address_kept=False
        )

    def _event(self, chance: random.Random) -> Case:
        body = mutated(chance, self._one(chance, "event").body, chance.randrange(4))
        return Case("event", _written(chance, body), JSON, signing(chance), times=_times(chance), address_kept=False)

    def _raw(self, chance: random.Random) -> Case:
        body, kind, headers, target = raw(chance)
        return Case("raw", body, kind, signing(chance, sound=0.6), headers=headers, target=target, address_kept=False)


def _times(chance: random.Random) -> int:
    return chance.choice((2, 3)) if chance.random() < 0.05 else 1


def _fresh(body: Json) -> Json:
    """With places for what Slack gives each request anew."""
    made = dict(body)
    if "trigger_id" in made:
        made["trigger_id"] = TRIGGER
    if "response_url" in made:
        made["response_url"] = RESPONSE
    if isinstance(made.get("view"), dict) and "private_metadata" in made["view"]:
        carried = {"response_url": RESPONSE, "channel": CHANNEL, "in_list": False}
        with suppress(ValueError):
            carried = {**json.loads(made["view"]["private_metadata"]), "response_url": RESPONSE}
        made["view"] = {**made["view"], "private_metadata": json.dumps(carried), "id": TRIGGER}
    return made


def _reworded(chance: random.Random, said: str) -> str:
    """A proper question with one of its words made another, doubled, or gone."""
    words = said.split() or [""]
    place = chance.randrange(len(words))
    words[place : place + 1] = chance.choice(([text(chance)], [], [words[place]] * 2, [words[place], text(chance)]))
    return " ".join(words)


def _filled(chance: random.Random, blocks: Any) -> Json:
    """What somebody filled into a dialog: proper choices, texts at their worst, and choices that there are none of."""
    values: Json = {}
    for block, element in interactive(blocks):
        kind, options = element["type"], element.get("options", [])
        picked = chance.sample(options, chance.randrange(min(len(options), 3) + 1))
        told: Json = {"type": kind}
        if chance.random() < 0.1:
            told["value"] = junk(chance)
        elif "multi" in kind or kind == "checkboxes":
            told["selected_options"] = picked + ([{"value": text(chance)}] if chance.random() < 0.1 else [])
        elif options:
            told["selected_option"] = picked[0] if picked else None
        elif kind == "datetimepicker":
            moments = (None, 0, -1, 1770465600, 1770552000, 1773000000, 1790000000, 10**12, 10**30, "1770552000", 1.5)
            told["selected_date_time"] = chance.choice(moments)
        elif kind == "datepicker":
            told["selected_date"] = chance.choice(
                (None, "2026-02-07", "9999-99-99", "0001-01-01", "2026-02-30", text(chance))
            )
        elif kind == "timepicker":
            told["selected_time"] = chance.choice((None, "12:00", "24:00", "99:99", text(chance)))
        else:
            told["value"] = chance.choice((None, "", "1.5", text(chance), text(chance)))
        values.setdefault(block.get("block_id", ""), {})[element.get("action_id", "")] = told
    return values


def _written(chance: random.Random, body: Any) -> bytes:
    """As JSON; now and then with a name twice, a byte lost, or something after the end."""
    written = json.dumps(body, ensure_ascii=chance.random() < 0.8).encode("utf-8", "surrogatepass")
    way = chance.random()
    if way < 0.03 and written.startswith(b"{"):
        name = chance.choice(("type", "user", "actions", "view", "event", "team"))
        return b"{" + f'"{name}": {json.dumps(junk(chance))}, '.encode() + written[1:]
    if way < 0.05 and written:
        cut = chance.randrange(len(written))
        return written[:cut] + written[cut + 1 :]
    if way < 0.06:
        return written + chance.choice((b"}", b"\x00", b"{}", b" null"))
    return written
