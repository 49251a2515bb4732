"""Sends the API what could hurt it, and watches its event loop and its memory: `make abuse`."""
