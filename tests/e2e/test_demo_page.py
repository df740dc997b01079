"""`plimsoll demo` as a treasurer sees it: one command, one page, a minute."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
A_MINUTE = 60.0


@pytest.fixture
def demo() -> Iterator[tuple[str, float]]:
    """A running demo: its address, and when it was started."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        opened = re.fullmatch(r"Open (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
        assert opened
        yield opened[1], began
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
        process.stdout.close()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_it_shows_a_warning_its_edit_the_call_line_the_notice_and_answers_a_question_within_a_minute(
    demo: tuple[str, float],
) -> None:
    from playwright.sync_api import expect, sync_playwright

    address, began = demo
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        expect(page.get_by_text("Simulated: published bitcoin prices")).to_be_visible()

        def within() -> float:
            return max(1.0, A_MINUTE - (time.monotonic() - began)) * 1000

        warning = page.locator(".message", has_text="Antalpha is at its early warning: LTV 7").first
        expect(warning).to_be_visible(timeout=within())
        posted = warning.get_attribute("data-ts")
        same = page.locator(f'.message[data-ts="{posted}"]').first
        expect(same).to_contain_text("(edited)", timeout=within())
        expect(same).to_contain_text("LTV 78.", timeout=within())

        called_for = page.locator(".message", has_text="Antalpha is at its margin-call line: LTV 81.43 % ≥ 80.00 %")
        expect(called_for.first).to_contain_text("Cure to 70.00 %: pledge ", timeout=within())
        notice = page.locator(".message", has_text="Antalpha has called: margin call").last
        expect(notice).to_contain_text("Notice “notice 1 (simulated)”", timeout=within())
        expect(notice).to_contain_text(re.compile(r"in 47 h \d+ min|in 48 h"), timeout=within())

        page.fill("#compose", "/ltv -20%")
        page.press("#compose", "Enter")
        answer = page.locator(".message.ephemeral").last
        expect(answer).to_contain_text("What if bitcoin were at $53,8", timeout=within())
        expect(answer).to_contain_text("Antalpha: LTV 100.7")
        browser.close()


def test_a_taken_port_is_said_and_not_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "bot", "demo", "--port", str(port)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"Port {port}" in done.stderr
    assert "taken" in done.stderr
