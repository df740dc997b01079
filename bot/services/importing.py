"""Importing a treasury file or rows of one: all of it or nothing, and the same file twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Protocol, TypeAlias

from bot.domain.audit import Entry, What
from bot.domain.merge import Merge, Refusal, merge
from bot.domain.treasury import Treasury
from bot.services.errors import RefusedError
from bot.services.ports import Clock, KeepsRegister, Reading, Writing
from bot.services.record_posts import Imported, post_import


class FileRead(Protocol):
    """A treasury file that was read: what it says, and where it says what is refused."""

    @property
    def treasury(self) -> Treasury: ...

    def refused(self, refusals: Iterable[Refusal]) -> list[str]: ...


class RegisterStore(Reading[KeepsRegister], Writing[KeepsRegister], Protocol):
    """A store of the register."""


ReadFile: TypeAlias = Callable[[str, str, Treasury | None], FileRead]
"""Reads a file's name and text on top of what is recorded; raises what its caller expects of a faulty file.

Where nothing is recorded, the file has then been held against the ledger as a whole.
"""


def import_file(
    store: RegisterStore,
    read: ReadFile,
    name: str,
    text: str,
    *,
    clock: Clock,
    by: str,
    tried: Merge | None = None,
    audit: str | None = None,
) -> tuple[str, ...]:
    """Adds what the file says to what is recorded; returns a line for each thing that it adds or changes.

    `tried` is what `try_file` made of it on top of nothing; it counts where nothing is recorded still. `audit` is the
    channel that is told. RefusedError as for `try_file`; nothing is written then. A file of 100,000 movements takes
    seconds to judge, so no other writer waits for that: it is judged once more only where somebody has recorded
    something meanwhile. It is recorded as of when its turn to write came: who asked while it waited had an answer
    without it.
    """
    with store.reading() as tx:
        recorded = tx.treasury()
    merged = tried if tried is not None and recorded is None else try_file(recorded, read, name, text)
    if not merged.lines:
        return ()
    with store.writing() as tx:
        at = clock.now()
        if (by_now := tx.treasury()) != recorded:
            merged = try_file(by_now, read, name, text)
        if merged.lines:
            tx.apply(merged.treasury, at=at, by=by, source=name, lines=merged.lines)
            tx.add_audit(Entry(at, by, What.IMPORTED, name, _detail(text, merged.lines)))
            ended = tuple(one for one in by_now.claims if one not in merged.treasury.claims) if by_now else ()
            file = Imported(name, by, at, merged.lines, ended)
            post_import(tx, audit, merged.treasury, tx.revision(), file)
    return merged.lines


def _detail(text: str, lines: tuple[str, ...]) -> dict[str, Any]:
    """Which file it was, to the letter, and what it changed."""
    return {"sha256": sha256(text.encode()).hexdigest(), "changes": len(lines), "lines": list(lines)}


def try_file(recorded: Treasury | None, read: ReadFile, name: str, text: str) -> Merge:
    """What importing the file would come to, on top of what is `recorded`; writes nothing.

    RefusedError, a line for each reason, where something recorded would be overwritten or a balance turn negative.
    """
    file = read(name, text, recorded)
    merged = merge(recorded, file.treasury, judged=recorded is None)
    if merged.refusals:
        raise RefusedError(file.refused(merged.refusals))
    return merged
