"""The measuring engine: sends the requests of a load, stamps the bytes of their answers, yields a record for each.

Knows no database, no queue, no web framework. The data flows so: `engine` (load) → `child` (a process with the
sockets, where bytes are stamped) → `decoding` (a thread) → `measurer` (one request) → `shared.protocols` (bytes to
events) → `shared.numbers.metrics` (events to numbers).
"""
