"""A deployment of real processes with planted secrets, and a search for them in everything that it leaves behind."""
