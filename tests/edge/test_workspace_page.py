"""The page in a real browser: what a person sees, types and presses, and that nothing typed becomes markup."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient
from werkzeug.serving import WSGIRequestHandler, make_server

from bot.workspace import Workspace
from bot.workspace.browser import ASSETS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECRET, TOKEN = "secret", "xoxb-test"
Json = dict[str, Any]


def text(words: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": words}


ALERT: list[Json] = [
    {"type": "section", "text": text("*At its line* &lt;b&gt; <!date^1770473700^{date_num}|then>", "mrkdwn")},
    {
        "type": "actions",
        "block_id": "a",
        "elements": [{"type": "button", "action_id": "ack", "text": text("Acknowledge"), "style": "primary"}],
    },
]
MODAL: Json = {
    "type": "modal",
    "callback_id": "record",
    "title": text("Record"),
    "submit": text("Save"),
    "blocks": [
        {
            "type": "input",
            "block_id": "btc",
            "label": text("BTC"),
            "element": {"type": "plain_text_input", "action_id": "value"},
        }
    ],
}


class Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass


def bot_app(client: WebClient) -> App:
    """A small bot: echoes, opens a modal, acknowledges."""
    app = App(client=client, signing_secret=SECRET, token_verification_enabled=False, process_before_response=True)

    @app.command("/echo")
    def echo(ack: Any, command: Json) -> None:
        ack(text=f"you said {escape(command['text'], quote=False)}")

    @app.command("/record")
    def record(ack: Any, body: Json, client: WebClient) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        ack()

    @app.view("record")
    def save(ack: Any, view: Json) -> None:
        if view["state"]["values"]["btc"]["value"]["value"] == "1.5":
            ack()
        else:
            ack(response_action="errors", errors={"btc": "not an amount"})

    @app.action("ack")
    def acknowledge(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        ts = body["message"]["ts"]
        client.chat_update(channel="C1", ts=ts, text=f"acknowledged by <@{body['user']['id']}>", blocks=[])

    return app


@pytest.fixture
def slack() -> Iterator[Workspace]:
    note = "Simulated prices"
    with Workspace(signing_secret=SECRET, bot_token=TOKEN, note=note, posts_per_second=None) as workspace:
        workspace.add_user("U1", name="Ada")
        workspace.add_user("U2", name="Sam")
        workspace.add_channel("C1", name="treasury")
        workspace.add_channel("C2", name="audit")
        workspace.commands = {"/echo": "says it again", "/record": "a modal"}
        app = bot_app(WebClient(TOKEN, base_url=workspace.api_url))
        bolt = SlackRequestHandler(app, path="/slack/events")
        server = make_server("127.0.0.1", 0, bolt, threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        workspace.connect(f"http://127.0.0.1:{server.port}/slack/events")
        yield workspace
        server.shutdown()


@pytest.fixture
def client(slack: Workspace) -> WebClient:
    return WebClient(TOKEN, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def page(slack: Workspace) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        foreign: list[str] = []
        home = slack.url
        tab.on("request", lambda request: None if request.url.startswith(home) else foreign.append(request.url))
        tab.on("pageerror", lambda error: foreign.append(str(error)))
        tab.goto(slack.url)
        yield tab
        browser.close()
        assert foreign == [], "the page failed, or asked for something from elsewhere"


def test_the_page_is_a_slack_that_works(slack: Workspace, client: WebClient, page: Page) -> None:
    expect(page.locator("#note")).to_have_text("Simulated prices")
    expect(page.locator("[data-channel=treasury]")).to_have_attribute("aria-current", "page")

    # A post appears by itself, rendered; an edit and a reply do, too.
    ts = client.chat_postMessage(channel="C1", text="x", blocks=ALERT)["ts"]
    message = page.locator(f"#messages .message[data-ts='{ts}']")
    expect(message.locator("b", has_text="At its line")).to_be_visible()
    expect(message).to_contain_text("<b> 2026-02-07")
    expect(message).to_contain_text("APP")
    client.chat_postMessage(channel="C1", text="opened at $61,000.00", thread_ts=ts)
    message.locator(".replies").click()
    expect(page.locator("#thread .message")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_be_hidden()
    message.get_by_role("button", name="Acknowledge").click()
    expect(message).to_contain_text("acknowledged by @Ada")
    expect(message).to_contain_text("(edited)")

    # A command, with its suggestion; its answer is for its user alone, and what was typed stays text.
    compose = page.locator("#compose")
    compose.fill("/ec")
    expect(page.get_by_role("option", name="/echo")).to_be_visible()
    compose.press("Enter")
    compose.press_sequentially("<img src=x onerror=alert(1)> *hi*")
    compose.press("Enter")
    answer = page.locator(".message.ephemeral")
    expect(answer).to_contain_text("Only visible to you")
    expect(answer).to_contain_text("you said <img src=x onerror=alert(1)>")
    expect(answer.locator(".content img")).to_have_count(0)
    compose.fill("hello")
    compose.press("Enter")
    expect(page.locator("#hint")).to_contain_text("takes commands")
    compose.fill("/nonsense")
    compose.press("Enter")
    expect(page.locator("#hint")).to_contain_text("not a valid command")

    # Another user sees the channel, not the answer.
    page.locator("#user").select_option("U2")
    expect(message).to_be_visible()
    expect(answer).to_have_count(0)


def test_a_modal_holds_what_was_typed_until_it_is_right(slack: Workspace, page: Page) -> None:
    compose = page.locator("#compose")
    compose.fill("/record ")
    compose.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator(".m-error")).to_have_text("Please complete this required field.")
    field = dialog.get_by_label("BTC")
    field.fill("lots")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator(".m-error")).to_have_text("not an amount")
    expect(field).to_have_value("lots")
    field.fill("1.5")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    assert [view.status for view in slack.views] == ["submitted"]


def test_it_fits_a_phone(slack: Workspace, client: WebClient, page: Page) -> None:
    cells = [[{"type": "raw_text", "text": "a rather long cell"}] * 6] * 2
    client.chat_postMessage(channel="C1", text="x", blocks=[*ALERT, {"type": "table", "rows": cells}])
    page.set_viewport_size({"width": 375, "height": 700})
    expect(page.locator(".message")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    expect(page.locator("[data-channel=audit]")).to_be_hidden()
    page.get_by_role("button", name="Show channels").click()
    page.locator("[data-channel=audit]").click()
    expect(page.locator("#title")).to_have_text("#audit")
    expect(page.locator("#rail")).to_be_hidden()


def test_it_comes_back_when_the_workspace_does(slack: Workspace, client: WebClient, page: Page) -> None:
    expect(page.locator("#line")).to_have_class("live")
    port = slack.port
    slack.stop()
    expect(page.locator("#line")).to_have_class("lost")
    slack.start(port)
    client.chat_postMessage(channel="C1", text="back")
    expect(page.locator(".message")).to_contain_text("back", timeout=10_000)


# The server's side, without a browser


def ask(slack: Workspace, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes]:
    line = http.client.HTTPConnection("127.0.0.1", slack.port, timeout=5)
    try:
        line.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def test_every_file_of_the_page_ships_and_names_nothing_elsewhere(slack: Workspace) -> None:
    folder = files("bot.workspace")
    shipped = {f.name for f in folder.iterdir() if f.name.rsplit(".", 1)[-1] in {"js", "css", "html", "svg"}}
    assert shipped == set(ASSETS)
    for name in ASSETS:
        words = (folder / name).read_text()
        for link in ("http://", "https://"):
            assert link not in words.replace("http://www.w3.org/2000/svg", ""), name
        assert ask(slack, "GET", f"/assets/{name}")[0] == 200
    assert ask(slack, "GET", "/assets/server.py")[0] == 404


def test_other_sites_cannot_use_it(slack: Workspace) -> None:
    told = json.dumps({"text": "/echo x", "user": "U1", "channel": "C1"})
    assert ask(slack, "GET", "/", Host="evil.example")[0] == 403
    assert ask(slack, "POST", "/page/command", told, Content_Type="text/plain")[0] == 415
    assert ask(slack, "POST", "/page/command", told, Content_Type="application/json")[0] == 200
    assert [m.text for m in slack.ephemerals("U1")] == ["you said x"]
