"""A Slack with every kind of reader and place, and a bot in it of which anything can be asked in each."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from flask import Flask
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult

from bot.domain.alert import Person, Silence
from bot.domain.roles import Role, Roles
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.views import notes
from bot.slack.views.listing import ASK, END
from bot.slack.views.plans import ADJUST, APPROVE, DISMISS, DROP, PROPOSE
from bot.slack.views.record import CONFIRM_CLAIM, WITHDRAW_CLAIM
from bot.slack.views.silence import CALLBACK
from bot.slack.web import slack_blueprint
from bot.workspace.model import Message, View

from .clicking import NO_NOTICE, SNOOZE, dialog, newest, snooze_value
from .test_slack_bench import SECRET, TOKEN, Bench, served
from .test_slack_silences import ASKED, REASON

OPEN, SHARED, UNSEEN = ("public", "private", "archived", "direct"), ("shared", "inviting"), ("unseen",)
NAMED_BY_ALL = "U0NAMED"

NOT_SET = "full member, `VIEWERS` not set"
WHO: dict[str, tuple[str, dict[str, Any]]] = {
    NOT_SET: ("U0MEMBER", {}),
    "full member, not named": ("U0MEMBER", {}),
    "viewer by user": ("U0VIEWER", {}),
    "viewer by group": ("W0VIEWER", {}),
    "operator by user": ("U0OPERATOR", {}),
    "operator by group": ("W0OPERATOR", {}),
    "approver by user": ("U0APPROVER", {}),
    "approver by group": ("W0APPROVER", {}),
    "guest": ("U0GUEST", {"is_restricted": True}),
    "single-channel guest": ("U0SINGLE", {"is_ultra_restricted": True}),
    "guest, named approver": (NAMED_BY_ALL, {"is_restricted": True}),
    "stranger": ("U0STRANGER", {"is_stranger": True, "team_id": "T0LOCAL"}),
    "other team": ("U0ELSE", {"team_id": "T0ELSE"}),
    "bot": ("U0BOT", {"is_bot": True}),
    "deactivated": ("U0GONE", {"deleted": True}),
}
GROUPS = {"S0V": ["W0VIEWER", "U0GUEST"], "S0O": ["W0OPERATOR", "U0SINGLE"], "S0A": ["W0APPROVER", NAMED_BY_ALL]}
ROLES = Roles(("U0VIEWER", "S0V", "U0GONE"), ("U0OPERATOR", "S0O", "U0ELSE"), ("U0APPROVER", "S0A", NAMED_BY_ALL))

REFUSALS = {
    "guest": "you are a guest here",
    "elsewhere": "your account belongs to another organisation",
    "bot": "Plimsoll answers people, not bots.",
    "deactivated": "This account is deactivated",
    "shared": "This channel is shared with another organisation",
    "unseen": "Plimsoll cannot see this channel",
    "role": "This takes a",
}
"""What each outcome but "answered" reads like."""


@dataclass(frozen=True)
class What:
    """One thing to ask for: a command line, the action of a click, or a dialog. `own`: of the test's own app.

    `fills` are what a dialog that `line` opens is filled in with, and then the one that comes over it, to the last.
    """

    needs: Role
    line: str = ""
    action: str = ""
    dialog: bool = False
    own: bool = False
    fills: tuple[dict[str, Any], ...] = ()

    @property
    def title(self) -> str:
        """Of its dialog: no other has it."""
        return f"Of {self.needs.phrase}"


FRESH: dict[str, Callable[[int], dict[str, Any]]] = {
    "record_ref": lambda number: {"record_ref": f"pool {number}"},
    "record_effective": lambda number: {"record_effective": f"{2030 + number // 12}-{number % 12 + 1:02d}-01"},
}
"""What is recorded once is another each time."""
PLANNING = (PROPOSE, ADJUST, DROP, APPROVE, DISMISS)
CALLBACKS = {Role.VIEWER: CALLBACK, Role.OPERATOR: "operate", Role.APPROVER: "approve"}


@dataclass
class World:
    """A bot whose channels have each a message with every button. `own`: where the test's own app listens."""

    bot: Bench
    own: str
    posts: dict[str, str]
    done: list[str]
    dialogs: int = 0

    def asks(self, what: What, user: str, where: str) -> str:
        """What comes of it: one of the words of the table. What is refused has changed nothing."""
        slack = self.bot.slack
        view = self.opened(what) if what.dialog else None
        fills = what.fills[-1] if what.fills else ASKED
        slack.connect(self.own if what.own else self.bot.url)
        channel = f"D{user}" if where == "direct" else f"C0{where.upper()}"
        reader, place = (view.user, "C1") if view else (user, channel)
        read, state = len(self.read(reader, place)), self.state(user, channel)
        told = ""
        if view:
            told = self.submits(view, fills, user, channel)
        elif what.line:
            assert slack.command(what.line, user=user, channel=channel).ok
        elif what.action:
            ts, action = self.posts[channel], what.action
            picked = snooze_value(newest(self.bot), "1h") if action == SNOOZE else None
            assert slack.click(ts, action, user=user, channel=channel, value=picked, stale=True).ok
        self.bot.quiet()
        told += "\n".join(message.text for message in self.read(reader, place)[read:])
        refused = [word for word, said in REFUSALS.items() if said in told]
        if not refused:
            assert told or self.state(user, channel) != state, "nothing came of it"
            return "answered"
        *now, opened = self.state(user, channel)
        assert now == list(state[:-1]), "it was refused, and something was done"
        assert opened <= state[-1], "it was refused, and a dialog opened that can be sent"
        assert "\n" not in told
        assert "LTV at" not in told
        (word,) = refused
        return word

    def read(self, user: str, channel: str) -> list[Message]:
        """What only they were shown there."""
        return [message for message in self.bot.slack.state.posts(channel) if message.ephemeral_to == user]

    def opened(self, what: What) -> View:
        """The dialog, before somebody who may have it. What cannot be said in it is said to them."""
        if what.fills:
            return self.led_to(what)
        view = self.bot.slack.state.open_modal("U0APPROVER")
        if view is None or view.title != what.title:
            self.bot.slack.connect(self.bot.url)
            view = dialog(self.bot, user="U0APPROVER")
            view.body |= {"callback_id": CALLBACKS[what.needs], "title": {"type": "plain_text", "text": what.title}}
        return view

    def led_to(self, what: What) -> View:
        """The last of the dialogs that one leads to."""
        self.bot.slack.connect(self.bot.url)
        view: View | None = dialog(self.bot, what.line, user="U0APPROVER")
        self.dialogs += 1
        for fills in what.fills[:-1]:
            assert view is not None
            new = FRESH.get(next(iter(fills.keys() & FRESH.keys()), ""), lambda _number: {})
            assert self.bot.slack.submit_view(view.id, fills | new(self.dialogs)).ok
            view = self.bot.slack.state.open_modal("U0APPROVER")
        assert view is not None
        return view

    def submits(self, view: View, fills: dict[str, Any], user: str, channel: str) -> str:
        """Submits a dialog that was opened in `channel` when that was allowed; what comes of it in its place."""
        slack = self.bot.slack
        origin = {**json.loads(view.private_metadata), "channel": channel}
        view.body["private_metadata"] = json.dumps(origin)
        answer = slack.submit_view(view.id, fills, user=user)
        assert answer.ok, (answer.error, answer.problems)
        came = answer.json or {}
        return "".join(came.get("errors", {}).values()) or json.dumps(came, ensure_ascii=False).removeprefix("{}")

    def state(self, user: str, channel: str) -> Any:
        """All that can be done by asking: to alerts, silences, dialogs and messages, and what the own handlers saw."""
        with self.bot.store.reading() as tx:
            acts = [(event.change, event.by) for event in tx.alert_events()]
            revision = tx.revision()
            silences = [(one.id, one.until) for one in tx.silences(self.bot.clock.now())]
        opened = {view.id for view in self.bot.slack.state.modals(user) if "submit" in view.body}  # not a refusal
        edits = len(self.bot.slack.message(self.posts[channel], channel).edits)
        return acts, silences, edits, len(self.done), revision, opened


def world(bot: Bench, stack: ExitStack) -> World:
    for group, users in GROUPS.items():
        bot.slack.add_usergroup(group, users)
    bot.imports()
    bot.checks(61_000)
    with bot.store.writing() as tx:
        reason, until = "standstill signed", bot.clock.now().replace(year=2027)
        tx.add_silence(Silence(0, frozenset({"price"}), frozenset(), reason, Person("U1"), bot.clock.now(), until))
    people = dict(WHO.values())
    for user, facts in people.items():
        bot.slack.add_user(user, name=user.title(), **facts)
        bot.client.conversations_open(users=user)
    places = {f"C0{where.upper()}": where for where in (*OPEN[:3], *SHARED, *UNSEEN)}
    for channel, where in places.items():
        bot.slack.add_channel(channel, name=where)
    posts = {channel: posted(bot, channel) for channel in (*places, *(f"D{user}" for user in people))}
    bot.slack.add_channel("C0PRIVATE", name="private", is_private=True)
    bot.slack.add_channel("C0ARCHIVED", name="archived", is_archived=True)
    bot.slack.add_channel("C0SHARED", name="shared", is_ext_shared=True)
    bot.slack.add_channel("C0INVITING", name="inviting", is_pending_ext_shared=True)
    bot.slack.add_channel("C0UNSEEN", name="unseen", is_private=True, bot_is_member=False)
    bot.knows(*people, channels=tuple(places))
    bot.access.refresh()
    done: list[str] = []
    port = stack.enter_context(served(own_app(bot, done)))
    return World(bot, f"http://127.0.0.1:{port}/slack/events", posts, done)


def posted(bot: Bench, channel: str) -> str:
    """A message with every button there is; where it is."""
    (buttons,) = [block for block in newest(bot).blocks if block["type"] == "actions"]
    plain = {"type": "button", "text": {"type": "plain_text", "text": "Press"}}
    value = buttons["elements"][0]["value"]
    more = [{**plain, "action_id": NO_NOTICE, "value": value}, {**plain, "action_id": ASK}]
    more += [{**plain, "action_id": END, "value": "1"}]
    more += [{**plain, "action_id": name, "value": "7"} for name in (CONFIRM_CLAIM, WITHDRAW_CLAIM)]
    more += [{**plain, "action_id": name, "value": "7"} for name in PLANNING]
    more += [{**plain, "action_id": name} for name in ("operate", "approve")]
    block = {"type": "actions", "elements": [*buttons["elements"], *more]}
    return str(bot.client.chat_postMessage(channel=channel, text="An alert", blocks=[block])["ts"])


def own_app(bot: Bench, done: list[str]) -> Flask:
    """What takes an operator and an approver: a command, a click and a dialog of each, by the same desk."""

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=TOKEN)

    app = App(
        signing_secret=SECRET,
        client=bot.client,
        authorize=authorize,
        token_verification_enabled=False,
        process_before_response=True,
    )
    desk = Desk(
        access=bot.access,
        requests=bot.requests,
        audit=bot.audit,
        run_later=bot.later,
        slash=Slash(""),
        strict=True,
    )

    def handle(asked: Asked) -> Payload:
        done.append(asked.user_id)
        return notes.note("Done.")

    def take(asked: Asked) -> dict[str, str]:
        done.append(asked.user_id)
        return {}

    for name, needs in (("operate", Role.OPERATOR), ("approve", Role.APPROVER)):
        app.command(f"/{name}")(desk.answering(handle, (), needs=needs))
        app.action(name)(desk.pressing(name, handle, needs=needs))
        app.view(name)(desk.submitting(name, take, REASON, needs=needs))
    flask = Flask("own")
    flask.register_blueprint(slack_blueprint(app, SECRET))
    return flask
