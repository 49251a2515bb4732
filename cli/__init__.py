"""The `llmbench` program."""
