"""Schemas of requests and responses, with a description of every field."""
