"""The server that commands use: which one it is, and how it is asked."""
