"""The version of stored charts. Apart, so that the API reads it without numpy."""

# Stored documents of another version are made again.
VERSION = 3
