"""Guards and helpers around sockets: addresses, TLS, kernel time stamps."""
