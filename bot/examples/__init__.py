"""Treasury files that ship with Plimsoll: `importlib.resources.files("bot.examples") / "cango.toml"`."""
