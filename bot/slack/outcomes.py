"""Slack's errors sorted by the reaction they need. Reasons are a bounded set: they are the metrics' labels as well."""

from __future__ import annotations

import re
import socket
import ssl
from datetime import timedelta
from http.client import HTTPException
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.services.messaging import Outcome

UNREACHABLE = (OSError, HTTPException, SlackClientError)
"""What a request over urllib ends in without an answer; URLError and time-outs are OSErrors. After SlackApiError."""

PASSING = frozenset({"ratelimited", "rate_limited", "service_unavailable", "request_timeout", "http_5xx", "http_4xx"})
PASSING |= {"internal_error", "fatal_error", "accesslimited", "team_added_to_org"}
"""Worth asking again."""

PERHAPS_DONE = frozenset({"internal_error", "fatal_error", "request_timeout", "http_5xx"})
"""Slack may have acted all the same: its documentation says so of these, and a proxy's 5xx tells nothing."""

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
"""The message to edit is there no more, or not ours to edit."""

OURS = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "msg_too_long",
        "msg_blocks_too_long",
        "no_text",
        "markdown_text_conflict",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "invalid_arguments",
        "invalid_json",
    }
)
"""A message that we should not have made. Slack has not taken it: its words are sent without its looks."""

KNOWN = frozenset(
    {
        "account_inactive",
        "cannot_reply_to_message",
        "channel_is_archived",
        "channel_not_found",
        "ekm_access_denied",
        "invalid_auth",
        "is_archived",
        "message_limit_exceeded",
        "messages_tab_disabled",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "shared_channel",
        "team_access_not_granted",
        "team_not_found",
        "thread_not_found",
        "token_expired",
        "token_revoked",
    }
)
"""Permanent refusals that are told apart; any other is "refused"."""


def error_code(error: SlackApiError) -> str:
    """Slack's word for what is wrong; "http_5xx" and "http_4xx" where it gave none."""
    status = getattr(error.response, "status_code", 200)
    data = getattr(error.response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    if status == 429:
        return "ratelimited"
    if isinstance(code, str) and status < 500 and re.fullmatch("[a-z_]+", code):
        return code
    return "http_4xx" if 400 <= status < 500 else "http_5xx"  # a page of some proxy's, whatever it says


def retry_after(error: SlackApiError) -> timedelta | None:
    """What Slack asks to wait, where it does."""
    headers = getattr(error.response, "headers", None) or {}
    said = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    said = said[0] if isinstance(said, list) and said else said
    try:
        return timedelta(seconds=max(int(str(said)), 1)) if said is not None else None
    except ValueError:
        return None


def sorted_answer(error: SlackApiError, *, idempotent: bool) -> Outcome:
    """What a refusal of Slack's means for what was asked. `idempotent`: asking twice does no harm."""
    code = error_code(error)
    if code in PERHAPS_DONE and not idempotent:
        return Outcome.unknown(code)
    if code in PASSING:
        return Outcome.retry("ratelimited" if code == "rate_limited" else code, retry_after(error))
    if code in OURS:
        return Outcome.bug(code)
    if code in GONE:
        return Outcome.gone(code)
    return Outcome.permanent(code if code in KNOWN else "refused")


def sorted_silence(error: Exception, *, idempotent: bool) -> Outcome:
    """What it means that no answer came. Only what certainly never left is known not to have arrived."""
    cause = error.reason if isinstance(error, URLError) else error
    never_left = isinstance(cause, (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError))
    if never_left:
        return Outcome.retry("unreachable")
    reason = "time_out" if isinstance(cause, TimeoutError) else "line_cut"
    return Outcome.retry(reason) if idempotent else Outcome.unknown(reason)
