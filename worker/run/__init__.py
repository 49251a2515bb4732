"""One claimed benchmark from claim to end."""
