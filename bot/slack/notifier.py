"""Speaks to Slack for `bot.services.deliver`: posts, edits, looks for what it posted. Every error becomes an outcome.

There are no retry handlers: the client's own would post twice (seen: two posts, one clean "ok", where Slack took the
message and the connection dropped). Retrying is the deliverer's, which looks first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.request import Request

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.domain.digest_words import VIEW as DIGEST
from bot.domain.digest_words import Told
from bot.domain.messages import Message
from bot.domain.plan_words import VIEW as PLAN
from bot.domain.plan_words import PlanTold
from bot.domain.record_told import VIEW as RECORD
from bot.domain.record_told import RecordTold
from bot.services.access import Access, Ruling
from bot.services.directory import LookUpFailedError
from bot.services.messaging import Fate, MayLeave, Outcome
from bot.slack.limits import LimitError, Payload, outgoing, plain
from bot.slack.outcomes import KNOWN, UNREACHABLE, sorted_answer, sorted_silence
from bot.slack.text import flat
from bot.slack.views import alerts as views
from bot.slack.views.digest import digest
from bot.slack.views.plans import told as plan_view
from bot.slack.views.record import told as record_view

TIME_OUT_S = 10
"""Shorter than the settling time, so that a look past it sees whatever the attempt has done."""
EVENT_TYPE = "plimsoll_delivery"
MOST_PAGES = 10
PAGE = 200
SHOWN_WITHIN_S = 60
"""A post that is older than this and not in the channel's history is gone."""
LOOKING_S = 5
"""A look that takes longer goes on in another run."""
SHUT = frozenset({"channel_is_archived", "channel_not_found", "is_archived", "not_in_channel"})
"""Slack's refusals that are about the channel."""
EARLIER = timedelta(hours=2)
"""How much before a message was written it is looked for: clocks differ."""

_log = structlog.get_logger(__name__)


class ClaimLostError(Exception):
    """The request must not be sent any more; nothing of it has arrived."""


_may_leave: ContextVar[MayLeave | None] = ContextVar("may_leave", default=None)


class _GuardedClient(WebClient):
    """Asks `_may_leave` when the connection stands and the headers are sent, right before the body: a process that is
    frozen until another has taken its work over wakes up somewhere, and a request without its body is none."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        may_leave, body = _may_leave.get(), req.data
        if may_leave is not None and isinstance(body, bytes):
            req.data = _guarded(body, may_leave)
            req.add_header("Content-Length", str(len(body)))  # after the data, or urllib sends it in chunks
        return super()._perform_urllib_http_request_internal(url, req)


def _guarded(body: bytes, may_leave: MayLeave) -> Iterator[bytes]:
    if not may_leave():
        raise ClaimLostError
    yield body


@contextmanager
def _only_if(may_leave: MayLeave) -> Iterator[None]:
    token = _may_leave.set(may_leave)
    try:
        yield
    finally:
        _may_leave.reset(token)


def posting_client(client: WebClient, time_out_s: int = TIME_OUT_S) -> WebClient:
    """A client of its own for posting: like `client`, but it gives up in time and retries nothing."""
    return _GuardedClient(
        token=client.token,
        base_url=client.base_url,
        timeout=time_out_s,
        ssl=client.ssl,
        proxy=client.proxy,
        retry_handlers=[],
        logger=client._logger,
    )


class Notifier:
    """Implements `bot.services.deliver.Messenger`. Nothing is said in a channel that is shared with others."""

    def __init__(
        self, client: WebClient, access: Access, *, strict: bool = False, time_out_s: int = TIME_OUT_S
    ) -> None:
        self._client = posting_client(client, time_out_s)
        self._access = access
        self._strict = strict

    def post(
        self,
        channel: str,
        message: Mapping[str, Any],
        delivery_id: str,
        thread_ts: str | None = None,
        *,
        may_leave: MayLeave,
    ) -> Outcome:
        """A fresh message, or a reply, that carries `delivery_id` so that it can be found again."""
        closed = self._closed(channel)
        if closed is not None:
            return closed
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"id": delivery_id}}
        made = self._made(views.reply if thread_ts else views.alert, message)

        def send(payload: Payload) -> Any:
            return self._client.chat_postMessage(
                channel=channel,
                thread_ts=thread_ts,
                metadata=metadata,
                unfurl_links=False,
                unfurl_media=False,
                **payload,
            )

        return self._heeded(channel, self._sent(send, made, may_leave))

    def edit(self, channel: str, ts: str, message: Mapping[str, Any], *, may_leave: MayLeave) -> Outcome:
        """The same message, saying something newer."""
        closed = self._closed(channel)
        return closed if closed is not None else self._update(channel, ts, self._made(views.alert, message), may_leave)

    def continued(self, channel: str, ts: str, newer_channel: str, newer_ts: str, *, may_leave: MayLeave) -> Outcome:
        """The older post keeps what it said, loses its buttons, and links to the newer one."""
        closed = self._closed(channel)
        if closed is not None:
            return closed
        try:
            page = self._client.conversations_history(channel=channel, latest=ts, oldest=ts, inclusive=True, limit=1)
        except SlackApiError as error:
            return sorted_answer(error, idempotent=True)
        except UNREACHABLE as error:
            return sorted_silence(error, idempotent=True)
        shown = next((one for one in page.get("messages") or [] if one.get("ts") == ts), None)
        if shown is None and abs(time.time() - float(ts)) < SHOWN_WITHIN_S:
            return Outcome.retry("not_shown_yet")  # history may lag: it is no older than that
        if shown is None:
            return Outcome.sent(ts)  # somebody deleted it: nothing is left to say
        link = self.permalink(newer_channel, newer_ts)
        made = views.continued(list(shown.get("blocks") or []), str(shown.get("text") or ""), link)
        outcome = self._update(channel, ts, self._checked(made), may_leave)
        return Outcome.sent(ts) if outcome.fate is Fate.GONE else outcome

    def permalink(self, channel: str, ts: str) -> str | None:
        """A link to a message; None where Slack gives none now."""
        try:
            found = self._client.chat_getPermalink(channel=channel, message_ts=ts)
        except UNREACHABLE:
            return None
        return str(found["permalink"])

    def find(self, channel: str, delivery_id: str, since: datetime, thread_ts: str | None = None) -> Outcome:
        """Where the message with `delivery_id` is; it was not sent before `since`."""
        cursor, oldest = "", f"{(since - EARLIER).timestamp():.6f}"
        give_up_at = time.monotonic() + LOOKING_S
        for _ in range(MOST_PAGES):
            asked: dict[str, Any] = {"channel": channel, "oldest": oldest, "limit": PAGE, "cursor": cursor or None}
            asked |= {"include_all_metadata": True}
            try:
                if thread_ts:
                    page = self._client.conversations_replies(ts=thread_ts, **asked)
                else:
                    page = self._client.conversations_history(**asked)
            except SlackApiError as error:
                return sorted_answer(error, idempotent=True)
            except UNREACHABLE as error:
                return sorted_silence(error, idempotent=True)
            for one in page.get("messages") or []:
                if _delivery_id(one) == delivery_id:
                    return Outcome.sent(str(one["ts"]))
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return Outcome.absent()
            if time.monotonic() > give_up_at:
                return Outcome.retry("look_took_too_long")
        return Outcome.absent()

    def _update(self, channel: str, ts: str, made: Payload, may_leave: MayLeave) -> Outcome:
        """Not idempotent: arriving late, it would undo a newer one."""

        def send(payload: Payload) -> Any:
            return self._client.chat_update(channel=channel, ts=ts, **{"blocks": [], **payload})

        return self._heeded(channel, self._sent(send, made, may_leave))

    def _heeded(self, channel: str, outcome: Outcome) -> Outcome:
        """Where Slack knows the channel otherwise than we do, as after a lost event, it is asked, and people told."""
        if outcome.reason in SHUT:
            with suppress(LookUpFailedError):
                self._access.channel_changed(channel)
        return outcome

    def _sent(self, send: Callable[[Payload], Any], made: Payload, may_leave: MayLeave) -> Outcome:
        """`made`, or where Slack finds fault with its looks, the same without pictures, or its words alone."""
        outcome = _called(send, made, may_leave)
        for poorer in _poorer(made):
            if outcome.fate is not Fate.BUG:
                break
            _log.error("message_refused", reason=outcome.reason, text=made["text"][:200])
            if self._strict and "blocks" not in poorer:
                break
            outcome = _called(send, poorer, may_leave)
        return outcome

    def _made(self, view: Callable[[Message], Payload], document: Mapping[str, Any]) -> Payload:
        build, key, words = _read(view, document)
        try:
            made = build()
        except Exception as error:  # ugly, but said: an alert is not lost because something cannot be laid out
            if self._strict:
                raise LimitError([str(error)]) from error
            _log.exception("message_not_built", key=key)
            made = plain({"text": words})
        return self._checked(made)

    def _checked(self, made: Payload) -> Payload:
        return outgoing(made, strict=self._strict)

    def _closed(self, channel: str) -> Outcome | None:
        """Why nothing may be said in `channel`, or not now; None where it may."""
        try:
            judged = self._access.place(channel)
        except LookUpFailedError as failed:
            if failed.passing:
                return Outcome.retry("channel_not_checked", failed.retry_after)
            return Outcome.permanent(failed.code if failed.code in KNOWN else "refused")
        if judged.ruling is Ruling.REFUSED:
            return Outcome.permanent("shared_channel")
        return None


def _poorer(made: Payload) -> Iterator[Payload]:
    """What is left of a message that Slack finds fault with: a picture may be no more, or not there yet."""
    blocks = made.get("blocks", [])
    without = [block for block in blocks if block.get("type") != "image"]
    if 0 < len(without) < len(blocks):
        yield {**made, "blocks": without}
    if blocks:
        yield plain(made)


def _read(view: Callable[[Message], Payload], document: Mapping[str, Any]) -> tuple[Callable[[], Payload], str, str]:
    """How a document of the outbox is shown, what it is about, and its words alone, escaped."""
    if document.get("view") == DIGEST:
        told = Told.of(document)
        return partial(digest, told), DIGEST, flat(told.text)
    if document.get("view") == RECORD:
        record = RecordTold.of(document)
        return partial(record_view, record), RECORD, flat(record.text)
    if document.get("view") == PLAN:
        plan = PlanTold.of(document)
        return partial(plan_view, plan), PLAN, flat(plan.text)
    message = Message.of(document)
    waking = views.wake(message) if view is views.alert else ""
    return partial(view, message), message.key, waking + views.words(message)


def _called(send: Callable[[Payload], Any], payload: Payload, may_leave: MayLeave) -> Outcome:
    try:
        with _only_if(may_leave):
            answer = send(payload)
    except ClaimLostError:
        return Outcome.retry("claim_lost")
    except SlackApiError as error:
        return sorted_answer(error, idempotent=False)
    except UNREACHABLE as error:
        return sorted_silence(error, idempotent=False)
    return Outcome.sent(str(answer["ts"]))


def _delivery_id(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload") or {}
    found = payload.get("id")
    return str(found) if found is not None else None
