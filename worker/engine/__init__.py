"""The measuring engine: sends planned requests, stamps what arrives, yields a record for each.

Knows no database, no queue, no web framework. The data's way: `engine` (load) → `measurer` (one request) →
`transport` (sockets and stamps) → `adapters` (bytes to events) → `shared.numbers.metrics` (events to numbers).
"""
