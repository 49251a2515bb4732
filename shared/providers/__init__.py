"""Where requests go, which key they need, what they cost."""
