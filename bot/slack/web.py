"""Slack over HTTP: the one route that it calls."""

from __future__ import annotations

from flask import Blueprint, Response, request
from slack_bolt import App
from slack_bolt.adapter.flask import SlackRequestHandler

PATH = "/slack/events"


def slack_blueprint(app: App) -> Blueprint:
    """The route for a Flask app. What is no request of Slack's (a body that cannot be read) is a 400, not a failure."""
    handler = SlackRequestHandler(app)
    blueprint = Blueprint("slack", __name__)

    @blueprint.post(PATH)
    def slack_events() -> Response:
        try:
            answer: Response = handler.handle(request)
        except ValueError:  # Bolt reads the body before it looks at the signature
            return Response("not a request of Slack's", 400)
        return answer

    return blueprint
