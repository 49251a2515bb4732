"""All tables in one object, for the migrations and for what goes through every table."""

# A module's tables are known once it is imported.
from shared.db.tables import access, benchmarks, datasets, history, money, observations, webhooks, workers  # noqa: F401
from shared.db.tables.base import Base

METADATA = Base.metadata
