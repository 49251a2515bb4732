"""Who may use which route: authentication, scopes, and the owner whose rows a request reads and writes."""
