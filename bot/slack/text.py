"""Text as Slack reads it: everything a person typed is escaped, moments become dates in the reader's own zone."""

from __future__ import annotations

import re
from datetime import datetime

from bot.domain.words import MOMENT, plain_text

SECTION = 3_000
_EVERYBODY = re.compile("@(?=here|channel|everyone)", re.IGNORECASE)
"""A word that wakes a channel, where Slack is told to look for names."""
_HALF = re.compile(r"&[a-z]*\Z")
MENTION = re.compile(r"\A<!(channel|subteam\^[A-Z0-9]+)> ")
"""With what a message begins that wakes people."""
_TOKEN = re.compile("\x02[^\x03]*\x03|\\s+|[^\\s\x02]+")


def escape(text: str) -> str:
    """`text` with nothing in it that Slack would take for a mention, a link or a date."""
    return _EVERYBODY.sub("@\u2060", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def unescape(text: str) -> str:
    """What a person typed, of what Slack sends of it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def one_line(text: str) -> str:
    """What was typed, on one line and without what cannot be seen: a moment's marks are such characters, and so are
    those that turn a line around."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def quoted(text: str, longest: int = 60) -> str:
    """A person's own word, safe to repeat: short, on one line, waking nobody. Not escaped yet."""
    line = one_line(text).replace("`", "'").replace("@", "@\u2060")
    return f"“{line if len(line) <= longest else line[: longest - 1] + '…'}”"


def rich(text: str) -> str:
    """Domain text as mrkdwn: escaped, its moments as dates that each reader sees in their own zone, people by name."""
    return MOMENT.sub(_marked, escape(text))


def flat(text: str) -> str:
    """Domain text for notifications and screen readers: escaped, its moments in the treasury's local time."""
    return escape(plain_text(text))


def cut(text: str, longest: int) -> str:
    """`text`, escaped already, with at most `longest` characters, and none of the last one's escape alone."""
    return text if len(text) <= longest else _HALF.sub("", text[: longest - 1]) + "…"


def clipped(text: str, longest: int) -> str:
    """Domain text that as mrkdwn has at most `longest` characters, cut between words and never inside a moment."""
    if len(rich(text)) <= longest:
        return text
    kept, room = "", longest - 2
    for token in _TOKEN.findall(text):
        room -= len(rich(token))
        if room < 0:
            break
        kept += token
    return f"{kept.rstrip()} …"


def _marked(found: re.Match[str]) -> str:
    if found[1][0] in "@#":
        return f"<{found[1]}>"
    if found[1][0] == "^":
        return f"<!subteam{found[1]}>"
    return f"<!date^{int(datetime.fromisoformat(found[1]).timestamp())}^{{date_short_pretty}} {{time}}|{found[2]}>"


def packed(text: str, limit: int = SECTION) -> list[str]:
    """`text` as mrkdwn in pieces of at most `limit` characters, cut between lines, then words; nothing is lost."""
    pieces, piece = [], ""
    for line in text.split("\n"):
        for part in _parts(line, limit):
            joined = f"{piece}\n{part}" if piece else part
            if len(joined) > limit:
                pieces.append(piece)
                joined = part
            piece = joined
    return [one for one in [*pieces, piece] if one.strip()]


def _parts(line: str, limit: int) -> list[str]:
    """One line in pieces that each fit."""
    if len(rich(line)) <= limit:
        return [rich(line)]
    parts, part = [], ""
    for token in _TOKEN.findall(line):
        for bit in [rich(token)] if len(rich(token)) <= limit else _slices(token, limit):
            if len(part) + len(bit) > limit:
                parts.append(part.rstrip())
                part = ""
            part += bit
    return [*parts, part.rstrip()]


def _slices(token: str, limit: int) -> list[str]:
    step = limit // len("&amp;")  # what escaping can make of each character
    return [rich(token[start : start + step]) for start in range(0, len(token), step)]
