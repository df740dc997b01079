"""Column types that refuse what would be silently wrong: fractions of a satoshi, floats, naive instants.

Decimal columns are floats on SQLite (12345678901.12345678 came back as …12345695), so amounts are 64-bit integers.
"""

from __future__ import annotations

import json
from datetime import timedelta
from fractions import Fraction
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Dialect, ForeignKey, MetaData, Table, Text, TypeDecorator
from sqlmodel import SQLModel

INT64 = 2**63
_MICROSECOND = timedelta(microseconds=1)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(SQLModel):
    """What all tables share: metadata of our own, with names that a migration can drop by."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


def table_of(model: type[Base]) -> Table:
    """The table behind `model`, for queries that return columns and build no model."""
    table = model.metadata.tables[str(model.__tablename__)]
    assert isinstance(table, Table)  # noqa: S101  (narrows a type)
    return table


class _Whole(TypeDecorator[int]):
    """A 64-bit integer and nothing else: no float, no Decimal, no bool."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> int | None:
        if value is not None and type(value) is not int:
            raise TypeError(f"{type(self).__name__} is a whole number, not {value!r}")
        if value is not None and not -INT64 <= value < INT64:
            raise ValueError(f"{type(self).__name__} {value} is beyond 64 bits")
        return value


class Satoshis(_Whole):
    """Coins: 1 BTC is 100,000,000."""

    cache_ok = True


class UsCents(_Whole):
    """Dollars in cents; prices in cents per BTC."""

    cache_ok = True


class Duration(TypeDecorator[timedelta]):
    """A duration in microseconds, exact."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, _dialect: Dialect) -> int | None:
        return None if value is None else value // _MICROSECOND

    def process_result_value(self, value: int | None, _dialect: Dialect) -> timedelta | None:
        return None if value is None else timedelta(microseconds=value)


class Ratio(TypeDecorator[Fraction]):
    """An exact rational, as text: "4/3"."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Fraction | None, _dialect: Dialect) -> str | None:
        return None if value is None else str(Fraction(value))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Fraction | None:
        return None if value is None else Fraction(value)


class Json(TypeDecorator[Any]):
    """A JSON document kept as the text it was written as; floats are refused: there are none in ours."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def json_text(document: Any) -> str:
    """`document` as compact JSON, its keys in the order they were given."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def deferred(target: str) -> ForeignKey:
    """A foreign key held at commit: of two rows of one import the earlier may name the later."""
    return ForeignKey(target, deferrable=True, initially="DEFERRED")
