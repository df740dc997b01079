"""Makes something else of a payload: a value of another type, a field gone, twice, elsewhere, or far too deep."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from .texts import text
from .world import GUEST, LENDER_CHANNEL, OFFICER, ROBOT, STRANGER

Path = tuple[Any, ...]

_JUNK: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    1.5,
    10**18,
    10**30,
    -(10**300),
    float("nan"),
    float("inf"),
    "",
    " ",
    "0",
    "1",
    "null",
    "\x00",
    "\ud800",
    [],
    {},
    [None],
    [[]],
    {"": None},
    {"id": None},
    {"id": ["U0OFFICER"]},
    {"type": "modal"},
    {"value": {"value": {"value": None}}},
)
_ADDRESSES = (
    "http://127.0.0.1:9/",
    "http://127.0.0.1:99999/",
    "http://[::1",
    "http://\u0130.\u2024\ud7ff/",
    "http://127.0.0.1:9/\r\nX: y",
    "https://127.0.0.1:9/ a b",
    "file:///etc/passwd",
    "ftp://127.0.0.1:9/",
    "javascript:alert(1)",
    "//127.0.0.1:9/",
    "http://",
    "http:///",
    "http://127.0.0.1:x/",
    "not an address",
)
_IDS = (
    OFFICER,
    GUEST,
    STRANGER,
    ROBOT,
    "U0NOBODY",
    LENDER_CHANNEL,
    "C0NOWHERE",
    "DU0TREASURER",
    "S0OFFICERS",
    "T0OTHER",
)
_VALUES = (
    "1 3.1",
    "1 3.1 1h",
    "2 3.1 4h",
    "1 3.1 never",
    "999 0.0",
    "999999999999999999 999999999.-999999999",
    "9999999999999999999 1.1",
    "1 3.1 tomorrow",
    "1  3.1",
    "١ 3.1",
    "1",
    "9" * 400,
    "-1",
)
_NO_STRINGS_OF_SLACKS = ("response_url", "response_urls", "url")


def mutated(chance: random.Random, body: Any, times: int) -> Any:
    """A copy of `body` with `times` things wrong in it."""
    made = copy.deepcopy(body)
    for _ in range(times):
        made = _once(chance, made)
    return made


def _once(chance: random.Random, body: Any) -> Any:
    paths = list(_paths(body))
    if not paths:
        return junk(chance)
    path = chance.choice(paths)
    parent, key = _at(body, path[:-1]), path[-1]
    way = chance.random()
    if way < 0.45:
        parent[key] = _other(chance, str(key), parent[key])
    elif way < 0.65:
        del parent[key]
    elif way < 0.75:
        parent[key] = chance.choice(([parent[key]], {"value": parent[key]}, [parent[key]] * 2, str(parent[key])))
    elif way < 0.85 and isinstance(parent, dict):
        parent[chance.choice((str(key).upper(), f"{key}s", "", "type", "id", "value"))] = parent.pop(key)
    elif way < 0.95:
        other = chance.choice(paths)
        try:
            parent[key] = copy.deepcopy(_at(body, other))
        except (KeyError, IndexError, TypeError):
            parent[key] = None
    else:
        parent[key] = _deep(chance)
    return body


def _paths(body: Any, before: Path = ()) -> Iterator[Path]:
    items: Any = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, inner in items:
        yield (*before, key)
        yield from _paths(inner, (*before, key))


def _at(body: Any, path: Path) -> Any:
    for key in path:
        body = body[key]
    return body


def _other(chance: random.Random, key: str, value: Any) -> Any:
    """Another value for the field `key`: of its own kind gone wrong, a person's text, or of any kind."""
    if key in _NO_STRINGS_OF_SLACKS and chance.random() < 0.8:
        return chance.choice(_ADDRESSES)
    if key == "private_metadata" and chance.random() < 0.8:
        return _metadata(chance, value)
    way = chance.random()
    if way < 0.2 and (key.endswith("id") or key in ("user", "channel", "team")):
        return chance.choice(_IDS)
    if way < 0.5 and key in ("value", "selected_option"):
        picked = chance.choice(_VALUES)
        return picked if key == "value" else {"value": picked}
    return text(chance) if way < 0.7 else junk(chance)


def _metadata(chance: random.Random, value: Any) -> Any:
    """What a dialog carries, read, changed and written again; or no JSON."""
    try:
        carried = json.loads(value)
    except (TypeError, ValueError):
        carried = {}
    way = chance.random()
    if way < 0.3:
        return chance.choice(("{", "[" * 5_000, "null", "[]", '"a"', "1e999", "NaN", '{"channel": 1}', "1" * 5_000))
    return json.dumps(mutated(chance, carried, 1))


def junk(chance: random.Random) -> Any:
    """Anything."""
    return text(chance) if chance.random() < 0.3 else copy.deepcopy(chance.choice(_JUNK))


def _deep(chance: random.Random) -> Any:
    made: Any = junk(chance)
    for _ in range(chance.choice((5, 50, 400))):
        made = [made] if chance.random() < 0.5 else {"a": made}
    return made
