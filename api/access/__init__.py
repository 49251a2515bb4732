"""Who may do what with the API."""
