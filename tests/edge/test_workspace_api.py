"""The stand-in's Web API, driven by the real slack_sdk over loopback: what Slack takes, refuses, and forgets to say."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.workspace import Workspace, faults

TOKEN = "xoxb-test"
Block = dict[str, Any]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 2, 7, 14, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[Workspace]:
    with Workspace(signing_secret="secret", bot_token=TOKEN, clock=clock, posts_per_second=None) as workspace:
        workspace.add_user("U1", name="Ada")
        workspace.add_user("U2", name="Guest", is_restricted=True)
        workspace.add_user("U3", name="Eve", is_stranger=True)
        workspace.add_channel("C1", name="treasury")
        workspace.add_usergroup("S1", users=["U1"])
        yield workspace


@pytest.fixture
def client(slack: Workspace) -> WebClient:
    return WebClient(TOKEN, base_url=slack.api_url, retry_handlers=[], timeout=5)


def refusal(call: Any, **kwargs: Any) -> str:
    """The error code with which Slack refuses a call."""
    with pytest.raises(SlackApiError) as refused:
        call(**kwargs)
    return str(refused.value.response["error"])


def section(text: str = "text", **more: Any) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str = "go", **more: Any) -> Block:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": "Go"}, **more}


def actions(*elements: Block, **more: Any) -> Block:
    return {"type": "actions", "elements": list(elements), **more}


def option(n: int, size: int = 1) -> Block:
    return {"text": {"type": "plain_text", "text": "x" * size}, "value": str(n)}


def select(count: int = 2, **more: Any) -> Block:
    return {"type": "static_select", "action_id": "pick", "options": [option(n) for n in range(count)], **more}


def table(rows: int = 1, columns: int = 1, text: str = "x") -> Block:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns for _ in range(rows)]}


# Posting


def test_it_posts_edits_and_remembers_the_earlier_version(slack: Workspace, client: WebClient) -> None:
    posted = client.chat_postMessage(channel="C1", text="first", blocks=[section("first")])
    client.chat_update(channel="C1", ts=posted["ts"], text="second", blocks=[section("second")])

    [message] = slack.channel("treasury")
    assert (message.text, message.blocks[0]["text"]["text"], message.user) == ("second", "second", "U0PLIMSOLL")
    assert [(v.text, v.blocks[0]["text"]["text"]) for v in message.edits] == [("first", "first")]
    [seen] = client.conversations_history(channel="C1")["messages"]
    assert seen["edited"]["user"] == "U0PLIMSOLL"


def test_an_edit_keeps_what_it_does_not_name_and_empties_what_it_empties(slack: Workspace, client: WebClient) -> None:
    metadata = {"event_type": "alert", "event_payload": {"id": "1"}}
    ts = client.chat_postMessage(channel="C1", text="a", blocks=[section()], metadata=metadata)["ts"]
    client.chat_update(channel="C1", ts=ts, text="b")
    assert slack.message(ts).blocks[0]["type"] == "section"
    assert slack.message(ts).metadata == metadata
    client.chat_update(channel="C1", ts=ts, text="c", blocks=[], metadata={})
    assert (slack.message(ts).blocks, slack.message(ts).metadata) == ([], None)


def test_ts_is_unique_increasing_and_follows_a_clock_that_jumps(client: WebClient, clock: Clock) -> None:
    def post() -> str:
        return str(client.chat_postMessage(channel="C1", text="x")["ts"])

    first, second = post(), post()
    clock.advance(86_400)
    third = post()
    assert first == "1770473700.000000"
    assert first < second < third
    assert third == "1770560100.000000"


def test_history_omits_replies_and_gives_metadata_only_when_asked(slack: Workspace, client: WebClient) -> None:
    metadata = {"event_type": "delivery", "event_payload": {"id": "7"}}
    root = client.chat_postMessage(channel="C1", text="root", metadata=metadata)["ts"]
    reply = client.chat_postMessage(channel="C1", text="reply", thread_ts=root, metadata=metadata)["ts"]

    [plain] = client.conversations_history(channel="C1")["messages"]
    [full] = client.conversations_history(channel="C1", include_all_metadata=True)["messages"]
    assert "metadata" not in plain
    assert (full["metadata"], full["reply_count"], full["latest_reply"]) == (metadata, 1, reply)
    thread = client.conversations_replies(channel="C1", ts=root, include_all_metadata=True)["messages"]
    assert [(m["ts"], m["metadata"]["event_payload"]["id"]) for m in thread] == [(root, "7"), (reply, "7")]
    [message] = slack.channel("treasury")
    assert [m.text for m in message.replies] == ["reply"]
    assert [m.text for m in slack.channel("treasury").all_posts] == ["root", "reply"]


def test_history_pages_and_bounds_as_slack_does(client: WebClient, clock: Clock) -> None:
    stamps = []
    for n in range(5):
        clock.advance(1)
        stamps.append(client.chat_postMessage(channel="C1", text=str(n))["ts"])

    pages = [[m["text"] for m in page["messages"]] for page in client.conversations_history(channel="C1", limit=2)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    bounds = {"channel": "C1", "oldest": stamps[1], "latest": stamps[3]}
    assert [m["text"] for m in client.conversations_history(**bounds)["messages"]] == ["2"]
    assert [m["text"] for m in client.conversations_history(**bounds, inclusive=True)["messages"]] == ["3", "2", "1"]
    assert refusal(client.conversations_history, channel="C1", cursor="nonsense") == "invalid_cursor"


def test_an_ephemeral_message_is_seen_by_one_and_not_in_history(slack: Workspace, client: WebClient) -> None:
    client.chat_postEphemeral(channel="C1", user="U1", text="psst")
    assert client.conversations_history(channel="C1")["messages"] == []
    assert slack.channel("treasury") == []
    assert [m.text for m in slack.ephemerals("U1")] == ["psst"]
    assert [m.text for m in slack.channel("treasury", user="U1")] == ["psst"]
    assert slack.channel("treasury", user="U2") == []


def test_it_deletes_and_links(slack: Workspace, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C1", text="x")["ts"]
    link = client.chat_getPermalink(channel="C1", message_ts=ts)["permalink"]
    assert link == f"{slack.url}/archives/C1/p{ts.replace('.', '')}"
    client.chat_delete(channel="C1", ts=ts)
    assert slack.channel("treasury") == []
    assert refusal(client.chat_getPermalink, channel="C1", message_ts=ts) == "message_not_found"


def test_a_post_to_a_person_is_a_direct_message(slack: Workspace, client: WebClient) -> None:
    assert client.chat_postMessage(channel="U1", text="hello")["channel"] == "DU1"
    assert [m.text for m in slack.direct("U1")] == ["hello"]


def test_a_picture_is_uploaded_first_and_shown_by_its_id(slack: Workspace, client: WebClient) -> None:
    picture = {"type": "image", "slack_file": {"id": "F404"}, "alt_text": "chart"}
    assert refusal(client.chat_postMessage, channel="C1", text="x", blocks=[picture]) == "invalid_blocks"
    file_id = client.files_upload_v2(content=b"\x89PNG", filename="chart.png", title="Chart")["file"]["id"]
    picture["slack_file"] = {"id": file_id}
    client.chat_postMessage(channel="C1", text="x", blocks=[picture])
    assert len(slack.channel("treasury")) == 1


# Refusing


def test_tokens_and_methods_are_checked(slack: Workspace, client: WebClient) -> None:
    assert client.auth_test()["bot_id"] == "B0PLIMSOLL"
    assert client.api_test(foo="bar")["args"] == {"foo": "bar"}
    assert refusal(WebClient("xoxb-wrong", base_url=slack.api_url).auth_test) == "invalid_auth"
    assert refusal(WebClient(base_url=slack.api_url).auth_test) == "not_authed"
    assert refusal(client.api_call, api_method="chat.shout") == "unknown_method"


def test_channels_the_bot_may_not_post_to(slack: Workspace, client: WebClient) -> None:
    slack.add_channel("C2", name="old", is_archived=True)
    slack.add_channel("C3", name="public", bot_is_member=False)
    slack.add_channel("C4", name="secret", bot_is_member=False, is_private=True)
    told = {c: refusal(client.chat_postMessage, channel=c, text="x") for c in ("C2", "C3", "C4", "C404")}
    assert told == {
        "C2": "is_archived",
        "C3": "not_in_channel",
        "C4": "channel_not_found",
        "C404": "channel_not_found",
    }
    assert refusal(client.conversations_history, channel="C3") == "not_in_channel"


def test_messages_it_may_not_change(slack: Workspace, client: WebClient) -> None:
    theirs = slack.post_as("U1", "treasury", "mine")
    assert refusal(client.chat_update, channel="C1", ts=theirs.ts, text="x") == "cant_update_message"
    assert refusal(client.chat_delete, channel="C1", ts=theirs.ts) == "cant_delete_message"
    assert refusal(client.chat_update, channel="C1", ts="1.000001", text="x") == "message_not_found"
    assert refusal(client.chat_postMessage, channel="C1", text="x", thread_ts="1.000001") == "cannot_reply_to_message"


def test_text_and_metadata(client: WebClient) -> None:
    def told(**kwargs: Any) -> str:
        return refusal(client.api_call, api_method="chat.postMessage", json={"channel": "C1", **kwargs})

    assert told() == "no_text"
    assert told(text="", blocks=[]) == "no_text"
    assert told(text="x" * 40_001) == "msg_too_long"
    assert told(text="x", blocks=[section("x" * 3000)] * 3 + [section("x")]) == "msg_blocks_too_long"
    assert told(text="x", metadata={"event_type": "a"}) == "invalid_metadata_format"
    assert told(text="x", blocks="{not json") == "invalid_blocks_format"
    client.chat_postMessage(channel="C1", text="x" * 40_000, blocks=[section("x" * 3000)] * 3)


PLAIN = {"type": "plain_text", "text": "x"}
LONG_URL = "https://example.com/" + "x" * 3000
REFUSED: dict[str, list[Block]] = {
    "51 blocks": [section()] * 51,
    "an unknown block": [{"type": "marquee"}],
    "an unknown element": [actions({"type": "lever", "action_id": "a"})],
    "an unknown field": [section(colour="red")],
    "an input in a message": [
        {"type": "input", "label": PLAIN, "element": {"type": "plain_text_input", "action_id": "a"}}
    ],
    "a section of 3,001 characters": [section("x" * 3001)],
    "a section without text": [{"type": "section"}],
    "an empty text": [section("")],
    "11 fields": [{"type": "section", "fields": [PLAIN] * 11}],
    "a field of 2,001 characters": [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}],
    "no fields": [{"type": "section", "fields": []}],
    "a header in mrkdwn": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "a header of 151 characters": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
    "an empty context": [{"type": "context", "elements": []}],
    "11 context elements": [{"type": "context", "elements": [PLAIN] * 11}],
    "a button in a context": [{"type": "context", "elements": [button()]}],
    "an empty actions block": [actions()],
    "26 buttons": [actions(*[button(f"a{n}") for n in range(26)])],
    "two buttons of one action_id": [actions(button("a"), button("a"))],
    "two blocks of one block_id": [section(block_id="b"), section(block_id="b")],
    "a block_id of 256 characters": [section(block_id="b" * 256)],
    "an action_id of 256 characters": [actions(button("a" * 256))],
    "a button of 76 characters": [actions(button(text={"type": "plain_text", "text": "x" * 76}))],
    "a button in mrkdwn": [actions(button(text={"type": "mrkdwn", "text": "x"}))],
    "a button value of 2,001 characters": [actions(button(value="x" * 2001))],
    "a button style": [actions(button(style="loud"))],
    "a button url": [actions(button(url=LONG_URL))],
    "101 options": [actions(select(101))],
    "no options": [actions(select(0))],
    "an option of 76 characters": [actions({**select(), "options": [option(1, 76)]})],
    "an initial option that is not offered": [actions(select(initial_option=option(9)))],
    "six overflow options": [
        section(accessory={"type": "overflow", "action_id": "o", "options": [option(n) for n in range(6)]})
    ],
    "two tables": [table(), table()],
    "101 rows": [table(101)],
    "21 cells": [table(1, 21)],
    "an empty cell": [table(text="")],
    "a blank cell": [table(text=" ")],
    "an empty rich cell": [{"type": "table", "rows": [[{"type": "rich_text", "elements": []}]]}],
    "a ragged table": [{"type": "table", "rows": [*table(1, 2)["rows"], *table(1, 1)["rows"]]}],
    "an image without alt text": [{"type": "image", "image_url": "https://example.com/a.png"}],
    "an image from nowhere": [{"type": "image", "alt_text": "x"}],
    "rich text of an unknown kind": [{"type": "rich_text", "elements": [{"type": "rich_text_poem", "elements": []}]}],
}


@pytest.mark.parametrize("blocks", REFUSED.values(), ids=REFUSED.keys())
def test_it_refuses_blocks_that_slack_refuses_and_says_which(
    slack: Workspace, client: WebClient, blocks: list[Block]
) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel="C1", text="x", blocks=blocks)
    answer = refused.value.response
    assert answer["error"] == "invalid_blocks"
    assert "[json-pointer:/blocks" in answer["response_metadata"]["messages"][0]
    assert slack.channel("treasury") == []


def rich(kind: str, *elements: Block, **more: Any) -> Block:
    return {"type": kind, "elements": list(elements), **more}


WORD = {"type": "text", "text": "word", "style": {"bold": True}}
TAKEN: dict[str, list[Block]] = {
    "the fullest message": [section("x", block_id=f"b{n}") for n in range(50)],
    "the longest section": [section("x" * 3000)],
    "25 buttons": [actions(*[button(f"a{n}", value="x" * 2000) for n in range(25)])],
    "the same action_id in two blocks": [actions(button("a")), actions(button("a"))],
    "menus": [actions(select(100, initial_option=option(7)), {"type": "datepicker", "action_id": "d"})],
    "everything else": [
        {"type": "header", "text": PLAIN},
        {"type": "divider"},
        {"type": "section", "fields": [PLAIN] * 10, "accessory": button(style="danger")},
        {"type": "context", "elements": [PLAIN, {"type": "mrkdwn", "text": "*x*"}]},
        {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "x", "title": PLAIN},
        {
            "type": "rich_text",
            "elements": [
                rich("rich_text_section", WORD, {"type": "date", "timestamp": 1, "format": "{time}"}),
                rich("rich_text_list", rich("rich_text_section", WORD), style="bullet"),
                rich("rich_text_preformatted", WORD),
                rich("rich_text_quote", WORD),
            ],
        },
        {**table(100, 20), "column_settings": [{"align": "right"}, None]},
    ],
}


@pytest.mark.parametrize("blocks", TAKEN.values(), ids=TAKEN.keys())
def test_it_takes_blocks_that_slack_takes(slack: Workspace, client: WebClient, blocks: list[Block]) -> None:
    client.chat_postMessage(channel="C1", text="x", blocks=blocks)
    [message] = slack.channel("treasury")
    assert [{k: v for k, v in b.items() if k != "block_id"} for b in message.blocks if b["type"] != "actions"] == [
        {k: v for k, v in b.items() if k != "block_id"} for b in blocks if b["type"] != "actions"
    ]


# Looking things up


def test_users_channels_and_groups(slack: Workspace, client: WebClient) -> None:
    slack.add_channel("C2", name="shared", is_ext_shared=True, is_private=True)
    assert client.users_info(user="U2")["user"]["is_restricted"]
    stranger = client.users_info(user="U3")["user"]
    assert (stranger["is_stranger"], stranger["team_id"]) == (True, "T0OTHER")
    assert "is_stranger" not in client.users_info(user="U1")["user"]
    assert refusal(client.users_info, user="U404") == "user_not_found"
    assert [u["id"] for u in client.users_list()["members"]] == ["U0PLIMSOLL", "U1", "U2", "U3"]
    assert client.conversations_info(channel="C2")["channel"]["is_ext_shared"]
    assert [c["id"] for c in client.conversations_list()["channels"]] == ["C1"]
    both = client.conversations_list(types="public_channel,private_channel")["channels"]
    assert [c["id"] for c in both] == ["C1", "C2"]
    assert "U1" in client.conversations_members(channel="C1")["members"]
    assert client.usergroups_users_list(usergroup="S1")["users"] == ["U1"]
    assert refusal(client.usergroups_users_list, usergroup="S404") == "no_such_subteam"


def test_who_is_deactivated_and_who_is_invited_is_told(slack: Workspace, client: WebClient) -> None:
    assert not client.users_info(user="U1")["user"]["deleted"]
    slack.add_user("U1", name="Ada", deleted=True)
    assert client.users_info(user="U1")["user"]["deleted"]
    slack.add_channel("C1", name="treasury", is_pending_ext_shared=True)
    channel = client.conversations_info(channel="C1")["channel"]
    assert (channel["is_pending_ext_shared"], channel["is_ext_shared"]) == (True, False)


# Rate


def test_a_sixth_post_at_once_is_too_many_and_another_channel_is_not(slack: Workspace) -> None:
    with Workspace(signing_secret="s", bot_token=TOKEN, posts_per_second=20, burst=5) as busy:
        busy.add_channel("C1", name="one")
        busy.add_channel("C2", name="two")
        client = WebClient(TOKEN, base_url=busy.api_url, retry_handlers=[])
        told = []
        for _ in range(60):
            try:
                client.chat_postMessage(channel="C1", text="x")
            except SlackApiError as refused:
                told.append(refused.response)
                break
        client.chat_postMessage(channel="C2", text="x")
        [limited] = told
        assert (limited.status_code, limited["error"], limited.headers["Retry-After"]) == (429, "ratelimited", "1")
        time.sleep(0.1)
        client.chat_postMessage(channel="C1", text="x")


def test_updates_have_their_own_measure(slack: Workspace, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C1", text="x")["ts"]
    for n in range(50):
        client.chat_update(channel="C1", ts=ts, text=str(n))
    assert refusal(client.chat_update, channel="C1", ts=ts, text="51") == "ratelimited"


# Faults


def test_a_reset_takes_nothing_and_an_accepted_reset_takes_it(slack: Workspace, client: WebClient) -> None:
    slack.on("chat.postMessage", faults.reset, faults.accept_then_reset, times=1)
    for text in ("lost", "taken"):
        with pytest.raises(ConnectionResetError):
            client.chat_postMessage(channel="C1", text=text)
    client.chat_postMessage(channel="C1", text="well")
    assert [m.text for m in slack.channel("treasury")] == ["taken", "well"]
    assert slack.calls["chat.postMessage"] == 3
    assert [(c.outcome, c.taken) for c in slack.calls.of("chat.postMessage")] == [
        ("reset", False),
        ("accept_then_reset", True),
        ("ok", True),
    ]


def test_the_default_client_really_posts_twice(slack: Workspace) -> None:
    slack.on("chat.postMessage", faults.accept_then_reset, times=1)
    WebClient(TOKEN, base_url=slack.api_url).chat_postMessage(channel="C1", text="twice")
    assert [m.text for m in slack.channel("treasury")] == ["twice", "twice"]


def test_refusals_on_request(slack: Workspace, client: WebClient) -> None:
    slack.on("chat.postMessage", faults.error("channel_not_found"), faults.http_500, faults.ratelimited(7), times=1)
    assert refusal(client.chat_postMessage, channel="C1", text="x") == "channel_not_found"
    assert refusal(client.chat_postMessage, channel="C1", text="x") == "internal_error"
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel="C1", text="x")
    assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (429, "7")
    slack.on("chat.postMessage", faults.http_500)
    for _ in range(3):
        assert refusal(client.chat_postMessage, channel="C1", text="x") == "internal_error"
    slack.clear_faults()
    client.chat_postMessage(channel="C1", text="x")


def test_silence_outlasts_the_clients_patience(slack: Workspace) -> None:
    hasty = WebClient(TOKEN, base_url=slack.api_url, retry_handlers=[], timeout=0.2)  # type: ignore[arg-type]
    slack.on("chat.postMessage", faults.hang(0.4), faults.accept_then_hang(0.4), times=1)
    for text in ("lost", "taken"):
        with pytest.raises(TimeoutError):
            hasty.chat_postMessage(channel="C1", text=text)
    slack.on("chat.postMessage", faults.slow(0.05), times=1)
    hasty.chat_postMessage(channel="C1", text="slow")
    assert [m.text for m in slack.channel("treasury")] == ["taken", "slow"]


def test_history_may_lag_behind_the_post(slack: Workspace, client: WebClient, clock: Clock) -> None:
    slack.on("chat.postMessage", faults.lagging_history(10), times=1)
    slack.on("chat.postMessage", faults.accept_then_reset, times=1)
    with pytest.raises(ConnectionResetError):
        client.chat_postMessage(channel="C1", text="there, somewhere")
    assert client.conversations_history(channel="C1")["messages"] == []
    clock.advance(10)
    assert len(client.conversations_history(channel="C1")["messages"]) == 1


def test_history_as_a_whole_may_lag_by_the_real_clock_too(slack: Workspace, client: WebClient) -> None:
    slack.on("conversations.history", faults.lagging_history(0.3))
    client.chat_postMessage(channel="C1", text="x")
    assert client.conversations_history(channel="C1")["messages"] == []
    time.sleep(0.35)
    assert len(client.conversations_history(channel="C1")["messages"]) == 1


@pytest.mark.parametrize("by", ["the workspace's clock", "the real clock"])
def test_a_request_may_arrive_after_the_line_was_cut(
    slack: Workspace, client: WebClient, clock: Clock, by: str
) -> None:
    slack.on("chat.postMessage", faults.late_arrival(0.3), times=1)
    with pytest.raises(ConnectionResetError):
        client.chat_postMessage(channel="C1", text="late")
    assert client.conversations_history(channel="C1")["messages"] == []
    if by == "the real clock":
        time.sleep(0.4)
    else:
        clock.advance(0.3)
    assert [m.text for m in slack.channel("treasury")] == ["late"]
    assert len(client.conversations_history(channel="C1")["messages"]) == 1


def test_offline_refuses_every_call(slack: Workspace, client: WebClient) -> None:
    slack.offline()
    with pytest.raises(ConnectionResetError):
        client.auth_test()
    slack.online()
    assert client.auth_test()["ok"]


# Serving


def test_a_taken_port_is_an_os_error(slack: Workspace) -> None:
    other = Workspace(signing_secret="s", bot_token=TOKEN)
    with pytest.raises(OSError, match="in use"):
        other.start(port=slack.port)


def test_stopping_cuts_connections_and_frees_the_port(slack: Workspace) -> None:
    line = http.client.HTTPConnection("127.0.0.1", slack.port, timeout=2)

    def ask() -> bytes:
        line.request("GET", "/api/api.test")
        return line.getresponse().read()

    assert ask()
    port = slack.port
    slack.stop()
    with pytest.raises((OSError, http.client.HTTPException)):
        ask()
    line.close()
    slack.start(port)


def test_an_unknown_response_url_is_expired(slack: Workspace) -> None:
    assert WebhookClient(f"{slack.url}/response/nonsense").send(text="x").status_code == 404
