"""What webhooks say, how they are signed and sealed."""
