"""The measuring engine: sends planned requests, stamps what arrives, yields a record for each.

Knows no database, no queue, no web framework. The way of the data: `engine` (load) → `child` (a process with the
sockets, where bytes are stamped) → `decoding` (a thread) → `measurer` (one request) → `shared.protocols` (bytes to
events) → `shared.numbers.metrics` (events to numbers).
"""
