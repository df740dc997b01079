"""The dialog that asks for a silence, and the button that ends one: over signed HTTP."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.store.engine import DatabaseUnavailableError
from bot.store.store import Store
from bot.workspace import faults
from bot.workspace.model import View
from bot.workspace.signing import Answer

from .clicking import ACKNOWLEDGE, alerted, click, dialog, newest, shown, status, told
from .test_slack_bench import Bench

CHECKS, SUBJECTS, UNTIL, EXACT, REASON = (
    "silence_checks",
    "silence_subjects",
    "silence_until",
    "silence_exact",
    "silence_reason",
)
ASKED: dict[str, Any] = {CHECKS: ["covenant"], UNTIL: "4h", REASON: "standstill signed"}


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with alerted(store) as made:
        yield made


def submit(bot: Bench, view: View, user: str | None = None, **fields: Any) -> Answer:
    answer = bot.slack.submit_view(view.id, ASKED | fields, user=user)
    assert answer.ok, (answer.error, answer.problems)
    bot.delivers()
    return answer


def in_force(bot: Bench) -> list[tuple[list[str], list[str], str, str]]:
    with bot.store.reading() as tx:
        found = tx.silences(bot.clock.now())
        return [(sorted(s.checks), sorted(s.subjects), s.reason, s.by.id) for s in found]


def until(bot: Bench) -> float:
    with bot.store.reading() as tx:
        (one,) = tx.silences(bot.clock.now())
        return (one.until - bot.clock.now()).total_seconds() / 3600


def said(bot: Bench, line: str) -> str:
    """What the asker reads in the acknowledgement."""
    answer = bot.slack.command(line)
    assert answer.ok, (answer.error, answer.problems)
    return shown(answer.blocks)


# The dialog


def test_it_opens_a_dialog_after_the_acknowledgement(bot: Bench) -> None:
    bot.slack.on("views.open", faults.slow(0.4))
    answer = bot.slack.command("/alerts silence")
    assert (answer.body, answer.elapsed_s < 0.4) == ("", True)
    bot.quiet()
    (view,) = bot.slack.views
    assert (view.callback_id, view.title, view.status) == ("silence", "Silence alerts", "open")
    assert [block["block_id"] for block in view.blocks] == [CHECKS, SUBJECTS, UNTIL, EXACT, REASON]
    about = [(o["text"]["text"], o["value"]) for o in view.blocks[1]["element"]["options"]]
    assert about == [("Antalpha", "antalpha"), ("antalpha-all (group)", "antalpha-all")]


def test_a_dialog_that_slack_does_not_open_is_said_so(bot: Bench) -> None:
    bot.slack.on("views.open", faults.error("expired_trigger_id"))
    bot.slack.command("/alerts silence")
    bot.quiet()
    assert told(bot) == ["/alerts: Slack did not open the dialog (expired_trigger_id). Nothing was changed; try again."]
    bot.slack.clear_faults()
    bot.slack.on("views.open", faults.reset)
    bot.slack.command("/alerts silence")
    bot.quiet()
    assert "(Slack cannot be reached)" in told(bot)[-1]


def test_a_silence_is_recorded_shown_in_the_message_and_listed(bot: Bench) -> None:
    view = dialog(bot)
    submit(bot, view, **{SUBJECTS: ["antalpha"], REASON: " standstill\nsigned "})
    assert view.status == "submitted"
    assert in_force(bot) == [(["covenant"], ["antalpha"], "standstill signed", "U1")]
    assert until(bot) == 4
    assert "Silenced by <@U1> until <!date^1770480000^" in shown(newest(bot).blocks)
    assert shown(newest(bot).blocks).endswith("|Sat 10:00> (standstill signed)")
    (confirmed,) = told(bot)
    assert confirmed.startswith(
        "Silenced until <!date^1770480000^{date_short_pretty} {time}|Sat 10:00>: Covenants of antalpha."
    )
    assert "*Silenced*\n• Warning · Antalpha" in confirmed
    assert "*Silences*\nCovenants of antalpha · by <@U1> until" in confirmed
    assert "· standstill signed" in confirmed
    assert status(bot) == "silenced"
    assert [one.reason.value for one in bot.changes] == ["silenced"]


@pytest.mark.parametrize(("choice", "hours"), [("1h", 1), ("4h", 4), ("tomorrow", 27), ("1d", 24), ("3d", 72)])
def test_each_choice_of_how_long(bot: Bench, choice: str, hours: int) -> None:
    submit(bot, dialog(bot), **{UNTIL: choice})
    assert until(bot) == hours


def test_an_exact_time_counts_instead_of_the_choice(bot: Bench) -> None:
    at = int((bot.clock.now() + timedelta(days=30)).timestamp())
    submit(bot, dialog(bot), **{EXACT: at})
    assert until(bot) == 720
    other = dialog(bot)
    submit(bot, other, **{UNTIL: None, EXACT: at - 60, CHECKS: ["price"]})
    assert len(in_force(bot)) == 2


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({REASON: "  "}, {REASON: "Say why: everybody who misses the alert will ask."}),
        ({REASON: "x" * 201}, {REASON: "At most 200 characters; these are 201."}),
        ({CHECKS: []}, {CHECKS: "Choose at least one."}),
        ({UNTIL: None}, {UNTIL: "Choose how long, or a date and time below."}),
        ({EXACT: 1770465600}, {EXACT: "That has passed: choose a time ahead."}),
        ({EXACT: 1770465600 + 30 * 86400 + 1}, {EXACT: "At most 30 days ahead: until 9 Mar 07:00."}),
        (
            {CHECKS: ["covenant", "price"], SUBJECTS: ["antalpha"]},
            {SUBJECTS: "“Price” is about none of these. Silence it by itself, with nothing chosen here."},
        ),
        (
            {CHECKS: ["release"], SUBJECTS: ["antalpha-all"]},
            {SUBJECTS: "“Releases” is about none of these. Silence it by itself, with nothing chosen here."},
        ),
        ({REASON: "", UNTIL: None, CHECKS: []}, {CHECKS: None, UNTIL: None, REASON: None}),
    ],
)
def test_what_is_wrong_is_said_under_its_field_and_may_be_mended(
    bot: Bench, fields: dict[str, Any], errors: dict[str, str | None]
) -> None:
    view = dialog(bot)
    answer = bot.slack.submit_view(view.id, ASKED | fields, force=True)
    assert answer.ok, answer.problems
    assert view.errors.keys() == errors.keys()
    assert all(view.errors[name] == words for name, words in errors.items() if words)
    assert (view.status, in_force(bot)) == ("open", [])
    submit(bot, view)
    assert (view.status, len(in_force(bot))) == ("submitted", 1)


def test_a_retried_submission_records_once(bot: Bench) -> None:
    view = dialog(bot)
    first = submit(bot, view)
    assert bot.slack.repeat(first, retry_num=1).body == ""
    bot.requests._answers.clear()  # as in a process that did not see the first try
    bot.quiet()
    assert bot.slack.repeat(first, retry_num=2).body == ""
    bot.quiet()
    assert len(in_force(bot)) == 1
    assert len(told(bot)) == 1


def test_a_double_submit_records_once(bot: Bench) -> None:
    view = dialog(bot)
    together = threading.Barrier(2)
    requests = [bot.slack._payloads.submission(view, _values(bot, view), "U1") for _ in range(2)]
    answers: list[Answer] = []

    def press(request: tuple[bytes, str]) -> None:
        together.wait()
        answers.append(bot.slack._send(request, {}))

    threads = [threading.Thread(target=press, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bot.delivers()
    assert [(answer.status, answer.body) for answer in answers] == [(200, "")] * 2
    assert len(in_force(bot)) == 1
    assert len(told(bot)) == 1


def _values(bot: Bench, view: View) -> dict[str, Any]:
    from bot.workspace.values import report

    return report(view.blocks, ASKED)


def test_what_a_person_typed_is_escaped_everywhere(bot: Bench) -> None:
    evil = "<!channel> & <@U2> \x02@U2|x\x03 *bold*"
    submit(bot, dialog(bot), **{REASON: evil})
    everything = json.dumps(
        [newest(bot).blocks, newest(bot).text, told(bot), bot.slack.channel("C1").all_posts[-1].text]
    )
    assert "<!channel>" not in everything
    assert "<@U2" not in everything
    assert "&lt;!channel&gt; &amp; &lt;@U2&gt; @U2|x" in everything


@pytest.mark.parametrize("who", [{"is_restricted": True}, {"is_stranger": True}, {"is_bot": True}])
@pytest.mark.parametrize("known", [False, True], ids=["unknown", "known"])
def test_a_submission_of_who_is_no_full_member_is_refused(bot: Bench, who: dict[str, Any], known: bool) -> None:
    view = dialog(bot)
    bot.slack.add_user("U9", name="Other", **who)
    if known:
        bot.knows("U9")
    submit(bot, view, user="U9")
    assert in_force(bot) == []
    words = view.errors.get(REASON) or told(bot)[-1]
    assert "Plimsoll answers" in words
    assert known is False or REASON in view.errors


def test_somebody_unknown_is_acknowledged_looked_up_and_then_silences(bot: Bench) -> None:
    bot.slack.add_user("U3", name="Grace Hopper")
    bot.slack.on("users.info", faults.slow(0.4))
    view = dialog(bot)
    answer = bot.slack.submit_view(view.id, ASKED, user="U3")
    assert answer.elapsed_s < 0.4
    bot.delivers()
    assert in_force(bot)[0][3] == "U3"
    other = dialog(bot)
    bot.slack.add_user("U4", name="New")
    bot.slack.submit_view(other.id, ASKED | {REASON: " "}, user="U4", force=True)
    bot.delivers()
    assert told(bot)[-1] == "Silence: nothing was changed. Say why: everybody who misses the alert will ask."


def test_guests_get_no_dialog_and_no_list(bot: Bench) -> None:
    bot.slack.add_user("U9", name="Guest", is_restricted=True)
    for line in ("/alerts", "/alerts silence"):
        bot.slack.command(line, user="U9")
        bot.quiet()
        assert "Plimsoll answers full members" in told(bot, "U9")[-1]
    assert bot.slack.views == []


def test_a_busy_database_and_a_bug_leave_the_dialog_open_with_what_was_typed(
    bot: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    view = dialog(bot)

    def busy(*_: object) -> None:
        raise DatabaseUnavailableError("locked")

    def broken(*_: object) -> None:
        raise RuntimeError("nobody should read this")

    for failing, words in ((busy, "the database is busy"), (broken, "reference ")):
        with monkeypatch.context() as patched:
            patched.setattr(bot.acting, "silence", failing)
            submit(bot, view)
        assert view.status == "open"
        assert words in view.errors[REASON]
        assert "nobody" not in view.errors[REASON]
    submit(bot, view)
    assert len(in_force(bot)) == 1


def test_who_has_it_is_still_said_beside_the_silence(bot: Bench) -> None:
    click(bot, newest(bot), ACKNOWLEDGE, user="U2")
    submit(bot, dialog(bot), **{SUBJECTS: ["antalpha"]})
    both = r"Acknowledged by <@U2> <!date[^>]+>; Silenced by <@U1> until <!date[^>]+> \(standstill signed\)"
    assert re.search(both, shown(newest(bot).blocks))
    assert re.search(both, shown(listed(bot).blocks))


# Ending


def listed(bot: Bench, user: str = "U1") -> Any:
    bot.slack.command("/alerts", user=user)
    return bot.slack.ephemerals(user)[-1]


def test_ending_a_silence_says_at_once_what_it_kept_quiet_and_shows_the_list_anew(bot: Bench) -> None:
    submit(bot, dialog(bot), **{SUBJECTS: ["antalpha"]})
    bot.clock.passes(60)
    bot.checks(56_500)
    quiet = newest(bot).ts
    assert "Silenced by" in shown(newest(bot).blocks)
    message = listed(bot, "U2")
    button = next(e for b, e in message.elements() if e["action_id"] == "silence_end")
    assert button["confirm"]["title"]["text"] == "End this silence?"
    answer = bot.slack.click(message.ts, "silence_end", user="U2")
    assert answer.body == ""
    bot.delivers()
    assert in_force(bot) == []
    again = bot.slack.ephemerals("U2")
    assert again[-1].ts == message.ts
    assert shown(again[-1].blocks).startswith("Ended: what it kept quiet is said now.\n*1 alert open, not taken*")
    assert newest(bot).ts != quiet
    assert newest(bot).blocks[0]["text"]["text"].startswith("<!channel> *Antalpha is at its margin-call line")


def test_ending_what_has_ended_says_so(bot: Bench) -> None:
    submit(bot, dialog(bot))
    mine, theirs = listed(bot), listed(bot, "U2")
    bot.slack.click(mine.ts, "silence_end")
    bot.slack.click(theirs.ts, "silence_end", user="U2")
    bot.quiet()
    assert shown(bot.slack.ephemerals("U2")[-1].blocks).startswith("That silence had ended already.")


def test_the_lists_own_button_opens_the_dialog_and_the_list_is_shown_anew(bot: Bench) -> None:
    message = listed(bot)
    assert bot.slack.click(message.ts, "silence_ask").body == ""
    bot.quiet()
    view = bot.slack.state.open_modal("U1")
    assert view is not None
    submit(bot, view)
    assert bot.slack.ephemerals("U1")[-1].ts == message.ts
    assert shown(bot.slack.ephemerals("U1")[-1].blocks).startswith("Silenced until")


def test_what_cannot_wait_is_said_all_the_same(bot: Bench) -> None:
    submit(bot, dialog(bot))
    bot.clock.passes(60)
    bot.checks(46_000)
    assert newest(bot).blocks[0]["text"]["text"].startswith("<!channel> *Antalpha is at its liquidation line")
    assert ACKNOWLEDGE in newest(bot).action_ids
