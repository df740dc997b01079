"""Plimsoll: watches bitcoin-backed loans against their covenants and says in Slack what would cure them."""
