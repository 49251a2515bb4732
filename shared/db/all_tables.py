"""All tables in one object, for the migrations and for what goes through every table."""

# A module's tables are known once it is imported.
from shared.db import (  # noqa: F401
    access_tables,
    dataset_tables,
    history_tables,
    money_tables,
    observation_tables,
    tables,
    webhook_tables,
    worker_tables,
)
from shared.db.base import Base

METADATA = Base.metadata
