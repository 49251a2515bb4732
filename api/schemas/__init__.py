"""Shapes of requests and responses, with the description of every field."""
