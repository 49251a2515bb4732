"""The measuring process: a plan comes in, stamped bytes go out, and nothing else runs on its loop.

`__main__` (the program) → `load` (slots) → `socket_slot` or `sdk_slot` (one request) → `connection` (HTTP/1.1) ←
`arrivals` (the one place where bytes are read and stamped); what was seen leaves through `outbox`.
Imports no provider SDK unless a target asks for it, so that a process is ready in a fraction of a second.
"""
