"""What people could type, at its worst. What must not come back as more than letters stands between MARKs."""

from __future__ import annotations

import random

from .world import APP_TOKEN, BOT_TOKEN, FALLBACK_URL, HEARTBEAT_KEY, HEARTBEAT_URL, SIGNING_SECRET

MARK = "zqx"
"""Survives lower case, and is in nothing that the bot says by itself."""

_LIVELY = (
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<@U0OFFICER>",
    "<@U0OFFICER|grace>",
    "<#C0TREASURY|treasury>",
    "<#C0LENDERS>",
    "<!subteam^S0OFFICERS>",
    "<!subteam^S0OFFICERS|@officers>",
    "<http://127.0.0.1:9/phish|your bank>",
    "<mailto:a@b.example|mail>",
    "<!date^1770000000^{date_long}^http://127.0.0.1:9/|never>",
    "&lt;!channel&gt;",
    "&amp;lt;!channel&amp;gt;",
    "&#60;!channel&#62;",
    "<<!channel>>",
    "<",
    ">",
    "&",
    "a<b>c&d",
    "@channel",
    "@here",
    "\x02@U0OFFICER|grace\x03",
    "\x02#C0LENDERS|lenders\x03",
    "\x02^S0OFFICERS|officers\x03",
    "\x022026-02-07T12:00:00Z|Sat 12:00\x03",
    "\x02never|never\x03",
    "\x02",
    "\x03",
    "＜!channel＞",
    "\u2039!channel\u203a",
)
_ODD = (
    "*bold*",
    "`code`",
    "```",
    "~~",
    "> quote",
    "\u202eltr",
    "\u2066\u2069",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\u2028",
    "\x00",
    "\x07\x1b[31m",
    "\r\n",
    "\t",
    "😀",
    "👩‍👩‍👧‍👦",
    "\ud83d",
    "\udc00",
    "é\u0301\u0302\u0303",
    "ﬁ",
    "ß",
    "İ",
    "ſ",
    "K",
    "'; DROP TABLE alert; --",
    '" OR 1=1',
    "{0.__class__}",
    "{}",
    "%s%n",
    "%(message)s",
    "${jndi:ldap://127.0.0.1:9/a}",
    "{{7*7}}",
    "../../etc/passwd",
    "[link](http://127.0.0.1:9/)",
    "null",
    "None",
    "True",
    "\\u0000",
    "\\",
)
_NUMBERS = (
    "1e999",
    "-1e-999",
    "nan",
    "inf",
    "½",
    "²",
    "٢٠",
    "-٢٠%",
    "−20%",
    "–20 %",
    "- 20%",
    "-20%%",
    "--20%",
    "-0%",
    "-0.0000001%",
    "-99.999999%",
    "-99.9999999%",
    "-100%",
    "-1000%",
    "+20%",
    "20%",
    "0",
    "-0",
    "00055000",
    "5_5",
    "0x10",
    "1,000,000,000",
    "1,00",
    "55.000,00",
    "55000.005",
    "0.01",
    "0.001",
    "0.00000001",
    "999999999.99",
    "1000000000",
    "1000000000.01",
    "55k",
    "55kk",
    "0.06m",
    "$55,000",
    "$$55",
    "£55000",
    "55000usdusd",
    "9" * 100,
    "9" * 5_000,
    "0." + "1" * 5_000,
    "1" + ",000" * 1_500,
    "１２３",
    "Ⅷ",
)
_DATES = (
    "9999-99",
    "0000-00",
    "2026-00",
    "2026-13",
    "2026-1",
    "2026-001",
    "20260-1",
    "2025-10",
    "2026-02",
    "2027-01",
    "1970-01",
    "٢٠٢٦-٠١",
    "2026-01-01",
    "2026−01",
    "ytd",
    "YTD",
    "sites",
    "sites ytd",
)
_WORDS = (
    "at",
    "@",
    "AT",
    "antalpha",
    "ANTALPHA",
    "unsecured-2025",
    "silence",
    "SILENCE",
    "last",
    "help",
    "health",
    "status",
    "raise 38m by 2026-03-01",
    "-",
    "%",
    "$",
    "",
)
_BOMBS = (
    "at ",
    "-",
    "% ",
    "- ",
    " %",
    "1,000",
    "- 1",
    "@ ",
    ",000",
    "0",
    "a",
    " ",
    "(",
    "-1.",
    "&amp;",
    "\u3000",
    "x%",
)
SECRETS = (BOT_TOKEN, SIGNING_SECRET, APP_TOKEN, HEARTBEAT_URL, HEARTBEAT_KEY, FALLBACK_URL)
LONGEST = 40_000


def text(chance: random.Random) -> str:
    """One text."""
    way = chance.random()
    if way < 0.06:
        bomb = chance.choice(_BOMBS)
        return chance.choice(("", "at ", "-", "antalpha ")) + bomb * (chance.randrange(LONGEST) // len(bomb))
    if way < 0.12:
        return chance.choice(("", "at ", "-")) + secret(chance) + chance.choice(("", "%", " zzz"))
    if way < 0.16:
        return lively(chance) * chance.randrange(1, LONGEST // 60)
    pieces = [_piece(chance) for _ in range(chance.randrange(1, 6))]
    return chance.choice((" ", " ", "", "\n")).join(pieces)


def lively(chance: random.Random) -> str:
    """Something that Slack would make more of than letters, marked as a person's."""
    return f"{MARK}{chance.choice(_LIVELY)}{MARK}"


def secret(chance: random.Random) -> str:
    """A secret of the bot's, as somebody pastes it into the wrong window."""
    one = chance.choice(SECRETS)
    return chance.choice((one, one, one.upper(), one.lower(), f"token={one}", f"“{one}”", f"{one}\n{one}"))


def _piece(chance: random.Random) -> str:
    way = chance.random()
    if way < 0.3:
        return lively(chance)
    if way < 0.95:
        return chance.choice(chance.choice((_ODD, _NUMBERS, _DATES, _WORDS)))
    return "".join(chr(chance.choice((chance.randrange(0x300), chance.randrange(0x11000)))) for _ in range(12))
