"""The real `plimsoll run`, several at once, each killed, frozen and started again; only processes started here."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


def run_plimsoll(directory: Path, settings: dict[str, str], *arguments: str) -> None:
    """One command, to its end. CalledProcessError where it fails."""
    command = [sys.executable, "-m", "bot", *arguments]
    subprocess.run(command, cwd=directory, env=_environment(settings), check=True, capture_output=True, timeout=60)


def _environment(settings: dict[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}


@dataclass
class Worker:
    """One place in the herd: its process, or when the next one starts. `frozen`: pid, and when it goes on."""

    number: int
    log: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0
    frozen: dict[int, float] = field(default_factory=dict)
    killed: bool = False

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def family(self) -> list[int]:
        """Its process, and below an arbiter the one that works: last."""
        if self.process is None or not self.is_up:
            return []
        try:
            children = psutil.Process(self.process.pid).children()
        except psutil.NoSuchProcess:
            return []
        return [self.process.pid, *(child.pid for child in children)]


class Herd:
    """Keeps so many workers running. `tend` often; `strike` and `freeze` may be called from any thread."""

    def __init__(
        self,
        directory: Path,
        settings: dict[str, str],
        workers: int,
        free_port: Callable[[], int],
        chance: random.Random,
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._chance = chance
        self._guard = threading.RLock()
        self.workers = [Worker(n, directory / f"worker{n}.log", free_port()) for n in range(workers)]
        self.met: Counter[str] = Counter()
        self.exits: list[str] = []
        self.calm = False

    def tend(self) -> None:
        """Starts what is due, lets go on what has been frozen long enough, and takes note of what ended by itself."""
        now = time.monotonic()
        with self._guard:
            for worker in self.workers:
                for pid, until in list(worker.frozen.items()):
                    if now >= until or self.calm:
                        del worker.frozen[pid]
                        _signal(pid, signal.SIGCONT)
                if worker.process is not None and not worker.is_up:
                    if not worker.killed:
                        self.exits.append(f"worker {worker.number} ended by itself, code {worker.process.returncode}")
                    worker.process, worker.killed, worker.frozen = None, False, {}
                    worker.start_at = now + (0.0 if self.calm else self._chance.choice((0.0, 0.0, 0.1, 0.4, 1.5)))
                if worker.process is None and now >= worker.start_at:
                    self._start(worker)

    def _start(self, worker: Worker) -> None:
        role = "all" if worker.number == 0 and self._chance.random() < 0.25 else "worker"
        self.met[f"started as {role}"] += 1
        with worker.log.open("ab") as log:
            worker.process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run", "--role", role],
                cwd=self._directory,
                env=_environment({**self._settings, "PORT": str(worker.port)}),
                stdout=log,
                stderr=log,
            )

    def up(self) -> list[int]:
        """One process of each worker that is up, at random: an arbiter or what works below it."""
        with self._guard:
            return [self._chance.choice(family) for worker in self.workers if (family := worker.family())]

    def works(self, working: Container[int | None]) -> bool:
        """Whether a worker is up that has begun to work, and is not frozen."""
        with self._guard:
            families = [(worker, worker.family()) for worker in self.workers]
        return any(not worker.frozen and any(pid in working for pid in family) for worker, family in families)

    def owner(self, port: int) -> int | None:
        """The process of ours that speaks from a local port."""
        with self._guard:
            for worker in self.workers:
                for pid in reversed(worker.family()):
                    try:
                        lines = psutil.Process(pid).net_connections("tcp4")
                    except psutil.Error:
                        continue
                    if any(line.laddr and line.laddr.port == port for line in lines):
                        return pid
        return None

    def kill(self, pid: int) -> bool:
        """SIGKILL; of a process below an arbiter, now and then its arbiter instead, which takes it along."""
        with self._guard:
            worker = self._worker(pid)
            if worker is None or worker.process is None:
                return False
            if pid != worker.process.pid and self._chance.random() < 0.5:
                pid = worker.process.pid
            _signal(pid, signal.SIGKILL)
            worker.frozen.pop(pid, None)
            if pid == worker.process.pid:
                worker.killed = True
                worker.process.wait(10)
            return True

    def freeze(self, pid: int, seconds: float) -> bool:
        """SIGSTOP, and SIGCONT after so many seconds."""
        with self._guard:
            worker = self._worker(pid)
            if worker is None or pid in worker.frozen:
                return False
            _signal(pid, signal.SIGSTOP)
            worker.frozen[pid] = time.monotonic() + seconds
            return True

    def _worker(self, pid: int) -> Worker | None:
        return next((worker for worker in self.workers if pid in worker.family()), None)

    def end(self, within: float = 15) -> None:
        """Tells all to stop; kills what does not."""
        with self._guard:
            families = [worker.family() for worker in self.workers]
            for worker in self.workers:
                for pid in worker.family():
                    _signal(pid, signal.SIGCONT)
                if worker.is_up and worker.process is not None:
                    worker.process.terminate()
            until = time.monotonic() + within
            for worker in self.workers:
                if worker.process is None:
                    continue
                try:
                    worker.process.wait(max(0.1, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self.exits.append(f"worker {worker.number} did not stop within {within:.0f} s")
                    worker.process.kill()
                    worker.process.wait(10)
            for pid in (pid for family in families for pid in family[1:]):
                if psutil.pid_exists(pid) and psutil.Process(pid).cmdline()[1:3] == ["-m", "bot"]:
                    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it went first
