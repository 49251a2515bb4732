"""The checks of `make check` that are programs of their own."""
