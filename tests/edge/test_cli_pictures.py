"""`chart` and `replay --chart`: a whole file, and its words; or one line and no file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from .cli_process import CONTRACT, Plimsoll, price

SEVENTH = "2026-02-07T12:00:00Z"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def test_it_draws_ltvs_and_says_them(imported: Plimsoll, tmp_path: Path) -> None:
    price(tmp_path, "2026-02-07T05:59:00Z", 6_000_000)  # midnight in Chicago
    price(tmp_path, "2026-02-07T11:59:30Z", 6_100_000)
    drawn = imported("chart", "ltv", "ltv.png", "--at", SEVENTH)
    assert (drawn.code, drawn.err) == (0, "")
    assert drawn.out.splitlines()[0].startswith("Antalpha: LTV from 71.5")
    assert "margin call 75.00 %" in drawn.out
    assert (tmp_path / "ltv.png").read_bytes()[:4] == b"\x89PNG"
    months = imported("chart", "production", "months.svg", "--at", SEVENTH)
    assert months.out == "February 2026 so far: mined 0.00, sold 0.00 BTC.\n"
    assert b"<svg" in (tmp_path / "months.svg").read_bytes()


def test_what_was_reached_between_two_midnights_is_drawn(imported: Plimsoll, tmp_path: Path) -> None:
    for at, cents in (
        ("05T05:59", 6_500_000),
        ("05T18:00", 5_000_000),
        ("05T19:00", 6_500_000),
        ("07T11:59", 6_500_000),
    ):
        price(tmp_path, f"2026-02-{at}:30Z", cents)
    drawn = imported("chart", "ltv", "ltv.png", "--at", SEVENTH)
    highest = Decimal(imported("ltv", "--at", "2026-02-05T18:01:00Z", "--json").json["facilities"][0]["ltv_pct"])
    assert highest > 75
    assert f"{highest} % at most" in drawn.out


def test_a_replay_is_drawn_too(plimsoll: Plimsoll, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("ts,usd\n2026-02-01T00:00:00Z,68500\n2026-02-02T00:00:00Z,56000\n")
    asked = ("replay", str(CONTRACT), "--prices", "p.csv")
    drawn = plimsoll(*asked, "--chart", "r.png")
    assert (drawn.code, drawn.err) == (0, "")
    assert drawn.out == plimsoll(*asked).out
    assert (tmp_path / "r.png").stat().st_size > 5_000


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("a.jpg", "a.jpg: a picture is a file that ends in .png or .svg\n"),
        ("none/a.png", "none/a.png: there is no directory none\n"),
    ],
)
def test_what_is_no_place_for_a_picture_is_refused(plimsoll: Plimsoll, tmp_path: Path, file: str, why: str) -> None:
    (tmp_path / "p.csv").write_text("ts,usd\n2026-02-01T00:00:00Z,68500\n")
    for asked in (("chart", "ltv", file), ("replay", str(CONTRACT), "--prices", "p.csv", "--chart", file)):
        refused = plimsoll(*asked)
        assert (refused.code, refused.out, refused.err) == (2, "", why)
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]
