"""Column types and SQL functions that mean the same on PostgreSQL and SQLite."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    Dialect,
    Float,
    Integer,
    Numeric,
    String,
    literal,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import ScalarSelect
from sqlalchemy.types import TypeDecorator, TypeEngine

# SQLite has no date type. Dates are texts of one fixed width, so that they sort by time.
_SQLITE_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
_PICO = Decimal(10) ** 12


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant: TIMESTAMPTZ on PostgreSQL, text of microseconds on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a date without a time zone cannot be stored")
        value = value.astimezone(UTC)
        if dialect.name != "sqlite":
            return value
        # Not strftime, which writes the year 999 with three digits.
        return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.strptime(value, _SQLITE_FORMAT).replace(tzinfo=UTC)
        if value.tzinfo is None:
            # asyncpg reads PostgreSQL's `infinity`, which is how it writes the last microsecond of the year 9999.
            return value.replace(tzinfo=UTC)  # type: ignore[no-any-return]
        return value.astimezone(UTC)  # type: ignore[no-any-return]


class Usd(TypeDecorator[Decimal]):
    """US dollars to 12 places: NUMERIC on PostgreSQL; SQLite has no exact decimals, so an integer of 10^-12 USD."""

    impl = Numeric(24, 12)
    cache_ok = True

    @property
    def python_type(self) -> type[Decimal]:
        return Decimal

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(24, 12))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return int((value * _PICO).to_integral_value()) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return Decimal(value) / _PICO if dialect.name == "sqlite" else Decimal(value)


# A 64-bit key that SQLite still treats as its row id.
BigKey = BigInteger().with_variant(Integer(), "sqlite")
# JSON, not JSONB, which would sort keys: both databases return documents as they were stored.
# `none_as_null`: a missing document is SQL NULL, not the JSON text `null`.
JsonDocument = JSON(none_as_null=True)


class utc_now(FunctionElement[datetime]):  # noqa: N801 - reads as an SQL function
    """The database's own clock, plus some seconds. Leases compare with this and never with a program's clock."""

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, plus_s: float | BindParameter[float] = 0) -> None:
        super().__init__(plus_s if isinstance(plus_s, BindParameter) else literal(float(plus_s), Float(53)))


def as_constant(instant: utc_now) -> ScalarSelect[datetime]:
    """The instant, read once for the whole statement: only then does PostgreSQL look it up in an index."""
    return select(instant).scalar_subquery()


@compiles(utc_now, "sqlite")
def _sqlite_now(element: utc_now, compiler: SQLCompiler, **kw: Any) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', {compiler.process(element.clauses, **kw)} || ' seconds')"


@compiles(utc_now, "postgresql")
def _postgresql_now(element: utc_now, compiler: SQLCompiler, **kw: Any) -> str:
    # Not now(), which is the start of the transaction: one that waited for a lock needs the time after its wait.
    return f"(clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **kw)}))"


class unindexed(FunctionElement[Any]):  # noqa: N801 - reads as an SQL function
    """A column whose indexes SQLite is not to use. It knows no statistics of values. PostgreSQL does, and chooses."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unindexed, "sqlite")
def _sqlite_unindexed(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


@compiles(unindexed, "postgresql")
def _postgresql_unindexed(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


class byte_length(FunctionElement[int]):  # noqa: N801 - reads as an SQL function
    """Bytes of a text or of binary data. PostgreSQL need not read the data for that."""

    type = Integer()
    inherit_cache = True


@compiles(byte_length, "sqlite")
def _sqlite_length(element: byte_length, compiler: SQLCompiler, **kw: Any) -> str:
    # `octet_length` came with SQLite 3.43. `length` of a text counts characters.
    return f"length(CAST({compiler.process(element.clauses, **kw)} AS BLOB))"


@compiles(byte_length, "postgresql")
def _postgresql_length(element: byte_length, compiler: SQLCompiler, **kw: Any) -> str:
    return f"octet_length({compiler.process(element.clauses, **kw)})"


class last_turn(FunctionElement[str]):  # noqa: N801 - reads as an SQL function
    """The text of the last message in the document of a prompt."""

    type = String()
    inherit_cache = True


@compiles(last_turn, "sqlite")
def _sqlite_last_turn(element: last_turn, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_extract({compiler.process(element.clauses, **kw)}, '$.messages[#-1].content')"


@compiles(last_turn, "postgresql")
def _postgresql_last_turn(element: last_turn, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({compiler.process(element.clauses, **kw)} #>> '{{messages,-1,content}}')"


class light_spec(FunctionElement[Any]):  # noqa: N801 - reads as an SQL function
    """A spec without the fields that may be of any length."""

    type = JsonDocument
    inherit_cache = True


@compiles(light_spec, "sqlite")
def _sqlite_light_spec(element: light_spec, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_remove({compiler.process(element.clauses, **kw)}, '$.system', '$.parameters.stop')"


@compiles(light_spec, "postgresql")
def _postgresql_light_spec(element: light_spec, compiler: SQLCompiler, **kw: Any) -> str:
    # Only jsonb can leave fields out.
    spec = compiler.process(element.clauses, **kw)
    return f"((CAST({spec} AS jsonb) - 'system') #- '{{parameters,stop}}')"
