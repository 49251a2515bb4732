"""Pure: what a browser's form holds becomes a request of the API, and a stored benchmark becomes a form again."""
