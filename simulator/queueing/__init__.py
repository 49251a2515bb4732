"""The queueing mode: slots, queues, prefix caches, stalls, and what they let through by calculation."""
