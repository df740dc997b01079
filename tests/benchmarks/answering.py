"""`/ltv` with ten facilities and two years of movements, against a bare Bolt command that only acknowledges."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from flask import Flask
from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier

from bot.slack.web import PATH, slack_blueprint
from bot.web import create_wsgi
from tests.benchmarks.bots import CHANNEL, SECRET, USER, large_bot
from tests.benchmarks.measure import line, timed

TIMES = 300


def run() -> Iterator[str]:
    with large_bot() as (running, workspace, _):
        team = workspace.bot.team_id
        running.access.ask_home()
        running.poll_and_check()
        wsgi = create_wsgi(running)
        asked = _asker(wsgi, team, "/ltv", "")
        asked()  # the first one finds nobody known, and looks them up
        time.sleep(1)
        bare = timed(_asker(_bare(), team, "/bare", ""), TIMES)
        yield line("/ltv, 10 facilities", timed(asked, TIMES), bare, "bare Bolt command")
        yield line("/ltv -20%", timed(_asker(wsgi, team, "/ltv", "-20%"), TIMES), bare, "bare Bolt command")
        yield line("/holdings", timed(_asker(wsgi, team, "/holdings", ""), TIMES), bare, "bare Bolt command")


def _bare() -> Flask:
    app = App(
        signing_secret=SECRET,
        process_before_response=True,
        token_verification_enabled=False,
        authorize=lambda **_: AuthorizeResult(enterprise_id=None, team_id="T", bot_token="xoxb-bench"),
    )

    @app.command("/bare")
    def bare(ack: Ack) -> None:
        ack()

    wsgi = Flask("bare")
    wsgi.register_blueprint(slack_blueprint(app, SECRET))
    return wsgi


def _asker(wsgi: Flask, team: str, command: str, text: str) -> Callable[[], object]:
    """Sends one signed command through the WSGI application; each has its own trigger id."""
    client, verifier, counter = wsgi.test_client(), SignatureVerifier(SECRET), iter(range(10**9))

    def ask() -> object:
        stamp = str(int(time.time()))
        body = urlencode(
            {
                "command": command,
                "text": text,
                "user_id": USER,
                "channel_id": CHANNEL,
                "team_id": team,
                "trigger_id": f"{command}{text}.{next(counter)}",
                "response_url": "http://127.0.0.1:9/none",
            }
        )
        signature = verifier.generate_signature(timestamp=stamp, body=body)
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature or ""}
        kind = "application/x-www-form-urlencoded"
        answer = client.post(PATH, data=body, headers=headers, content_type=kind)
        if answer.status_code != 200 or b"refused" in answer.data or b"organisation" in answer.data:
            raise RuntimeError(f"{command} answered {answer.status_code}: {answer.get_data(as_text=True)}")
        return answer.data

    return ask
