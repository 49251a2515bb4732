"""What is sent, as its caller writes it, and the sequence of requests that it becomes."""
