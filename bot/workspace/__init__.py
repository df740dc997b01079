"""A local Slack: strict enough to test against, pleasant enough to demonstrate with, and with faults on request.

The real bot runs against it unchanged: it is given `WebClient(base_url=workspace.api_url)`, and the workspace sends
it signed commands, clicks, submissions and events over HTTP.

    workspace = Workspace(signing_secret="s", bot_token="xoxb-1")
    workspace.add_user("U1", name="Ada")
    workspace.add_channel("C1", name="treasury")
    workspace.start()
    workspace.connect("http://127.0.0.1:3000/slack/events")
    workspace.on("chat.postMessage", faults.accept_then_reset, times=1)
    answer = workspace.command("/ltv -20%", user="U1", channel="C1")
    assert [m.text for m in workspace.channel("treasury")] == [...]

It shares no code with the rest of the bot, so neither can inherit the other's mistakes.
"""

from bot.workspace import faults
from bot.workspace.model import Call, Calls, Channel, Message, Messages, Response, User, View
from bot.workspace.server import Workspace
from bot.workspace.signing import Answer

__all__ = [
    "Answer",
    "Call",
    "Calls",
    "Channel",
    "Message",
    "Messages",
    "Response",
    "User",
    "View",
    "Workspace",
    "faults",
]
