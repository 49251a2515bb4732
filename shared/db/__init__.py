"""PostgreSQL and SQLite behind repositories. SQLAlchemy is imported nowhere else."""
