"""Who may do what: API keys, scopes and callers. Pure; the database and the API build on it."""
