"""`plimsoll demo`: the very same bot on a simulated market, answering in a local Slack workspace."""

from bot.demo.run import run_demo

__all__ = ["run_demo"]
