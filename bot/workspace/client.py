"""What people do in Slack, by hand or in a test: type a command, press a button, submit a modal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Unpack

from bot.workspace.args import RefusedError
from bot.workspace.messages import content
from bot.workspace.model import Channel, Json, Message, View, interactive
from bot.workspace.payloads import Payloads
from bot.workspace.signing import Answer, Sending, send
from bot.workspace.state import State
from bot.workspace.surfaces import Tickets, checked_view, show_modal
from bot.workspace.values import chosen, initial, missing, report

TROUBLE = "We had some trouble connecting. Try again?"


class SlackClient:
    """Acts for the workspace's users towards the bot, and shows them what comes back."""

    def __init__(self, state: State, tickets: Tickets, signing_secret: str) -> None:
        self.state = state
        self._tickets = tickets
        self._secret = signing_secret
        self._payloads = Payloads(state, tickets)
        self._target = ""
        self._sent: dict[str, tuple[bytes, str]] = {}

    def connect(self, url: str) -> None:
        """Where the bot listens: "http://127.0.0.1:3000/slack/events"."""
        self._target = url

    def command(self, line: str, user: str = "U1", channel: str = "C1", **sending: Unpack[Sending]) -> Answer:
        """Type "/ltv -20%" as a user in a channel. The answer is shown to them as Slack would show it.

        With `retry_num`, an earlier command with the same words is sent again, trigger id and all.
        """
        place = self._channel(channel)
        word, _, text = line.strip().partition(" ")
        key = f"command {user} {place.id} {line}"
        if "retry_num" not in sending or key not in self._sent:
            self._sent[key] = self._payloads.command(word, text.strip(), user, place)
        answer = self._send(self._sent[key], sending)
        return self._show(answer, line.strip(), user, place)

    def click(
        self,
        message_ts: str,
        action_id: str,
        user: str = "U1",
        channel: str = "C1",
        *,
        value: Any = None,
        block_id: str | None = None,
        state_values: Json | None = None,
        stale: bool = False,
        **sending: Unpack[Sending],
    ) -> Answer:
        """Press a button or pick from a menu, in a message or (given a view id) in a modal or the App Home.

        `value` is the option or date picked, `state_values` what else is filled in (as in `submit_view`). Raises
        LookupError if there is nothing of that name to press; `stale` also presses what an edit has taken away, as
        someone with an old screen might.
        """
        key = f"click {message_ts} {action_id} {user} {channel} {value} {block_id}"
        if "retry_num" not in sending or key not in self._sent:
            where = self._where(message_ts, channel)
            target = _find(_shown(where, stale=stale), action_id, block_id)
            self._sent[key] = self._press(where, target, user, value, state_values or {})
        return self._send(self._sent[key], sending)

    def submit_view(
        self,
        view_id: str,
        state_values: Json | None = None,
        user: str | None = None,
        *,
        force: bool = False,
        **sending: Unpack[Sending],
    ) -> Answer:
        """Submit a modal: `state_values` as Slack's, or {block_id: value}, or {action_id: value}.

        Raises LookupError for a modal that is not open or a field it does not have, ValueError where Slack's own
        client would not send it (a required field left empty); `force` sends it all the same.
        """
        view = self.state.views[view_id]
        values = report(view.blocks, state_values or {})
        if "retry_num" not in sending and not force:
            if view.status != "open":
                raise LookupError(f"modal {view_id} is {view.status}")
            if wrong := missing(view.blocks, values):
                raise ValueError(f"Slack would not submit this: {wrong}")
        key = f"submit {view_id}"
        if "retry_num" not in sending or key not in self._sent:
            self._sent[key] = self._payloads.submission(view, values, user or view.user)
        answer = self._send(self._sent[key], sending)
        return self._after_submit(view, answer)

    def close_view(self, view_id: str, **sending: Unpack[Sending]) -> Answer | None:
        """Close a modal. The bot hears of it only where the view asks for that; None where it does not."""
        view = self.state.views[view_id]
        with self.state.change():
            view.status = "closed"
        if not view.body.get("notify_on_close"):
            return None
        return self._send(self._payloads.closed(view, view.user, cleared=False), sending)

    def send_event(self, event: Json, event_id: str | None = None, **sending: Unpack[Sending]) -> Answer:
        """Deliver an event. With `retry_num`, the same event is delivered again under its earlier id."""
        key = f"event {event_id} {event}"
        if "retry_num" not in sending or key not in self._sent:
            self._sent[key] = self._payloads.event(event, event_id or self.state.new_id("Ev"))
        return self._send(self._sent[key], sending)

    def change_usergroup(self, group_id: str, users: list[str]) -> Answer:
        """Put other people into a user group; the bot hears of it. Raises LookupError if there is no such group."""
        with self.state.change():
            if group_id not in self.state.usergroups:
                raise LookupError(f"no user group {group_id}")
            before, self.state.usergroups[group_id] = self.state.usergroups[group_id], list(users)
        added, removed = ([one for one in a if one not in b] for a, b in ((users, before), (before, users)))
        event: Json = {"type": "subteam_members_changed", "subteam_id": group_id, "team_id": self.state.bot.team_id}
        event |= {"added_users": added, "added_users_count": str(len(added))}
        event |= {"removed_users": removed, "removed_users_count": str(len(removed))}
        return self.send_event(event)

    def open_home(self, user: str = "U1") -> Answer:
        """Look at the bot's App Home tab."""
        event = {"type": "app_home_opened", "user": user, "channel": f"D{user}", "tab": "home"}
        return self.send_event(event)

    def repeat(self, answer: Answer, **sending: Unpack[Sending]) -> Answer:
        """Send the very request that got `answer` again, byte for byte, as Slack's retry does. Nothing is shown."""
        return self._send(answer.request, {"retry_num": 1, **sending})

    def _channel(self, name: str) -> Channel:
        place = self.state.find_channel(name)
        if place is None:
            raise LookupError(f"no channel {name}")
        return place

    def _send(self, request: tuple[bytes, str], sending: Sending) -> Answer:
        if not self._target:
            raise RuntimeError("connect() the workspace to a bot first")
        return send(self._target, self._secret, request, sending)

    # Showing what a command got

    def _show(self, answer: Answer, line: str, user: str, channel: Channel) -> Answer:
        """Show the acknowledgement, or what went wrong, to whom it concerns."""
        if answer.error:
            self._notice(f"{line.split(maxsplit=1)[0]} failed with the error “{answer.error}”", line, user, channel)
            return answer
        told = answer.json if isinstance(answer.json, dict) else {"text": answer.body} if answer.body.strip() else {}
        if not (told.get("text") or told.get("blocks")):
            return answer
        try:
            text, blocks = content(self.state, str(told.get("text") or ""), told.get("blocks"))
        except RefusedError as refused:
            problems = refused.extra.get("response_metadata", {}).get("messages", [refused.code])
            code = "invalid_command_response"
            self._notice(f"{line.split(maxsplit=1)[0]} failed with the error “{code}”", line, user, channel)
            return replace(answer, error=code, problems=problems)
        for_all = told.get("response_type") == "in_channel"
        message = Message(self.state.new_ts(), channel.id, self.state.bot.user_id, text, blocks, command=line)
        message.ephemeral_to = None if for_all else user
        self.state.add_message(message)
        return replace(answer, text=text, blocks=blocks)

    def _notice(self, text: str, line: str, user: str, channel: Channel) -> None:
        """A line from Slack itself, to one user."""
        message = Message(self.state.new_ts(), channel.id, "USLACKBOT", text, [], ephemeral_to=user)
        message.command, message.notice = line, "error"
        self.state.add_message(message)

    # Clicks

    def _where(self, ts: str, channel: str) -> View | Message:
        """The view of that id, or the message of that `ts`. Raises LookupError."""
        found = self.state.views.get(ts) or self.state.message(self._channel(channel).id, ts)
        if found is None:
            raise LookupError(f"no message {ts} in {channel}")
        return found

    def _press(
        self, where: View | Message, target: tuple[list[Json], Json, Json], user: str, value: Any, filled: Json
    ) -> tuple[bytes, str]:
        """The request for one element pressed, with the state of all others."""
        blocks, block, element = target
        action_id, kind = element["action_id"], element["type"]
        pick = initial(element) if value is None and kind != "button" else chosen(element, value)
        if kind not in {"button", "overflow"}:
            filled = {**filled, block["block_id"]: {**filled.get(block["block_id"], {}), action_id: pick}}
        values = report(blocks, filled)
        action = self._payloads.action(block, element, pick)
        if isinstance(where, View):
            return self._payloads.view_action(where, action, values, user)
        return self._payloads.message_action(where, action, values, user)

    # Modals

    def _after_submit(self, view: View, answer: Answer) -> Answer:
        """Do with the modal what the bot's answer says; Slack shows trouble for an answer it does not understand."""
        told = answer.json if isinstance(answer.json, dict) else {}
        try:
            if answer.error:
                raise RefusedError(answer.error)
            self._respond_to_submit(view, told)
        except RefusedError as refused:
            with self.state.change():
                view.errors = {"": TROUBLE}
            problems = refused.extra.get("response_metadata", {}).get("messages", [refused.code])
            return replace(answer, error=answer.error or "invalid_response_action", problems=problems)
        return answer

    def _respond_to_submit(self, view: View, told: Json) -> None:
        action = told.get("response_action")
        if action == "errors":
            asked = {block["block_id"] for block, _ in interactive(view.blocks) if block["type"] == "input"}
            errors = told.get("errors")
            if not isinstance(errors, dict) or not errors or not errors.keys() <= asked:
                raise RefusedError("invalid_errors", f"errors must name input blocks of the view: {errors}")
            with self.state.change():
                view.errors = {block: str(text) for block, text in errors.items()}
        elif action == "update":
            self.state.replace_view(view, checked_view(self.state, told.get("view"), "modal"))
        elif action == "push":
            show_modal(self.state, view.user, checked_view(self.state, told.get("view"), "modal"), view)
        elif action in {None, "clear"}:
            self._close(view, everything=action == "clear")
        else:
            raise RefusedError("invalid_response_action", f"unknown response_action: {action}")

    def _close(self, view: View, *, everything: bool) -> None:
        with self.state.change():
            view.errors = {}
            for other in self.state.modals(view.user) if everything else [view]:
                if other.status == "open":
                    other.status = "submitted" if other is view else "closed"


def _shown(where: View | Message, *, stale: bool) -> list[list[Json]]:
    """The blocks someone may be looking at: those of now, and with `stale` those of before, newest first."""
    earlier = reversed(where.edits) if stale and isinstance(where, Message) else ()
    return [where.blocks, *(version.blocks for version in earlier)]


def _find(shown: list[list[Json]], action_id: str, block_id: str | None) -> tuple[list[Json], Json, Json]:
    """The blocks, block and element of that name, in what is shown now or was before."""
    for blocks in shown:
        for block, element in interactive(blocks):
            if element.get("action_id") == action_id and block_id in {None, block["block_id"]}:
                return blocks, block, element
    offered = [element.get("action_id") for _, element in interactive(shown[0])]
    raise LookupError(f"nothing called {action_id!r} to press; there is {offered}")
