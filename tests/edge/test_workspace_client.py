"""What the stand-in sends: signed as Slack signs, shaped as Slack shapes, and what it makes of the answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook import WebhookClient
from werkzeug.serving import WSGIRequestHandler, make_server

from bot.workspace import Workspace

SECRET, TOKEN = "8f742231b10e8888abcd99yyyzzz85a5", "xoxb-test"
Json = dict[str, Any]
GO = {"type": "button", "action_id": "go", "value": "7", "text": {"type": "plain_text", "text": "Go"}}
BLOCKS: list[Json] = [{"type": "actions", "block_id": "b", "elements": [GO]}]


class Receiver:
    """A bot that is all ears: it checks signatures with Slack's own verifier and answers what it is told to."""

    def __init__(self) -> None:
        self.requests: list[Json] = []
        self.answer: Callable[[Json], tuple[int, Any]] = lambda _: (200, "")
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                valid = SignatureVerifier(SECRET).is_valid_request(body, dict(self.headers))
                request = receiver.read(body, dict(self.headers), valid=valid)
                status, answer = receiver.answer(request) if valid else (401, "")
                said = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """Slack hung up on a late answer: nothing to report."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/slack/events"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def read(self, body: bytes, headers: dict[str, str], *, valid: bool) -> Json:
        if headers["Content-Type"] == "application/json":
            told = json.loads(body)
        else:
            told = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
            told = json.loads(told["payload"]) if "payload" in told else told
        self.requests.append({"body": told, "headers": headers, "valid": valid, "raw": body})
        return dict(told)

    @property
    def last(self) -> Json:
        return dict(self.requests[-1]["body"])


@pytest.fixture
def bot() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    receiver.thread.join()


@pytest.fixture
def slack(bot: Receiver) -> Iterator[Workspace]:
    with Workspace(signing_secret=SECRET, bot_token=TOKEN, posts_per_second=None) as workspace:
        workspace.add_user("U1", name="Ada Byron")
        workspace.add_channel("C1", name="treasury")
        workspace.connect(bot.url)
        yield workspace


@pytest.fixture
def client(slack: Workspace) -> WebClient:
    return WebClient(TOKEN, base_url=slack.api_url, retry_handlers=[])


# Commands


def test_a_command_is_signed_and_has_what_slack_sends(slack: Workspace, bot: Receiver) -> None:
    bot.answer = lambda _: (200, {"response_type": "ephemeral", "text": "62.57 %"})
    answer = slack.command("/ltv at 55000", user="U1", channel="C1")
    assert (answer.status, answer.ok, answer.text, answer.json["text"]) == (200, True, "62.57 %", "62.57 %")
    assert bot.requests[0]["valid"]
    told = bot.last
    assert (told["command"], told["text"]) == ("/ltv", "at 55000")
    assert (told["user_id"], told["channel_id"], told["channel_name"]) == ("U1", "C1", "treasury")
    assert told["response_url"].startswith(f"{slack.url}/response/")
    assert [m.text for m in slack.ephemerals("U1", "treasury")] == ["62.57 %"]
    assert slack.channel("treasury") == []


def test_an_answer_for_all_is_for_all_and_an_empty_one_is_nothing(slack: Workspace, bot: Receiver) -> None:
    assert slack.command("/ltv").ok
    assert slack.all_posts == []
    bot.answer = lambda _: (200, {"response_type": "in_channel", "text": "hear"})
    slack.command("/ltv")
    assert [m.text for m in slack.channel("treasury")] == ["hear"]


@pytest.mark.parametrize(
    ("forged", "status"),
    [
        ({}, 200),
        ({"unsigned": True}, 401),
        ({"secret": "guess"}, 401),
        ({"timestamp": int(time.time()) - 360}, 401),
    ],
)
def test_a_forged_request_does_not_verify(slack: Workspace, bot: Receiver, forged: Any, status: int) -> None:
    answer = slack.command("/ltv", **forged)
    assert (answer.status, answer.error) == (status, "" if status == 200 else "dispatch_failed")


def test_a_retry_repeats_the_very_same_request(slack: Workspace, bot: Receiver) -> None:
    first = slack.command("/record")
    slack.command("/record", retry_num=1)
    slack.repeat(first, retry_num=2)
    slack.command("/record")
    raw = [r["raw"] for r in bot.requests]
    assert raw[0] == raw[1] == raw[2] != raw[3]
    numbers = [r["headers"].get("X-Slack-Retry-Num") for r in bot.requests]
    assert numbers == [None, "1", "2", None]
    assert all(r["valid"] for r in bot.requests)


def test_a_slow_bot_times_out_and_a_broken_one_fails_to_dispatch(slack: Workspace, bot: Receiver) -> None:
    bot.answer = lambda _: (500, "")
    assert slack.command("/ltv").error == "dispatch_failed"

    def late(_: Json) -> tuple[int, str]:
        time.sleep(3.2)
        return 200, ""

    bot.answer = late
    answer = slack.command("/ltv")
    assert answer.error == "operation_timeout"
    assert 2.9 < answer.elapsed_s < 3.2
    notices = [m.text for m in slack.ephemerals("U1")]
    assert notices == [
        "/ltv failed with the error “dispatch_failed”",
        "/ltv failed with the error “operation_timeout”",
    ]
    slack.connect("http://127.0.0.1:9/slack/events")
    assert slack.command("/ltv").error == "dispatch_failed"


def test_an_answer_that_slack_would_not_show_is_not_shown(slack: Workspace, bot: Receiver) -> None:
    bot.answer = lambda _: (200, {"text": "x", "blocks": [{"type": "actions", "elements": []}]})
    answer = slack.command("/ltv")
    assert (answer.error, answer.blocks, answer.text) == ("invalid_command_response", [], "")
    assert "/blocks/0/elements" in answer.problems[0]


# Clicks


def test_a_click_carries_the_message_and_where_it_is(slack: Workspace, bot: Receiver, client: WebClient) -> None:
    metadata = {"event_type": "alert", "event_payload": {"id": "1"}}
    ts = client.chat_postMessage(channel="C1", text="alert", blocks=BLOCKS, metadata=metadata)["ts"]
    assert slack.click(ts, "go").ok
    told = bot.last
    assert told["container"] == {
        "type": "message", "message_ts": ts, "channel_id": "C1", "is_ephemeral": False
    }  # fmt: skip
    assert (told["message"]["ts"], told["message"]["metadata"]) == (ts, metadata)
    [action] = told["actions"]
    assert (action["action_id"], action["block_id"], action["value"], action["type"]) == ("go", "b", "7", "button")
    assert told["state"] == {"values": {}}
    assert told["user"]["id"] == "U1"


def test_a_menu_reports_what_was_picked(slack: Workspace, bot: Receiver, client: WebClient) -> None:
    options = [{"text": {"type": "plain_text", "text": t}, "value": t} for t in ("1h", "4h")]
    menu = {"type": "static_select", "action_id": "snooze", "options": options}
    more = {"type": "overflow", "action_id": "more", "options": options}
    blocks = [{"type": "actions", "block_id": "b", "elements": [menu, more]}]
    ts = client.chat_postMessage(channel="C1", text="x", blocks=blocks)["ts"]
    slack.click(ts, "snooze", value="4h")
    assert bot.last["actions"][0]["selected_option"]["value"] == "4h"
    assert bot.last["state"]["values"]["b"]["snooze"]["selected_option"]["value"] == "4h"
    slack.click(ts, "more", value="1h")
    assert bot.last["actions"][0]["selected_option"]["value"] == "1h"
    with pytest.raises(LookupError, match="offers 1h, 4h"):
        slack.click(ts, "more", value="9h")


def test_only_what_is_there_can_be_pressed(slack: Workspace, bot: Receiver, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C1", text="x", blocks=BLOCKS)["ts"]
    client.chat_update(channel="C1", ts=ts, text="continued", blocks=[])
    with pytest.raises(LookupError, match="nothing called 'go'"):
        slack.click(ts, "go")
    assert slack.click(ts, "go", stale=True).ok


def test_an_ephemeral_answer_can_be_pressed_and_replaced(slack: Workspace, bot: Receiver) -> None:
    bot.answer = lambda _: (200, {"text": "x", "blocks": BLOCKS})
    slack.command("/alerts")
    [shown] = slack.ephemerals("U1")
    bot.answer = lambda _: (200, "")
    slack.click(shown.ts, "go")
    assert bot.last["container"]["is_ephemeral"]
    assert "message" not in bot.last
    hook = WebhookClient(bot.last["response_url"])
    assert hook.send(text="done", replace_original=True).status_code == 200
    assert [m.text for m in slack.ephemerals("U1")] == ["done"]
    hook.send(delete_original=True)
    assert slack.ephemerals("U1") == []


def test_a_response_url_works_five_times(slack: Workspace, bot: Receiver) -> None:
    slack.command("/ltv")
    hook = WebhookClient(bot.last["response_url"])
    bad = hook.send(text="x", blocks=[{"type": "actions", "elements": []}])
    assert (bad.status_code, json.loads(bad.body)["error"]) == (400, "invalid_blocks")
    told = [hook.send(text=str(n)) for n in range(5)]
    assert [t.status_code for t in told] == [200, 200, 200, 200, 404]
    assert json.loads(told[-1].body)["error"] == "used_url"
    assert [m.text for m in slack.ephemerals("U1")] == ["0", "1", "2", "3"]
    assert [(r.user, r.text, r.outcome) for r in slack.responses][1] == ("U1", "0", "ok")


# Modals


def text(words: str) -> Json:
    return {"type": "plain_text", "text": words}


MODAL: Json = {
    "type": "modal",
    "callback_id": "record",
    "private_metadata": "p",
    "title": text("Record"),
    "submit": text("Save"),
    "blocks": [
        {
            "type": "input",
            "block_id": "amount",
            "label": text("BTC"),
            "element": {"type": "plain_text_input", "action_id": "value", "max_length": 5},
        },
        {
            "type": "input",
            "block_id": "kind",
            "optional": True,
            "label": text("Kind"),
            "element": {
                "type": "static_select",
                "action_id": "value",
                "options": [{"text": text("Mined"), "value": "mined"}],
            },
        },
    ],
}


def test_a_modal_opens_by_a_fresh_trigger_only(slack: Workspace, bot: Receiver, client: WebClient) -> None:
    def refusal(trigger: str) -> str:
        with pytest.raises(SlackApiError) as refused:
            client.views_open(trigger_id=trigger, view=MODAL)
        return str(refused.value.response["error"])

    slack.command("/record")
    trigger = bot.last["trigger_id"]
    client.views_open(trigger_id=trigger, view=MODAL)
    assert refusal(trigger) == "exchanged_trigger_id"
    assert refusal("1.2.3") == "invalid_trigger_id"
    slack._tickets._trigger_seconds = 0.05
    slack.command("/record")
    time.sleep(0.1)
    assert refusal(bot.last["trigger_id"]) == "expired_trigger_id"
    assert [v.callback_id for v in slack.views] == ["record"]


def opened(slack: Workspace, bot: Receiver, client: WebClient, view: Json = MODAL) -> str:
    slack.command("/record")
    return str(client.views_open(trigger_id=bot.last["trigger_id"], view=view)["view"]["id"])


def test_a_submission_reports_every_field_and_closes(slack: Workspace, bot: Receiver, client: WebClient) -> None:
    view_id = opened(slack, bot, client)
    assert slack.submit_view(view_id, {"amount": "1.5", "kind": "mined"}, "U1").ok
    told = bot.last
    assert (told["type"], told["view"]["callback_id"], told["view"]["private_metadata"]) == (
        "view_submission", "record", "p"
    )  # fmt: skip
    assert told["view"]["state"]["values"]["amount"]["value"] == {"type": "plain_text_input", "value": "1.5"}
    assert told["view"]["state"]["values"]["kind"]["value"]["selected_option"]["value"] == "mined"
    assert slack.views[0].status == "submitted"


def test_slacks_own_client_holds_back_what_is_incomplete(slack: Workspace, bot: Receiver, client: WebClient) -> None:
    view_id = opened(slack, bot, client)
    with pytest.raises(ValueError, match="required"):
        slack.submit_view(view_id, {}, "U1")
    with pytest.raises(ValueError, match="at most 5"):
        slack.submit_view(view_id, {"amount": {"value": {"type": "plain_text_input", "value": "123456"}}}, "U1")
    with pytest.raises(LookupError, match="asks for"):
        slack.submit_view(view_id, {"colour": "red"}, "U1")


def test_errors_updates_and_pushes_are_shown(slack: Workspace, bot: Receiver, client: WebClient) -> None:
    view_id = opened(slack, bot, client)
    bot.answer = lambda _: (200, {"response_action": "errors", "errors": {"amount": "not a number"}})
    assert slack.submit_view(view_id, {"amount": "x"}).ok
    assert (slack.views[0].status, slack.views[0].errors) == ("open", {"amount": "not a number"})
    bot.answer = lambda _: (200, {"response_action": "errors", "errors": {"nobody": "asked"}})
    assert slack.submit_view(view_id, {"amount": "x"}).error == "invalid_response_action"
    bot.answer = lambda _: (200, {"response_action": "update", "view": {**MODAL, "title": text("Sure?")}})
    slack.submit_view(view_id, {"amount": "x"})
    assert slack.views[0].title == "Sure?"
    bot.answer = lambda _: (200, {"response_action": "push", "view": {**MODAL, "title": text("More")}})
    slack.submit_view(view_id, {"amount": "x"})
    assert [(v.title, v.status) for v in slack.views] == [("Sure?", "open"), ("More", "open")]
    bot.answer = lambda _: (200, {"response_action": "clear"})
    slack.submit_view(slack.views[1].id, {"amount": "x"})
    assert [v.status for v in slack.views] == ["closed", "submitted"]


@pytest.mark.parametrize(
    "change",
    [
        {"title": text("x" * 25)},
        {"submit": text("x" * 25)},
        {"close": text("x" * 25)},
        {"private_metadata": "x" * 3001},
        {"callback_id": "x" * 256},
        {"blocks": [{"type": "divider"}] * 101},
        {"blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}]},
        {"type": "window"},
    ],
    ids=str,
)
def test_views_have_limits_too(slack: Workspace, bot: Receiver, client: WebClient, change: Json) -> None:
    with pytest.raises(SlackApiError) as refused:
        opened(slack, bot, client, {**MODAL, **change})
    assert refused.value.response["error"] == "invalid_arguments"
    assert refused.value.response["response_metadata"]["messages"]


def test_the_home_tab_is_published_and_its_buttons_work(slack: Workspace, bot: Receiver, client: WebClient) -> None:
    slack.open_home("U1")
    assert bot.last["event"]["type"] == "app_home_opened"
    view_id = client.views_publish(user_id="U1", view={"type": "home", "blocks": BLOCKS})["view"]["id"]
    slack.click(view_id, "go")
    assert (bot.last["container"], bot.last["view"]["type"]) == ({"type": "view", "view_id": view_id}, "home")
    with pytest.raises(SlackApiError):
        client.views_publish(user_id="U1", view={"type": "home", "blocks": MODAL["blocks"]})


# Events, and the real Bolt


def test_an_event_is_enveloped_and_repeated_under_one_id(slack: Workspace, bot: Receiver) -> None:
    event = {"type": "user_change", "user": {"id": "U1"}}
    slack.send_event(event)
    slack.send_event(event, retry_num=1)
    slack.send_event(event)
    ids = [r["body"]["event_id"] for r in bot.requests]
    assert ids[0] == ids[1] != ids[2]
    assert bot.last["type"] == "event_callback"


def test_a_change_of_a_user_group_is_made_and_told(slack: Workspace, bot: Receiver, client: WebClient) -> None:
    slack.add_usergroup("S1", ["U1", "U2"])
    slack.change_usergroup("S1", ["U2", "U3"])
    event = bot.last["event"]
    assert (event["type"], event["subteam_id"]) == ("subteam_members_changed", "S1")
    assert (event["added_users"], event["removed_users"]) == (["U3"], ["U1"])
    assert client.usergroups_users_list(usergroup="S1")["users"] == ["U2", "U3"]
    with pytest.raises(LookupError, match="no user group S9"):
        slack.change_usergroup("S9", [])


def test_the_real_bolt_understands_all_of_it(slack: Workspace, client: WebClient) -> None:
    app = App(client=client, signing_secret=SECRET, token_verification_enabled=False, process_before_response=True)
    heard: list[str] = []

    @app.command("/record")
    def record(ack: Any, body: Json, client: WebClient) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        ack(text="opened", blocks=BLOCKS)

    @app.action("go")
    def go(ack: Any, respond: Any) -> None:
        ack()
        respond(text="pressed", replace_original=True)

    @app.view("record")
    def saved(ack: Any, view: Json) -> None:
        heard.append(view["state"]["values"]["amount"]["value"]["value"])
        ack()

    @app.event("app_home_opened")
    def home(event: Json) -> None:
        heard.append(event["user"])

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: Any) -> None:
            pass

    server = make_server(
        "127.0.0.1", 0, SlackRequestHandler(app, path="/slack/events"), threaded=True, request_handler=Quiet
    )
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        slack.connect(f"http://127.0.0.1:{server.port}/slack/events")
        answer = slack.command("/record")
        assert (answer.ok, answer.text) == (True, "opened")
        assert slack.submit_view(slack.views[0].id, {"amount": "1.5"}, "U1").ok
        [shown] = slack.ephemerals("U1")
        assert slack.click(shown.ts, "go").ok
        assert [m.text for m in slack.ephemerals("U1")] == ["pressed"]
        assert slack.open_home("U1").ok
        assert slack.command("/record", unsigned=True).status == 401
        assert heard == ["1.5", "U1"]
    finally:
        server.shutdown()
