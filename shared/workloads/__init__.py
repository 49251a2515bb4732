"""What to send: datasets, conversations, traces, generated texts, and the workloads that are made of them."""
