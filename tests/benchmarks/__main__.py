"""`make bench`: each figure beside a baseline measured in the same run. It prints and asserts nothing."""

from __future__ import annotations

from tests.benchmarks import answering, checking, covering, dwelling, processes, replaying, risking

if __name__ == "__main__":
    lasting = (answering.run, checking.run, dwelling.run, replaying.run, risking.run, processes.run, covering.run)
    for benchmark in lasting:
        for line in benchmark():
            print(line, flush=True)  # noqa: T201
