"""Runs of one prompt set side by side: over time, and of several models. Pure: stored documents in, judgements out."""
