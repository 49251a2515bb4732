"""What the server under test says about itself on its Prometheus endpoint. Pure: the worker fetches the texts."""
