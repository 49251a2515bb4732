"""The tables, by subject, and the types of their columns."""
