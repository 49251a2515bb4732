"""The schema: which revision a database has, and how it gets the newest one."""
