"""All tables in one object, for the migrations and for what goes through every table."""

from shared.db import dataset_tables, history_tables, observation_tables, tables, webhook_tables  # noqa: F401 - a module's tables are known once it is imported
from shared.db.base import Base

METADATA = Base.metadata
