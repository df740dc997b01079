"""Malformed bodies, payloads and command texts, put through the whole bot; counts what it does not answer properly.

    python -m tests.fuzz --cases 100000 --seed 7 [--only 1234 | --only 1000..1234] [--at-once 2]

`surface` finds out from the running bot what it listens to and which requests a person could send it; `cases` makes
each case of the seed and its number alone; `world` is the bot that gets them, and `oracle` looks at all that came out.
"""
