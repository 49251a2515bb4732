"""Connections to the database and transactions on it."""
