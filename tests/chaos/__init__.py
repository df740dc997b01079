"""Kills and freezes the real bot while Slack and the price sources fail, and counts what was lost and said twice.

    python -m tests.chaos --kills 200 --stops 40 --workers 1..3 --database sqlite|postgresql|all --seed 7

`script` makes up the prices and computes what has to be said; `series` plays them; `checker` holds Slack against it.
"""
