"""What the policy would have come to: two runs over one price history, from the same treasury.

*By the policy*: at 00:00 of each day of the treasury's zone, at the price standing then, what is recommended
(`bot.domain.sales`) is carried out if it is feasible: its coins and repayments as printed, each at the instant at which
it is credited. A plan is made for the scenario price (`withstand_drop` off the price of the day); what its coins
bring is what they fetch at the price of the day, less the same fees and slippage, and what that is more stays in cash.
While one plan is under way no other is made: its coins and dollars are spoken for.

*Doing nothing*: the same without plans. In both the lender does what its terms allow (`lender`), and what happened
anyway goes on (`record`). At one instant: midnight, movements, the price, the lender, and then the plan of the day: it
cannot forestall a line that the midnight's own price has reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.domain.alerts import AlertPolicy
from bot.domain.book import Register
from bot.domain.money import Price
from bot.domain.policy_replay.outcome import Act, Comparison, Outcome, RunName, Totals, What
from bot.domain.policy_replay.record import split
from bot.domain.policy_replay.run import Run
from bot.domain.replay import LAST_PRICE_STANDS
from bot.domain.sales.nothing import dollar_account
from bot.domain.treasury import Treasury

__all__ = ["Act", "Comparison", "NoAccountError", "Outcome", "RunName", "Totals", "What", "policy_replay"]


class NoAccountError(ValueError):
    """There is no account that holds dollars, so no sale can be booked."""


def policy_replay(
    treasury: Treasury,
    prices: Iterable[tuple[datetime, Price]],
    since: datetime | None,
    until: datetime | None,
    policy: AlertPolicy,
) -> Comparison | None:
    """Both runs over `prices` (instant, cents per BTC; in order) in [since, until); None without a price in it.

    Each price stands until the next, the last until `until`, a year at most; nothing is before the treasury opened.
    Of `policy`, how long a call must be clear for price alone to end it counts, and nothing else. NoAccountError.
    """
    if dollar_account(treasury) is None:
        raise NoAccountError("no account holds dollars, so no sale can be booked; add an [[account]]")
    begin = max(since, treasury.opened) if since else treasury.opened
    rows = [(at, price) for at, price in prices if at >= begin and (until is None or at < until)]
    if not rows:
        return None
    record = split(treasury, begin)
    last, price = rows[-1]
    stops = min(until, last + LAST_PRICE_STANDS) if until else last
    ends = max(stops - timedelta.resolution, last)
    following = [at for at, _ in rows[1:]] + [stops]
    outcomes = []
    register = Register.of(record.history, policy)
    for name in (RunName.POLICY, RunName.NOTHING):
        run = Run.of(name, record, register)
        for (at, standing), then in zip(rows, following, strict=True):
            run.price(at, standing)
            run.until(then)
        outcomes.append(run.outcome(ends))
    return Comparison(outcomes[0], outcomes[1], record.left_out, ends, price)
