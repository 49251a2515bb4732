"""The measuring engine: sends planned requests, stamps what arrives, yields a record for each.

Knows no database, no queue, no web framework. The data's way: `engine` (load) → `child` (sockets and stamps) →
`measurer` (one request) → `shared.protocols` (bytes to events) → `shared.numbers.metrics` (events to numbers).
"""
