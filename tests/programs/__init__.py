"""The programs as their users start them: `llmbench` and its embedded stack, and whole deployments."""
