"""Treasuries of which recommended sales are asked, by the command line and in Slack."""

from __future__ import annotations

from edge.cli_process import CONTRACT

_TEXT = CONTRACT.read_text(encoding="utf-8")


def edited(*edits: tuple[str, str]) -> str:
    """The contract's file without what happens later, each edit's first text replaced by its second."""
    later = ("[[call]]", "[[movement]]", "[[need]]", "[[statement]]", "[[cash_cost]]")
    text = "\n\n".join(part for part in _TEXT.split("\n\n") if not part.startswith(later))
    for old, new in edits:
        assert old in text, f"the contract's file has no {old!r}"
        text = text.replace(old, new)
    return text


WORKED = edited(
    ('btc = "474.62"', 'btc = "2000"'),
    ('usd = "10000000.00"', 'usd = "500000000.00"'),
    ('calendar = "new-york"\nready_hours = 4', "ready_hours = 0"),
    ('reserve_btc = "500"', ""),
    ('min_cash_usd = "10000000"', ""),
    ('rate = "0.07"', 'rate = "0"'),
)
"""§3's example with coins and cash enough for each of the four cures, and no interest."""

NOTICE = """
[[call]]
facility = "antalpha"
tier = "margin call"
at = 2026-02-07T14:15:00Z
price = "55000"
due = 2026-02-08T14:15:00Z
ref = "notice 1"
"""
WALLET = """
[[account]]
id = "wallet"
usd = "60000000.00"
holds = "usdt"
"""
_SATURDAY = edited(
    ('btc = "474.62"', 'btc = "1500"'),
    ('usd = "10000000.00"', 'usd = "90000000.00"'),
    ('reserve_btc = "500"', ""),
    ('min_cash_usd = "10000000"', ""),
    ('rate = "0.07"', 'rate = "0"'),
)
SATURDAY = _SATURDAY + NOTICE
"""A notice on Saturday 7 February 14:15Z, due in 24 h; 1,500 BTC, and $90M in a New York bank."""
SATURDAY_WITH_STABLECOINS = _SATURDAY + WALLET + NOTICE
