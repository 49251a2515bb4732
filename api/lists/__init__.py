"""How lists are asked for: filters and cursors."""
