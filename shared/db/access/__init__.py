"""Who the caller is, what belongs to them, and the log of what they changed."""
