"""One tree of migrations for PostgreSQL and SQLite."""
