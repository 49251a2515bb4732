"""Wire protocols: one file for each (`*_messages.py`, `*_chat.py`), behind `registry.py`. No clock, no socket."""
