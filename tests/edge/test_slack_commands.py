"""Commands as a person types them: signed, over HTTP, answered in the acknowledgement."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.domain.price import PriceState, PriceView
from bot.slack.health import Health
from bot.store.store import Store
from bot.workspace import faults

from .test_slack_bench import SOURCES, TREASURY, Bench, bench


@pytest.fixture
def database_kind() -> str:
    """One is enough: the queries behind commands have tests of their own on both."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    """A bot that knows its people and has a treasury and a price."""
    with bench(store) as made:
        made.imports()
        made.price(68_500)
        made.knows("U1", "U2")
        made.slack.clear_calls()
        yield made


def said(bot: Bench, line: str, **sending: object) -> str:
    """What the asker reads: the text of all blocks."""
    answer = bot.slack.command(line, **sending)  # type: ignore[arg-type]
    assert answer.ok, (answer.error, answer.problems)
    assert answer.status == 200
    shown = []
    for block in answer.blocks:
        parts = [block["text"]] if "text" in block else block.get("elements", [])
        shown += [part["text"] for part in parts]
    return "\n".join(shown)


def test_it_answers_ltv_in_the_acknowledgement_without_asking_slack_anything(bot: Bench) -> None:
    answer = bot.slack.command("/ltv")
    assert answer.json["response_type"] == "ephemeral"
    assert "Antalpha: LTV 62.66 %, ok" in answer.body.encode().decode("unicode_escape", "replace") or answer.blocks
    assert "*" not in answer.text.split("\n")[0]
    assert not bot.slack.calls
    assert [m.ephemeral_to for m in bot.slack.ephemerals("U1")] == ["U1"]


def test_it_shows_ltv_level_next_line_debt_and_price_with_its_age_and_sources(bot: Bench) -> None:
    text = said(bot, "/ltv")
    assert "Antalpha: LTV" in text
    assert ", ok" in text
    assert "Debt $300.41M, 7,000.00 BTC pledged." in text
    assert "Next line: early warning at $" in text
    assert "$68,500.00 (12 s old, 4 sources) from coinbase, kraken, bitstamp, gemini" in text
    assert "Group antalpha-all: LTV" in text


@pytest.mark.parametrize(
    "words",
    [
        "at 55000",
        "at $55,000",
        "at 55k",
        "AT 55K",
        "at  $55,000.00",
        "antalpha at 55000",
        "Antalpha at 55,000 USD",
        "@ 55000",
    ],
)
def test_it_answers_what_if_bitcoin_were_at_a_price(bot: Bench, words: str) -> None:
    text = said(bot, f"/ltv {words}")
    assert "What if bitcoin were at $55,000.00: a scenario, not the market" in text
    assert "critical, at its margin-call line" in text
    assert "Cure to 65.00 %: pledge" in text
    assert "sell " in text
    assert "free BTC (474.62 free) and repay" in text


@pytest.mark.parametrize("words", ["-20%", "-20 %", "− 20%", "–20%", "antalpha -20.0%", "ANTALPHA − 20 %"])
def test_it_answers_what_if_bitcoin_fell(bot: Bench, words: str) -> None:
    text = said(bot, f"/ltv {words}")
    assert "What if bitcoin were at $54,800.00" in text
    assert "Taken from the price of" in text


def test_an_open_call_is_shown_with_its_clock_demand_and_cures(bot: Bench) -> None:
    bot.clock.passes(timedelta(hours=6).total_seconds())
    bot.knows("U1")
    bot.price(56_000)
    text = said(bot, "/ltv antalpha")
    assert "critical, called (margin call)" in text
    assert "Notice “notice 1” of <!date^1770473700^{date_short_pretty} {time}|Sat 08:15> at $57,100.00" in text
    assert "due <!date^1770560100^{date_short_pretty} {time}|Sun 08:15> (in 20 h 15 min)" in text
    assert "Demanded 1,094.30 BTC or" in text
    assert "Cure to 65.00 %: pledge" in text


def test_it_knows_a_facility_by_id_or_lender_in_any_case(bot: Bench) -> None:
    for named in ("antalpha", "ANTALPHA", "Antalpha"):
        text = said(bot, f"/ltv {named}")
        assert "Antalpha: LTV" in text
        assert "antalpha-all" not in text
    assert "Group antalpha-all" in said(bot, "/ltv antalpha-all")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/ltv at banana", "“banana” is not a price. Try `/ltv at 55000` or `/ltv -20%`."),
        ("/ltv at", "“at” needs a price. Try `/ltv at 55000` or `/ltv -20%`."),
        ("/ltv at 0", "“0” is not a price. Try"),
        ("/ltv at 55.0001", "“55.0001” is not a price."),
        ("/ltv at 5,5", "“5,5” is not a price."),
        ("/ltv at -5", "“-5” is not a price."),
        ("/ltv at 99999999999999", "is not a price."),
        ("/ltv 20%", "“20%” is not a fall: it begins with a minus."),
        ("/ltv +20%", "“+20%” is not a fall"),
        ("/ltv -20", "“-20” lacks its %."),
        ("/ltv -100%", "“-100%” is not a fall between 0 and 100 %."),
        ("/ltv -abc%", "“-abc%” is not a fall between 0 and 100 %."),
        ("/ltv -20% at 55000", "Ask about a price or a fall, not both."),
        ("/ltv coinbank", "“coinbank” is not a facility. There is antalpha, antalpha-all (group)."),
        ("/ltv 55000", "“55000” is not a facility."),
        ("/holdings please", "“please” is nothing to ask holdings about: it takes no words. Try `/holdings`."),
        ("/plimsoll banana", "“banana” is nothing to ask plimsoll about: it takes no words. Try `/plimsoll`."),
    ],
)
def test_a_wrong_word_gets_one_line_with_an_example(bot: Bench, line: str, answer: str) -> None:
    text = said(bot, line)
    assert answer in text
    assert "Try `/" in text
    assert "\n" not in text


def test_a_persons_words_wake_nobody_and_link_nowhere(bot: Bench) -> None:
    answer = bot.slack.command("/ltv <!channel> @here <https://x.example|y> *b* `c`")
    assert "<!channel>" not in answer.body
    assert "<https" not in answer.body
    assert "@here" not in answer.text
    assert answer.blocks[0]["text"]["verbatim"] is True


def test_a_very_long_question_is_answered_briefly(bot: Bench) -> None:
    assert len(said(bot, f"/ltv {'x' * 5000}")) < 300


def test_it_answers_holdings(bot: Bench) -> None:
    text = said(bot, "/holdings")
    assert "*7,474.62 BTC, worth $512.01M*" in text
    assert "Free: 474.62 BTC (custody 474.62)" in text
    assert "Pledged: 7,000.00 BTC (Antalpha 7,000.00)" in text
    assert "Cash: $10.00M (custody $10.00M)" in text
    assert "Debt: $300.41M (Antalpha $300.41M)" in text
    assert "Net: $221.60M" in text
    assert "Week:" not in text  # it opened less than a week ago


def test_holdings_say_what_a_week_and_a_month_changed(bot: Bench) -> None:
    bot.clock.passes(timedelta(days=29).total_seconds())
    bot.knows("U1")
    text = said(bot, "/holdings")
    assert "Week: coins unchanged (free unchanged), cash unchanged, debt +$" in text
    assert "Month: coins −3,650.00 BTC (free unchanged), cash unchanged, debt −$248." in text
    assert "value unknown: $68,500.00 (29 d old, 4 sources, stale)" in text
    assert "Net: unknown without a price" in text


def test_without_a_price_the_ltv_is_unknown_never_fine(store: Store) -> None:
    with bench(store) as bot:
        bot.imports()
        bot.knows("U1")
        text = said(bot, "/ltv")
        assert "Antalpha: LTV unknown\n" in text
        assert "No price yet: LTVs are unknown." in text
        assert ", ok" not in text
        bot.price(68_500, age=600)
        assert "That is no price to judge by: LTVs are unknown." in said(bot, "/ltv")


def test_before_any_import_it_says_how_to_import(store: Store) -> None:
    with bench(store) as bot:
        bot.knows("U1")
        for line in ("/ltv", "/holdings", "/ltv at 55000"):
            assert said(bot, line) == "Nothing imported yet: plimsoll import FILE"


def test_help_and_health(bot: Bench) -> None:
    view = PriceView(PriceState.FRESH, 6_850_000, age=timedelta(seconds=12), sources=SOURCES)
    now = bot.clock.now()
    bot.health = lambda: Health(now, view, SOURCES, last_check=now - timedelta(seconds=20))
    text = said(bot, "/plimsoll")
    assert "`/ltv at 55000`" in text
    assert "*All is well*" in text
    assert "Price: fresh, $68,500.00 (12 s old, 4 sources); asked: coinbase, kraken, bitstamp, gemini" in text
    assert "Last check: 20 s ago" in text
    assert "Messages not delivered yet: 0" in text
    assert "Database: ok" in text
    bot.health = lambda: Health(
        now,
        view,
        SOURCES,
        last_check=now - timedelta(minutes=30),
        undelivered=3,
        undelivered_since=now - timedelta(minutes=5),
        failed=2,
        failures=("channel_not_found", "channel_not_found"),
        database="locked",
        socket_silent_for=timedelta(seconds=70),
    )
    text = said(bot, "/plimsoll health")
    assert "Not well: the database; checks do not run; messages are not delivered; messages were given up" in text
    assert "Messages not delivered yet: 3, the oldest for 5 min" in text
    assert "Messages given up in the last day: 2 (channel_not_found)" in text
    assert "Socket Mode: last heard 1 min ago" in text


def test_commands_and_examples_carry_the_prefix(store: Store) -> None:
    with bench(store, prefix="tr-") as bot:
        bot.imports()
        bot.price(68_500)
        bot.knows("U1")
        assert "Antalpha: LTV" in said(bot, "/tr-ltv")
        assert "Try `/tr-ltv at 55000`" in said(bot, "/tr-ltv at banana")
        assert bot.slack.command("/ltv").body == ""


def test_a_failure_gets_a_reference_that_the_log_has_too(bot: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> Health:
        raise RuntimeError("nobody should read this")

    bot.health = broken
    text = said(bot, "/plimsoll")
    reference = text.split("reference ")[1].split(";")[0]
    assert "nobody" not in text
    logged = capsys.readouterr()
    assert reference in logged.out + logged.err
    assert "nobody should read this" in logged.out + logged.err


def test_a_busy_database_is_a_reasoned_refusal_in_time(bot: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.store.engine import DatabaseUnavailableError

    def busy() -> None:
        time.sleep(2)
        raise DatabaseUnavailableError("locked")

    monkeypatch.setattr(bot.store, "reading", busy)
    answer = bot.slack.command("/ltv")
    assert answer.elapsed_s < 3
    assert "the database is busy or cannot be reached" in answer.text


def test_a_writer_that_holds_the_database_keeps_no_answer_waiting(bot: Bench) -> None:
    inside, over = threading.Event(), threading.Event()

    def write() -> None:
        with bot.store.writing():
            inside.set()
            over.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    inside.wait(5)
    try:
        answer = bot.slack.command("/ltv")
        assert "Antalpha: LTV" in answer.text + str(answer.blocks)
        assert answer.elapsed_s < 1
    finally:
        over.set()
        writer.join()


def test_a_retried_request_is_handled_once_and_gets_the_same_answer(bot: Bench) -> None:
    asked = []
    original = bot.questions.book
    bot.questions.book = lambda *a, **k: asked.append(a) or original(*a, **k)  # type: ignore[method-assign,func-returns-value]
    first = bot.slack.command("/ltv")
    bot.quiet()
    bot.price(50_000, age=1)
    again = bot.slack.repeat(first, retry_num=1)
    assert (again.status, again.body) == (200, first.body)
    assert len(asked) == 1
    assert bot.slack.command("/ltv").body != first.body


def test_a_retry_that_reaches_another_process_gets_the_same_answer(bot: Bench) -> None:
    first = bot.slack.command("/ltv")
    bot.quiet()
    bot.price(50_000, age=1)
    bot.requests._answers.clear()  # noqa: SLF001 -- as in a process that did not see the first try
    assert bot.slack.repeat(first, retry_num=1).body == first.body


def test_a_retry_waits_for_the_first_try(bot: Bench) -> None:
    asked = []
    original = bot.questions.book

    def slowly(*args: object, **rest: object) -> object:
        asked.append(1)
        time.sleep(0.5)
        return original(*args, **rest)  # type: ignore[arg-type]

    bot.questions.book = slowly  # type: ignore[method-assign,assignment]
    answers: list[str] = []
    body = None
    first = threading.Thread(target=lambda: answers.append(bot.slack.command("/ltv").body))
    first.start()
    time.sleep(0.1)
    request = next(iter(bot.slack._sent.values()))  # noqa: SLF001
    from bot.workspace.signing import send

    again = send(bot.slack._target, "shh", request, {"retry_num": 1})  # noqa: SLF001
    first.join()
    assert body is None
    assert answers == [again.body]
    assert len(asked) == 1


def test_it_takes_only_what_slack_signed(bot: Bench) -> None:
    assert bot.slack.command("/ltv").status == 200
    assert bot.slack.command("/ltv", unsigned=True).status == 401
    assert bot.slack.command("/ltv", secret="wrong").status == 401
    assert bot.slack.command("/ltv", timestamp=int(time.time()) - 360).status == 401
    assert bot.slack.command("/ltv", timestamp=int(time.time()) - 240).status == 200


def test_what_nobody_listens_to_is_acknowledged_without_a_word(bot: Bench, caplog: pytest.LogCaptureFixture) -> None:
    assert (bot.slack.command("/unknown at all").status, bot.slack.command("/unknown at all").body) == (200, "")
    event = bot.slack.send_event({"type": "reaction_added", "user": "U1", "item": {"type": "message"}})
    assert (event.status, event.body) == (200, "")
    posted = bot.client.chat_postMessage(
        channel="C1",
        text="old",
        blocks=[
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "action_id": "gone", "text": {"type": "plain_text", "text": "Gone"}},
                ],
            }
        ],
    )
    click = bot.slack.click(posted["ts"], "gone")
    assert (click.status, click.body) == (200, "")
    assert not caplog.records


def test_nonsense_is_refused_and_breaks_nothing(bot: Bench) -> None:
    from bot.workspace.signing import send

    target = bot.slack._target  # noqa: SLF001
    for body, kind in (
        (b"payload=not-json", "application/x-www-form-urlencoded"),
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"", "application/json"),
    ):
        assert send(target, "wrong", (body, kind), {}).status in (400, 401)
        assert send(target, "shh", (body, kind), {}).status in (200, 400, 404)
    assert bot.slack.command("/ltv").ok


def test_ten_facilities_in_trouble_fit_one_answer_and_nothing_is_cut_silently(bot: Bench) -> None:
    head, facility, rest = _split(TREASURY)
    many = [facility.replace('"antalpha"', f'"lender-{n}"').replace('"Antalpha"', f'"Lender {n}"') for n in range(14)]
    text = head + "\n".join(one.replace('group = "antalpha-all"', "") for one in many)
    with bot.store.writing() as tx:
        assert tx.treasury() is not None
    del rest
    with bench_of(bot, text) as other:
        shown = said(other, "/ltv at 50000")
        assert all(f"Lender {n}: LTV" in shown for n in range(14))
        assert "of 14 in one line each. All about one: `/ltv lender-" in shown
        assert said(other, "/ltv lender-13 at 50000").count("Cure to") == 1


def _split(text: str) -> tuple[str, str, str]:
    start = text.index("[[facility]]")
    end = text.index("[[group]]")
    return text[:start], text[start:end], text[end:]


def bench_of(bot: Bench, text: str) -> object:
    """The same bench, its register replaced by another: the questions see `text` alone."""
    from contextlib import nullcontext

    from bot.treasury_file import read_treasury

    treasury = read_treasury("many.toml", text)
    original = bot.books.register
    bot.books.register = lambda _: original(treasury)  # type: ignore[method-assign]
    return nullcontext(bot)


def test_the_workspace_is_asked_nothing_while_slack_is_down(bot: Bench) -> None:
    bot.slack.on("*", faults.http_500)
    assert "Antalpha: LTV" in said(bot, "/ltv")
