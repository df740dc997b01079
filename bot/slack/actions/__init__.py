"""One file a kind of click, each with `register`."""
