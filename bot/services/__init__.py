"""Use cases: data in, data out, one transaction each. The store, clock and network are passed in."""
