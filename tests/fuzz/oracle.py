"""Looks at everything that came of a request: the answer, what was said to Slack, what was logged and recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.slack.limits import faults
from bot.workspace.args import RefusedError
from bot.workspace.messages import content
from bot.workspace.model import Call, Json

from .cases import Case
from .texts import MARK
from .world import CANARIES, Served, World

PATIENCE_S = 3.0
TRACEBACK = "Traceback"
_LAST_RESORT = ("command_failed", "later_failed", "payload_refused", "message_refused", "message_not_built")
"""Log events of a bug that was caught: somebody got a reference id, or plain text, in place of an answer."""
_OURS = re.compile(
    r"<(?:!date\^\d+\^\{date_short_pretty\} \{time\}\|[^<>&]*"
    r"|@U0[A-Z]+|\#C0[A-Z]+|!subteam\^S0OFFICERS|!channel"
    r"|http://127\.0\.0\.1:\d+/archives/[^<>|&]*\|a newer message)>"
)
"""Everything between < and > that the bot itself has to say."""
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")
_CANARY = re.compile("|".join(re.escape(one) for one in CANARIES), re.IGNORECASE)
_SDK_SAYS = "Failed to send a request to Slack API server"
"""slack_sdk's own line, which is off in the bot's logs; what becomes of it the bot says itself."""
_SAYING = ("chat.postMessage", "chat.update", "chat.postEphemeral", "response_url")
_REFUSALS_MET = frozenset(
    {"ok", "expired_url", "used_url", "invalid_trigger_id", "exchanged_trigger_id", "expired_trigger_id"}
)
"""What a call may end in: the rest is Slack's word for something that the bot made wrong."""
_ASKING = ("users.info", "conversations.info", "usergroups.users.list", "auth.test", "conversations.history")
"""Who or what a made-up id stands for is asked, and there is none: no fault."""


def found_in_answer(case: Case, served: Served) -> Iterator[str]:
    """Faults of the status, the body and the time."""
    if served.status >= 500:
        yield f"status {served.status}"
    if not case.signing.sound and served.status not in (401, 413):
        yield f"status {served.status} for a request that is not signed ({case.signing.way})"
    if case.must_answer and served.status != 200:
        yield f"status {served.status} for a member's command"
    if served.seconds > PATIENCE_S:
        yield f"answered in {served.seconds:.1f} s"
    text = served.body.decode("utf-8", "replace")
    if TRACEBACK in text or TRACEBACK in served.errors:
        yield f"a traceback: {text[:200]}{served.errors[-1500:]}"


def found_in_acknowledgement(world: World, case: Case, served: Served, calls: Iterable[Call]) -> Iterator[str]:
    """Faults of what the body shows to who asked."""
    told = _json(served.body) if served.status == 200 else None
    shown = isinstance(told, dict) and "response_action" not in told and "challenge" not in told
    if shown and told:
        yield from found_in_message(told)
        yield from _refused(world, told)
    if isinstance(told, dict) and "view" in told:
        yield from found_in_view(told["view"])
    answered = (shown and told) or any(call.method in ("views.open", "response_url") for call in calls)
    if case.must_answer and not answered:
        yield "a member's command got no answer"


def _refused(world: World, told: Json) -> Iterator[str]:
    try:
        content(world.slack.state, str(told.get("text") or ""), told.get("blocks"))
    except RefusedError as refused:
        yield f"Slack would refuse the answer: {refused.extra or refused.code}"


def found_in_calls(calls: Iterable[Call]) -> Iterator[str]:
    """Faults of what was said to Slack, and what Slack would have refused of it."""
    for call in calls:
        if call.method in _SAYING:
            message = {**call.args, "blocks": _structure(call.args.get("blocks"))}
            yield from found_in_message({key: value for key, value in message.items() if value is not None})
        elif call.method.startswith("views."):
            yield from found_in_view(_structure(call.args.get("view")))
        if call.method not in _ASKING and call.outcome not in _REFUSALS_MET and not _unasked(call):
            yield f"Slack refused {call.method}: {call.outcome}"


def _unasked(call: Call) -> bool:
    """A dialog for a request that came without a trigger id: `found_in_view` has judged it."""
    return call.method == "views.open" and not call.args.get("trigger_id")


def found_in_message(message: Json) -> Iterator[str]:
    """Faults of one message: its text, its blocks, its limits."""
    yield from faults({key: message[key] for key in ("text", "blocks") if key in message})
    yield from found_in_text(str(message.get("text") or ""))
    yield from _found_in_blocks(message.get("blocks"))


def found_in_view(view: Any) -> Iterator[str]:
    """Faults of one dialog."""
    if not isinstance(view, dict):
        yield "a view that is none"
        return
    yield from faults(view, str(view.get("type")))
    yield from _found_in_blocks(view.get("blocks"))
    yield from _found_in_blocks([view.get(name) for name in ("title", "submit", "close")])


def _found_in_blocks(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for one in part:
            yield from _found_in_blocks(one)
    elif isinstance(part, dict):
        kind, text = part.get("type"), part.get("text")
        if kind in ("mrkdwn", "plain_text") and isinstance(text, str):
            yield from found_in_text(text)
            if kind == "mrkdwn" and part.get("verbatim") is not True:
                yield f"mrkdwn that is not verbatim: {text[:80]!r}"
        for name, inner in part.items():
            if name != "text" or not isinstance(inner, str):
                yield from _found_in_blocks(inner)


def found_in_text(text: str) -> Iterator[str]:
    """What is in `text` that Slack would take for more than letters, and that the bot has no reason to say.

    A person's words have a MARK on either side: what the bot may say is a fault next to one.
    """
    for found in _OURS.finditer(text):
        before, after = text[: found.start()].lower(), text[found.end() :].lower()
        if before.endswith(MARK) or after.startswith(MARK) or MARK in found[0].lower():
            yield f"a person's words made Slack's: {text[max(found.start() - 40, 0) : found.end() + 40]!r}"
    rest = _OURS.sub("", text)
    for wrong in (*re.finditer("[<>]", rest), *_ENTITY.finditer(rest)):
        yield f"not escaped: {rest[max(wrong.start() - 40, 0) : wrong.end() + 40]!r}"
    for found in re.finditer("@(channel|here|everyone)", text):
        yield f"wakes everybody: {text[max(found.start() - 40, 0) : found.end() + 40]!r}"


def found_in_logs(case: Case | None, text: str, lines: str) -> Iterator[str]:
    """Faults of what was logged in both formats; `lines` is JSON, a line each."""
    for one in (text, lines):
        if TRACEBACK in one:
            yield f"a traceback: {one[one.index(TRACEBACK) - 200 :][:2500]}"
    yield from found_secrets("a log line", text, lines)
    for line in lines.rstrip("\n").split("\n") if lines else ():
        event = _json(line.encode())
        if not isinstance(event, dict):
            yield f"a log line that is no JSON: {line[:200]!r}"
        elif event.get("event") in _LAST_RESORT:
            yield f"{event['event']}: {line[:300]}"
        elif event.get("level") in ("error", "critical") and not _explained(case, event):
            yield f"logged as an error: {line[:300]}"


def _explained(case: Case | None, event: Json) -> bool:
    """Where to answer was not Slack's address: that it cannot be answered there is an error of whoever sent it."""
    said = str(event.get("event"))
    about_it = said == "response_not_delivered" or said.startswith(_SDK_SAYS)
    return about_it and case is not None and not case.address_kept


def found_secrets(where: str, *texts: str) -> Iterator[str]:
    """A secret of the bot's in `texts`, in upper or lower case."""
    for text in texts:
        for found in _CANARY.finditer(text):
            yield f"a secret in {where}: {text[max(found.start() - 60, 0) : found.end()]!r}"


def found_in_records(world: World) -> Iterator[str]:
    """Faults of the audit log: a secret in it, or a chain that is broken."""
    from bot.domain.audit import verify

    world.running.audit.flush()
    with world.running.store.reading() as tx:
        rows = list(tx.audit_rows())
    for row in rows:
        yield from found_secrets(f"audit entry {row.number}", row.actor, row.about, row.detail)
    verdict = verify(rows)
    if verdict.fault is not None:
        yield f"the audit log: {verdict.fault.text}"


def _structure(value: Any) -> Any:
    return _json(value.encode()) if isinstance(value, str) else value


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
