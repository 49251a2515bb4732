"""Connections: requests read, and answers written at their deadlines."""
