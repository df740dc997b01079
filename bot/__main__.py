"""`python -m bot`, the same as `plimsoll`."""

from __future__ import annotations

import os
import signal
import sys


def main() -> int:
    """One command; its exit code."""
    if sys.argv[1:2] == ["run"]:
        # told to stop while it is still importing: until the server and the worker take the signal over, there is
        # nothing to put in order
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from bot.cli import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
