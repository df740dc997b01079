"""Files that Slack keeps for us: uploaded without a channel, and shown by a message that names them."""

from __future__ import annotations

from slack_sdk import WebClient


class Uploads:
    """Uploads pictures. SlackApiError and `outcomes.UNREACHABLE` where Slack does not take one."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def picture(self, drawn: bytes, name: str, title: str) -> str:
        """The id of the file by which a message may show it. Posts nothing: a file in a channel would be a message."""
        return str(self._client.files_upload_v2(content=drawn, filename=name, title=title)["file"]["id"])
