"""A third party's mock of the providers as an endpoint. Runs where Node.js and npm are installed."""
