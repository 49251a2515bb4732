"""Webhooks: endpoints, events, and the deliveries of events to endpoints."""
