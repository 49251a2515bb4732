"""The web pages under `/ui`, rendered on the server from the same functions as the JSON API."""
