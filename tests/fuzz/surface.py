"""What the bot listens to, found out from the bot itself: a command or dialog that is added later is in it by then."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl

from slack_bolt import App

from bot.workspace.model import Json, Message, View, interactive

KINDS = ("command", "action", "view", "view_submission", "view_closed", "shortcut", "options", "event")
MOST_PRESSED = 150
_EXAMPLE = re.compile(r"`(/[^`]+)`")
_NO_WORD = "zzz"
"""Nothing that any command takes: its answer gives the examples."""


@dataclass
class Surface:
    """The names that listeners are registered by, by the kind of listener."""

    names: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def note(self, kind: str, constraint: Any) -> None:
        """A name, or some of a request's fields; a pattern that takes the rest names nothing."""
        found = constraint.values() if isinstance(constraint, dict) else [constraint]
        self.names[kind] += [one for one in found if isinstance(one, str) and one not in self.names[kind]]


@contextmanager
def registering() -> Iterator[Surface]:
    """Notes every listener that any Bolt app is given meanwhile."""
    surface = Surface()
    with ExitStack() as stack:
        for kind in KINDS:
            stack.enter_context(patch.object(App, kind, _noted(surface, kind, getattr(App, kind))))
        yield surface


def _noted(surface: Surface, kind: str, register: Callable[..., Any]) -> Callable[..., Any]:
    def noted(app: App, constraint: Any, *more: Any, **rest: Any) -> Any:
        surface.note(kind, constraint)
        return register(app, constraint, *more, **rest)

    return noted


@dataclass(frozen=True)
class Specimen:
    """A request that Slack would send: the fields of a command's form, or the payload of all others."""

    kind: str
    name: str
    body: Json


def specimens(surface: Surface, world: Any) -> list[Specimen]:
    """One of each kind that a person can send, found by trying: commands with their examples, then every button,
    choice and dialog that these bring up. What has a name and was not met is made up. Changes the world."""
    found = list(_commands(surface, world))
    found += _pressed(world)
    met = {(one.kind, one.name) for one in found}
    for kind, name, body in _made_up(surface, found):
        if (kind, name) not in met:
            found.append(Specimen(kind, name, body))
    return found


def _commands(surface: Surface, world: Any) -> Iterator[Specimen]:
    for command in surface.names["command"]:
        answer = world.slack.command(f"{command} {_NO_WORD}", user=world.user, channel=world.channel)
        lines = [command, *_EXAMPLE.findall(answer.text)]
        for line in dict.fromkeys(lines):
            if line.split(maxsplit=1)[0] == command:
                answer = world.slack.command(line, user=world.user, channel=world.channel)
                world.quiet()
                yield Specimen("command", command, dict(parse_qsl(answer.request[0].decode(), keep_blank_values=True)))


def _pressed(world: Any) -> Iterator[Specimen]:
    """Presses what there is to press, round by round, until nothing new shows up."""
    done: set[tuple[str, str, str]] = set()
    seen: set[str] = set()
    while len(done) < MOST_PRESSED:
        before = len(done), len(seen)
        for where in _shown(world):
            if isinstance(where, View) and where.id not in seen:
                seen.add(where.id)
                yield from _dialog(world, where)
            for block, element in interactive(where.blocks):
                pressed = _press(world, where, block, element, done)
                if pressed is not None:
                    yield pressed
        if (len(done), len(seen)) == before:
            return


def _shown(world: Any) -> list[Message | View]:
    state = world.slack.state
    posts = [post for channel in list(state.channels) for post in state.posts(channel)]
    return [*posts, *list(state.views.values())]


def _press(
    world: Any, where: Message | View, block: Json, element: Json, done: set[tuple[str, str, str]]
) -> Specimen | None:
    if block["type"] == "input" and not block.get("dispatch_action"):
        return None
    options = element.get("options") or [{}]
    for option in options[:3]:
        key = ("view" if isinstance(where, View) else "message", str(element["action_id"]), str(option.get("value")))
        if key in done:
            continue
        done.add(key)
        ts, channel = (where.id, world.channel) if isinstance(where, View) else (where.ts, where.channel)
        chosen = option.get("value") if element["type"] != "button" else None
        try:
            answer = world.slack.click(
                ts, element["action_id"], user=world.user, channel=channel, value=chosen, block_id=block["block_id"]
            )
        except (LookupError, TypeError):
            continue
        world.quiet()
        return Specimen("click", str(element["action_id"]), _payload(answer.request[0]))
    return None


def _dialog(world: Any, view: View) -> Iterator[Specimen]:
    """It is submitted as it stands, then filled in, and so is what takes its place; then closed."""
    callback = ""
    while callback != view.callback_id:
        callback = view.callback_id
        for values in ({}, _filled_in(view)):
            answer = world.slack.submit_view(view.id, values, force=True)
            world.quiet()
            yield Specimen("dialog", callback, _payload(answer.request[0]))
    body, _ = world.slack._payloads.closed(view, view.user, cleared=True)
    yield Specimen("closed", callback, _payload(body))
    view.status = "open"  # so that what is in it can be pressed


def _filled_in(view: View) -> Json:
    """Something that each field takes, for most of them; the first choice of a menu."""
    given: Json = {}
    for block, element in interactive(view.blocks):
        if block["type"] != "input":
            continue
        match element["type"]:
            case "plain_text_input":
                given[block["block_id"]] = element.get("initial_value") or "1"
            case "datetimepicker":
                given[block["block_id"]] = element.get("initial_date_time") or _SOME_TIME
            case "static_select":
                given[block["block_id"]] = element["options"][0]["value"]
            case "multi_static_select":
                given[block["block_id"]] = [element["options"][0]["value"]]
    return given


_SOME_TIME = 1_770_000_000


def _payload(body: bytes) -> Json:
    return dict(json.loads(dict(parse_qsl(body.decode()))["payload"]))


def _made_up(surface: Surface, found: list[Specimen]) -> Iterator[tuple[str, str, Json]]:
    """What is registered and was not met, and the kinds that nothing is registered for."""
    click = next(one.body for one in found if one.kind == "click")
    dialog = next(one.body for one in found if one.kind == "dialog")
    common = {key: click[key] for key in ("user", "team", "channel", "trigger_id", "response_url") if key in click}
    for name in surface.names["action"]:
        action = {"type": "button", "action_id": name, "block_id": "b", "value": "1 3.1", "action_ts": "1.2"}
        yield "click", name, {**click, "actions": [action]}
    for name in (*surface.names["view"], *surface.names["view_submission"]):
        yield "dialog", name, {**dialog, "view": {**dialog["view"], "callback_id": name}}
    for name in (*surface.names["view_closed"], "unknown"):
        yield "closed", name, {**common, "type": "view_closed", "view": {**dialog["view"], "callback_id": name}}
    for kind in ("shortcut", "message_action"):
        for name in (*surface.names["shortcut"], "unknown"):
            yield kind, name, {**common, "type": kind, "callback_id": name, "message": {"text": "hello", "ts": "1.2"}}
    for name in (*surface.names["options"], "unknown"):
        yield "options", name, {**common, "type": "block_suggestion", "action_id": name, "block_id": "b", "value": "a"}
    for name in (*surface.names["event"], "message", "app_mention", "app_home_opened", "function_executed", "unknown"):
        yield "event", name, _event(name)
    yield "event", "url_verification", {"type": "url_verification", "challenge": "c", "token": "t"}
    yield "command", "/unknown", {**next(one.body for one in found if one.kind == "command"), "command": "/unknown"}


def _event(name: str) -> Json:
    event = {"type": name, "event_ts": "1770000000.0", "user": "U0OFFICER", "channel": "C0TREASURY", "text": "hello"}
    event |= {"subteam_id": "S0OFFICERS", "subteam": {"id": "S0OFFICERS"}, "item": {"ts": "1.2"}, "tab": "home"}
    return {
        "type": "event_callback",
        "token": "t",
        "team_id": "T",
        "api_app_id": "A",
        "event": event,
        "event_id": "Ev1",
        "event_time": 1_770_000_000,
        "authorizations": [{"enterprise_id": None, "team_id": "T", "user_id": "U", "is_bot": True}],
        "is_ext_shared_channel": False,
    }
