"""What tiers, releases, amendments and waivers must be among themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from bot.domain.money import percent_plain, usd_plain
from bot.domain.treasury import Treasury
from bot.treasury_file.faults import Faults
from bot.treasury_file.rows import AmendmentRows, FacilityRows, FileRows, Row, TermsRows
from bot.treasury_file.tables import ReleaseTable, TierTable
from bot.treasury_file.values import shown

MILD_TO_FATAL = "tiers go from mild to fatal."


def tier_name(row: Row[TierTable]) -> str | None:
    """A tier's name, by default its kind; None where neither can be read."""
    if row.has("name"):
        return row.data.name
    return str(row.data.kind) if row.has("kind") and "name" not in row.raw else None


def tier_line(row: Row[Any]) -> Fraction | None:
    """The LTV of a tier or release, however it is written; None for a price or what cannot be read."""
    if row.has("ltv"):
        line: Fraction = row.data.ltv
        return line
    return row.data.coverage if row.has("coverage") else None


def check_facility_terms(facility: FacilityRows, faults: Faults) -> None:
    """Tiers and release as first agreed, then as each amendment leaves them."""
    check_tiers(facility.terms.tiers or [], faults)
    _check_release(facility.terms.release, facility.terms.tiers or [], faults)
    for amendment in facility.amendments:
        check_tiers(amendment.terms.tiers or [], faults)
    _check_amendments(facility, faults)
    for waiver in facility.waivers:
        if waiver.has("from", "until") and waiver.data.until <= waiver.data.since:
            faults.key(
                waiver.path,
                "until",
                f"{shown(waiver.raw['until'])} is not after from {shown(waiver.raw['from'])}; a waiver ends after it "
                "begins.",
            )


def check_tiers(tiers: Sequence[Row[TierTable]], faults: Faults) -> None:
    for row in tiers:
        _check_line(row, faults)
        _check_cure(row, faults)
        _check_window(row, faults)
    _check_names(tiers, faults)
    _check_order(tiers, faults)


def _check_line(row: Row[TierTable], faults: Faults) -> None:
    lines = row.written("ltv", "coverage", "price")
    if not lines:
        faults.add(row.path, 'ltv is missing; a tier has one line, for example ltv = "0.75", or coverage, or price')
    elif len(lines) > 1:
        faults.key(row.path, lines[1], f"a tier has one line, and {lines[0]} is given too; keep one of them.")
    line = tier_line(row)
    if row.has("liquidate_to") and line is not None and row.data.liquidate_to and row.data.liquidate_to > line:
        faults.key(
            row.path, "liquidate_to", f"{row.raw['liquidate_to']} is above {_line_text(row)}; write at most that."
        )


def _check_cure(row: Row[TierTable], faults: Faults) -> None:
    cures = row.written("cure_to", "cure_to_coverage")
    if len(cures) > 1:
        faults.key(row.path, "cure_to_coverage", "a tier has one cure, and cure_to is given too; keep one of them.")
    if cures and row.has("kind") and not row.data.kind.is_call:
        faults.key(
            row.path, cures[0], f"{_article(row.data.kind)} tier has no cure; only call and accelerated have one."
        )
        return
    line = tier_line(row)
    for key, cure in (("cure_to", row.data.cure_to), ("cure_to_coverage", row.data.cure_to_coverage)):
        if row.has(key) and cure is not None and line is not None and cure > line:
            if key == "cure_to_coverage" and row.has("coverage"):
                wrong = f"{row.raw[key]} is below its line, coverage {row.raw['coverage']}"
            else:
                ltv = f" (LTV {percent_plain(cure)} %)" if key == "cure_to_coverage" else ""
                wrong = f"{row.raw[key]}{ltv} is above its line, {_line_text(row)}"
            faults.key(row.path, key, f"{wrong}; a cure ends at its line or milder.")


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'ae' else 'a'} {kind}"


def _check_window(row: Row[TierTable], faults: Faults) -> None:
    if len(row.written("window_hours", "window_days")) > 1:
        faults.key(row.path, "window_days", "a tier has one window, and window_hours is given too; keep one of them.")


def _check_names(tiers: Sequence[Row[TierTable]], faults: Faults) -> None:
    first: dict[str, Row[TierTable]] = {}
    for row in tiers:
        name = tier_name(row)
        if name is None:
            continue
        if name not in first:
            first[name] = row
        elif "name" in row.raw:
            faults.key(row.path, "name", f"“{name}” is already {first[name].place}; give each tier a name of its own.")
        else:
            faults.add(row.path, f"name is missing; {first[name].place} is “{name}” already, so give both a name.")


def _check_order(tiers: Sequence[Row[TierTable]], faults: Faults) -> None:
    """Kinds, LTV lines and prices each go one way; a tier is held against the nearest one before it."""
    kind: Row[TierTable] | None = None
    ratio: Row[TierTable] | None = None
    price: Row[TierTable] | None = None
    for row in tiers:
        if row.has("kind"):
            if kind is not None and row.data.kind.severity < kind.data.kind.severity:
                faults.key(
                    row.path, "kind", f"{row.data.kind} comes after {_named(kind)} {kind.data.kind}; {MILD_TO_FATAL}"
                )
            kind = row
        line, before = tier_line(row), tier_line(ratio) if ratio is not None else None
        if line is not None:
            if ratio is not None and before is not None and line < before:
                faults.add(row.path, _out_of_order(row, ratio), at=(*row.path, "ltv" if row.has("ltv") else "coverage"))
            ratio = row
        if row.has("price") and row.data.price is not None:
            if price is not None and price.data.price is not None and row.data.price > price.data.price:
                faults.add(
                    row.path,
                    f"price {row.raw['price']} is above {_named(price)} {price.raw['price']}; {MILD_TO_FATAL}",
                    at=(*row.path, "price"),
                )
            price = row


def _out_of_order(row: Row[TierTable], before: Row[TierTable]) -> str:
    if row.has("ltv") and before.has("ltv"):
        return f"ltv {row.raw['ltv']} is below {_named(before)} {before.raw['ltv']}; {MILD_TO_FATAL}"
    if not row.has("ltv") and not before.has("ltv"):
        return f"coverage {row.raw['coverage']} is above {_named(before)} {before.raw['coverage']}; {MILD_TO_FATAL}"
    return f"{_line_text(row)} is below {_named(before)} {_line_text(before)}; {MILD_TO_FATAL}"


def _named(row: Row[TierTable]) -> str:
    return f"“{tier_name(row) or row.place}”"


def _line_text(row: Row[Any]) -> str:
    """The line as it is written, with its LTV where it is a coverage."""
    if row.has("ltv"):
        return f"ltv {row.raw['ltv']}"
    if row.has("coverage"):
        return f"coverage {row.raw['coverage']} (LTV {percent_plain(row.data.coverage)} %)"
    return f"price {usd_plain(row.data.price)}"


def _check_amendments(facility: FacilityRows, faults: Faults) -> None:
    """Effective days are each used once, and every release fits the tiers that an amendment leaves in force."""
    first: dict[date, AmendmentRows] = {}
    for amendment in facility.amendments:
        if not amendment.row.raw.keys() - {"effective"}:
            text = 'names nothing to change; write what is so from that day on, for example rate = "0.08"'
            faults.add(amendment.row.path, text)
        _check_maturity(facility, amendment, faults)
        if amendment.row.has("effective"):
            day = amendment.row.data.effective
            if (same := first.setdefault(day, amendment)) is not amendment:
                faults.key(
                    amendment.row.path,
                    "effective",
                    f"{day} is already {same.row.place}; put what changes that day in one.",
                )
    for terms, tiers, release in _in_force(facility):
        if terms.tiers is not None or terms.release is not None:
            _check_release(release, tiers, faults)


def _check_maturity(facility: FacilityRows, amendment: AmendmentRows, faults: Faults) -> None:
    if not facility.row.has("drawn") or not amendment.row.has("matures") or amendment.row.data.matures is None:
        return
    drawn, matures = facility.row.data.drawn, amendment.row.data.matures
    if matures <= drawn:
        text = f"{matures} is not after drawn {drawn}; a loan ends after it begins."
        faults.key(amendment.row.path, "matures", text)


def _in_force(
    facility: FacilityRows,
) -> Iterator[tuple[TermsRows, Sequence[Row[TierTable]], Row[ReleaseTable] | None]]:
    """Each amendment's terms, by effective day, with the tiers and release that hold from then on."""
    tiers, release = facility.terms.tiers or [], facility.terms.release
    dated = [amendment for amendment in facility.amendments if amendment.row.has("effective")]
    for amendment in sorted(dated, key=lambda amendment: amendment.row.data.effective):
        tiers = tiers if amendment.terms.tiers is None else amendment.terms.tiers
        release = amendment.terms.release or release
        yield amendment.terms, tiers, release


def _check_release(release: Row[ReleaseTable] | None, tiers: Sequence[Row[TierTable]], faults: Faults) -> None:
    if release is None:
        return
    for pair, example in ((("ltv", "coverage"), '"0.50"'), (("to", "to_coverage"), '"0.60"')):
        written = release.written(*pair)
        if not written:
            faults.add(release.path, f"{pair[0]} is missing; write for example {pair[0]} = {example}")
        elif len(written) > 1:
            faults.key(release.path, pair[1], f"{pair[0]} is given too; keep one of them.")
    line, target = tier_line(release), _release_to(release)
    if target is None:
        return
    (key,) = release.written("to", "to_coverage")
    text = str(release.raw[key]) + ("" if key == "to" else f" (LTV {percent_plain(target)} %)")
    if line is not None and target < line:
        faults.key(release.path, key, f"{text} is below the release line, {_line_text(release)}; it is that or above.")
    mildest = next((row for row in tiers if tier_line(row) is not None), None)
    if mildest is not None and (limit := tier_line(mildest)) is not None and target >= limit:
        faults.key(
            release.path,
            key,
            f"{text} is not below {_named(mildest)}, {_line_text(mildest)}; a release reaches no tier.",
        )


def _release_to(release: Row[ReleaseTable]) -> Fraction | None:
    if len(release.written("to", "to_coverage")) != 1:
        return None
    if release.has("to"):
        return release.data.to
    return release.data.to_coverage if release.has("to_coverage") else None


def check_releases(rows: FileRows, said: Treasury, known: Treasury, faults: Faults) -> None:
    """Releases of the file against recorded tiers, and the other way round, which no row alone can tell."""
    for facility, built in zip(rows.facilities, said.facilities, strict=True):
        recorded = known.facility_by_id.get(built.id)
        agreed = () if recorded is None else tuple(version.terms for version in recorded.versions)
        places = {one.row.data.effective: one.row.path for one in facility.amendments}
        for version in built.versions:
            release = version.terms.release
            mildest = next((tier for tier in version.terms.tiers if tier.line is not None), None)
            if recorded is None or release is None or mildest is None or version.terms in agreed:
                continue
            if mildest.line is not None and release.to >= mildest.line:
                path = places.get(version.effective or date.min, facility.row.path)
                faults.add(
                    path,
                    f"a release then goes to LTV {percent_plain(release.to)} %, not below “{mildest.name}”, "
                    f"LTV {percent_plain(mildest.line)} %; a release reaches no tier.",
                    at=(*path, "release"),
                )
