"""Real servers, and peers that answer as a test says."""
