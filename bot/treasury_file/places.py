"""Where each thing of a file was written, so that what the register refuses of it is named by its table and number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bot.domain.merge import Refusal, What
from bot.domain.treasury import Treasury
from bot.treasury_file.faults import Faults, Layout, Path
from bot.treasury_file.rows import FileRows

_Thing: TypeAlias = tuple[What, str, str | None]
"""As a `Refusal` names it: what it is, its id, and of an amendment whose."""

_KEYS: Mapping[What, Mapping[str, str]] = {
    What.TREASURY: {"zone": "timezone", "production_zone": "production_timezone"},
    What.CALENDAR: {"zone": "timezone"},
    What.FACILITY: {
        "accrued": "accrued_usd",
        "collateral": "collateral_btc",
        "tiers": "tier",
        "zone": "accrual_timezone",
    },
    What.AMENDMENT: {"tiers": "tier"},
    What.GROUP: {"pool": "collateral_btc", "tiers": "tier"},
}
"""The keys of the file whose fields have another name in the domain."""


@dataclass(frozen=True)
class TreasuryFile:
    """A file that was read: what it says, on top of what was recorded, and where it says it."""

    name: str
    layout: Layout
    rows: FileRows
    treasury: Treasury

    def refused(self, refusals: Iterable[Refusal]) -> list[str]:
        """A line for each refusal, in file order; then those of what is recorded or claimed and not in the file."""
        places: dict[_Thing, Path] = {}
        for thing, path in _places(self.rows):
            places.setdefault(thing, path)
        faults = Faults(self.name, self.layout)
        recorded: list[str] = []
        for refusal in refusals:
            key = _KEYS.get(refusal.what, {}).get(refusal.key, refusal.key)
            written = places.get((refusal.what, refusal.id, refusal.facility))
            if written is not None:
                faults.key(written, key, refusal.text)
            elif refusal.what is What.TREASURY:
                faults.key(("treasury",), key, refusal.text)
            else:
                where = "claimed" if refusal.claimed else "recorded"
                recorded.append(f"{self.name}: {refusal.named} ({where}): {key}: {refusal.text}")
        return [*faults.in_order(), *recorded]


def _places(rows: FileRows) -> Iterator[tuple[_Thing, Path]]:
    for calendar in rows.calendars:
        yield (What.CALENDAR, calendar.data.id, None), calendar.path
    for account in rows.accounts:
        yield (What.ACCOUNT, account.data.id, None), account.path
    for facility in rows.facilities:
        own = facility.row.data.id
        yield (What.FACILITY, own, None), facility.row.path
        for amendment in facility.amendments:
            yield (What.AMENDMENT, amendment.row.data.effective.isoformat(), own), amendment.row.path
    for group in rows.groups:
        yield (What.GROUP, group.row.data.id, None), group.row.path
    for call in rows.calls:
        yield (What.NOTICE, call.data.ref, None), call.path
    for movement in rows.movements:
        yield (What.MOVEMENT, movement.data.ref, None), movement.path
