"""The measuring process: requests come in, stamped bytes of answers go out, and nothing else runs on its loop.

`__main__` (the program) → `load` (slots) → `socket_slot` or `sdk_slot` (one request at a time) → `connection`
(HTTP/1.1) ← `socket_reader` (the only place where bytes are read and stamped). `outbox` sends them to the worker.
No provider SDK is imported unless a target needs it, so that a process is ready in a fraction of a second.
"""
