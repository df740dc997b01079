"""The audit log: rows that nobody changes or deletes; triggers refuse it (see the migration)."""

from __future__ import annotations

from sqlmodel import Field

from bot.store.columns import Base


class Audit(Base, table=True):
    """One entry, each column as `bot.domain.audit` hashed it: `at` is a text, which no database writes in its own way.

    `number` counts 1, 2, 3 …; `hash` covers all the rest, `before` (the hash of the row before) included.
    """

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: str
    actor: str
    what: str
    about: str
    detail: str
    before: str
    hash: str
