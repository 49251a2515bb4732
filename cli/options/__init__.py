"""Options of commands, and the spec that they make."""
