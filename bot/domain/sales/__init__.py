"""Recommended sales: *Cover*, the plan that brings every loan back from its call line (contract §3 and §7).

What would be at a call line at the scenario price P, or has an open call, ends at its cure target T there. What is
cured together (a lone loan; a group with its members) shares the earliest deadline and the slowest `credit_hours`,
and settles at one instant, the latest at which something that it uses is credited; its debts D are those of then.

The linear programme, with V the lender's price after its cushion (§3), in cents and satoshis:

    cash(a, p)     dollars of account a for patient p       only where they are credited in time
    top(a, s)      coins of account a pledged to spot s     likewise; a spot is a loan's collateral, or a group's pool
    free(a, p)     coins of account a sold for p            likewise, their dollars by the rail of an account
    sold(s)        pledged coins of s sold                  where the lender agrees and its desk is open in time
    step(p, k)     coins of p's sales at step k of the slippage curve, which bring nₖ = P·(1 − fee − slippageₖ) each
    repay(i)       dollars repaid to loan i

    every test     Σ repay + T·V·Σ(top − sold) ≥ D − T·V·C              the four cures of §3 are its corners
    requirements   Σ repayᵢ/Tᵢ + V·Σ(top − sold) ≥ Σ Dᵢ/Tᵢ − V·C       whom to repay is free
    dollars        Σ repay ≤ Σ cash + Σ nₖ·step,   Σ step ≤ Σ free + Σ sold,   repayᵢ ≤ Dᵢ
    limits         Σ cash ≤ cash − min_cash_usd,   Σ top + Σ free ≤ free coins − reserve_btc,
                   Σ free + Σ sold ≤ max_cover_btc,   each account, spot and step by itself

What needs no cure may not come nearer to its line than it is, or than its target. Coins that a lender may release
(§3) count as free coins once they are back, outside the reserve.

Minimised in this order: what is missing, coins sold (Σ free + Σ sold), their cost, pledged coins sold, coins to be
released, coins pledged, dollars repaid. So of two ways that sell nothing cash comes before a top-up, as in §7, and
free coins before pledged ones.

`programme` solves it exactly, on integers, and stops only where its reduced costs prove that nothing better exists.
Three things are outside the proof, and treated so:

- a `min_repayment` is all or nothing: both are tried for every loan that would get less (`settling`); where there
  are too many to try them all, the plan says that it is not proven the least (`Alternative.proven`);
- the debt depends on when the plan settles, and that on what it uses: every day on which debts differ is tried;
- whole cents and satoshis: rounded against ourselves, to within two cents' worth of cure a loan (`rounding`).

`verifying` then carries the plan out through the real ledger and refuses one that fails.
"""

from bot.domain.sales.cover import alternative, cover_now, plan_cover
from bot.domain.sales.plan import (
    After,
    Alternative,
    Answer,
    Leg,
    Liquidation,
    Missing,
    Name,
    Need,
    Repayment,
    Scenario,
    Way,
)

__all__ = [
    "After",
    "Alternative",
    "Answer",
    "Leg",
    "Liquidation",
    "Missing",
    "Name",
    "Need",
    "Repayment",
    "Scenario",
    "Way",
    "alternative",
    "cover_now",
    "plan_cover",
]
