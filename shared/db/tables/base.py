"""What every module of tables builds on: names of constraints, and partial indexes."""

from sqlalchemy import Index, MetaData, text
from sqlalchemy.orm import DeclarativeBase


def one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def index(name: str, *columns: str, where: str | None = None, unique: bool = False) -> Index:
    """An index of the rows that the condition is true for.

    SQLite uses it only for a statement that contains the condition word for word, without parameters.
    """
    if where is None:
        return Index(name, *columns, unique=unique)
    return Index(name, *columns, unique=unique, postgresql_where=text(where), sqlite_where=text(where))


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
